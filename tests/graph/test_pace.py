"""How the service asks for patience, and how it gets it."""

import logging
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from airflow_provider_teams_registration.graph.errors import Throttled
from airflow_provider_teams_registration.graph.pace import Pace, retry_after

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0.25", 0.25),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 13:00:30 +0100", 30.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        ("Thu, 01 Jan 2026 11:59:30 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
    ],
)
def test_every_form_of_retry_after_is_read(value, seconds):
    assert retry_after({"Retry-After": value}, NOW) == seconds


@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
def test_case_of_the_header_does_not_matter(name):
    assert retry_after({"Other": "1", name: "7"}) == 7.0


def test_no_header_is_no_wait_of_the_service():
    assert retry_after({"Content-Type": "text/plain"}) is None


def test_date_is_measured_from_the_present_moment():
    in_a_minute = datetime.now(timezone.utc) + timedelta(seconds=60)

    assert 50 < retry_after({"Retry-After": format_datetime(in_a_minute, usegmt=True)}) <= 60


@pytest.mark.parametrize("value", ["999999999999", "1e300", "Thu, 01 Jan 2099 00:00:00 GMT"])
def test_nobody_is_told_to_wait_for_more_than_a_day(value):
    assert retry_after({"Retry-After": value}, NOW) == 86400


@pytest.mark.parametrize("asked", [None, 0.0])
def test_calls_that_were_under_way_together_lengthen_the_wait_once(asked):
    pace = Pace()
    left_at = time.monotonic()
    for _ in range(8):
        pace.hold(asked, left_at)

    assert 1 < pace.held() < 3

    pace.hold(asked)

    assert pace.held() >= 3 - 0.1


def test_service_that_says_at_once_again_and_again_is_not_asked_at_once():
    pace = Pace()

    pace.hold(0.0)

    assert pace.held() > 1


def test_who_has_less_patience_than_was_asked_for_is_told_so_at_once():
    pace, asked_at = Pace(patience=5), time.monotonic()
    pace.hold(60)

    with pytest.raises(Throttled) as failure:
        pace.wait()

    assert 55 < failure.value.retry_after <= 60
    assert time.monotonic() - asked_at < 2


def test_longer_of_two_waits_counts():
    pace, start = Pace(), time.monotonic()
    pace.hold(0.2)
    pace.hold(0.05)

    pace.wait()

    assert 0.2 <= time.monotonic() - start < 2


def test_long_wait_is_logged_and_a_short_one_is_not(caplog):
    caplog.set_level(logging.INFO)
    Pace().hold(0.1)
    assert caplog.messages == []

    Pace().hold(30)

    assert caplog.messages == ["Graph asks for patience: no request for 30 s."]


def test_call_that_is_always_throttled_ends_as_throttled(no_backoff):
    made = []

    def call():
        made.append(1)
        error = Throttled(429)
        error.retry_after = 0.0
        raise error

    with pytest.raises(Throttled):
        Pace().obey(call)

    assert len(made) == 8
