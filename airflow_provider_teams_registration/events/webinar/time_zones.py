"""Convert names of time zones to Windows names, which Graph's examples use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from importlib import resources

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.graph.moments import iana_names, zone_of

_NONE = "preferred_timezone is no time zone, neither by its IANA name nor by its Windows name"
_NO_COUNTERPART = "preferred_timezone is a time zone whose offsets no Windows time zone has. Give another one"


def windows_timezone(name: str) -> str:
    """
    Return the Windows name of a time zone.

    The Windows zone of an IANA zone has the same offsets from UTC, this year and next year.

    :param name: an IANA name such as ``Europe/Rome``, or a Windows name, in any case.
    :raises InvalidRow: there is no such zone, or no Windows zone has its offsets.
    """
    folded = name.strip().lower()
    windows = _windows_names().get(folded)
    if windows is not None:
        return windows
    iana = iana_names().get(folded)
    if iana is None:
        raise InvalidRow(_NONE)
    found = _counterpart(iana, datetime.now(timezone.utc).year)
    if found is None:
        raise InvalidRow(_NO_COUNTERPART)
    return found


@cache
def _counterpart(iana: str, year: int) -> str | None:
    """
    Return the Windows zone of an IANA zone.

    The function looks in CLDR's table first, under the zone's name and its other names. The table lacks some names, and
    some of its zones have changed their offsets since. For those, the function returns a zone with the same offsets. If
    there is none, for example because the table is older than the change, it returns the table's zone.
    """
    from tzlocal.windows_tz import tz_win, win_tz

    wanted = _offsets(iana, year)
    by_table = [str(tz_win[name]) for name in (iana, *_names_of_one_zone(iana)) if name in tz_win]
    # Sorted, so that every machine chooses the same zone.
    for windows in [*by_table, *sorted(win_tz)]:
        if _offsets(win_tz[windows], year) == wanted:
            return str(windows)
    return by_table[0] if by_table else None


@cache
def _offsets(iana: str, year: int) -> tuple[tuple[datetime, timedelta | None], ...]:
    """Return the offsets of a zone in a year and the next, each with its first moment."""
    zone = zone_of(iana)
    first, end = datetime(year, 1, 1, tzinfo=timezone.utc), datetime(year + 2, 1, 1, tzinfo=timezone.utc)
    found = [(first, _offset(zone, first))]
    for day in _days(first, end):
        if _offset(zone, day) == found[-1][1]:
            continue
        before, after = day - timedelta(days=1), day
        while after - before > timedelta(minutes=1):
            middle = before + (after - before) / 2
            before, after = (middle, after) if _offset(zone, middle) == found[-1][1] else (before, middle)
        found.append((after, _offset(zone, day)))
    return tuple(found)


def _days(first: datetime, end: datetime) -> Iterator[datetime]:
    while first <= end:
        yield first
        first += timedelta(days=1)


def _offset(zone: tzinfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


@cache
def _windows_names() -> Mapping[str, str]:
    from tzlocal.windows_tz import win_tz

    return {name.lower(): str(name) for name in win_tz}


def _names_of_one_zone(iana: str) -> Sequence[str]:
    links = _links()
    zone = links.get(iana, iana)
    return [zone, *sorted(name for name, target in links.items() if target == zone)]


@cache
def _links() -> Mapping[str, str]:
    """Return the zone of each older name, from the time zone database."""
    text = resources.files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text(encoding="utf-8")
    lines = (line.split() for line in text.splitlines() if line.startswith("L "))
    return {name: target for _, target, name in lines}
