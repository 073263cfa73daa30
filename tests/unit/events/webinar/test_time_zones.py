"""Every time zone has a Windows name with its own offsets."""

import zoneinfo
from datetime import datetime, timedelta, timezone
from functools import cache

import pytest
from tzlocal.windows_tz import win_tz

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.webinar.time_zones import windows_timezone

YEAR = datetime.now(timezone.utc).year
HALF_DAYS = [datetime(YEAR, 1, 1, tzinfo=timezone.utc) + timedelta(hours=12 * one) for one in range(2 * 730)]


@pytest.fixture(scope="module", autouse=True)
def _not_the_machines_zones():
    """Zones come from the package tzdata alone, whatever the machine knows."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=())
    yield
    zoneinfo.reset_tzpath(to=before)


@cache
def offsets(name):
    zone = zoneinfo.ZoneInfo.no_cache(name)
    return tuple(at.astimezone(zone).utcoffset() for at in HALF_DAYS)


def test_every_zone_has_the_offsets_of_its_windows_zone_this_year_and_next():
    by_windows = {windows: offsets(iana) for windows, iana in win_tz.items()}
    wrong, without = {}, set()
    for name in sorted(zoneinfo.available_timezones()):
        try:
            windows = windows_timezone(name)
        except InvalidRow:
            without.add(name)
        else:
            if by_windows[windows] != offsets(name):
                wrong[name] = windows

    assert len(zoneinfo.available_timezones()) > 500
    assert wrong == {}
    # Windows has no zone like that of Troll, which moves its clocks by two hours.
    assert {name for name in without if offsets(name) in by_windows.values()} == set()
    assert without <= {"Antarctica/Troll"}


@pytest.mark.parametrize(
    ("name", "windows"),
    [
        ("EST5EDT", "Eastern Standard Time"),
        ("CST6CDT", "Central Standard Time"),
        ("PST8PDT", "Pacific Standard Time"),
        ("US/East-Indiana", "US Eastern Standard Time"),
        ("Europe/Zaporozhye", "FLE Standard Time"),
        ("europe/uzhgorod", "FLE Standard Time"),
        ("America/Scoresbysund", "Greenland Standard Time"),
        (" Asia/Calcutta ", "India Standard Time"),
    ],
)
def test_older_names_and_zones_that_changed_have_a_windows_name(name, windows):
    assert windows_timezone(name) == windows


@pytest.mark.parametrize("name", list(win_tz))
def test_windows_name_is_itself(name):
    assert windows_timezone(name) == windows_timezone(name.upper()) == name


def test_zone_without_a_windows_zone_says_so():
    with pytest.raises(InvalidRow, match="whose offsets no Windows time zone has"):
        windows_timezone("Antarctica/Troll")


@pytest.mark.parametrize("name", ["", "localtime", "../../etc/passwd", "Europe", "posix/Europe/Rome", "UTC+2"])
def test_what_is_no_zone_is_refused(name):
    with pytest.raises(InvalidRow, match="is no time zone"):
        windows_timezone(name)
