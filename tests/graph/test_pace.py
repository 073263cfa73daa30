"""How the service asks for patience, and how it gets it."""

import logging
import time
from datetime import datetime, timezone

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
    assert retry_after({"Retry-After": "Thu, 01 Jan 2099 00:00:00 GMT"}) > 365 * 86400


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


def test_call_that_is_always_throttled_ends_as_throttled():
    made = []

    def call():
        made.append(1)
        error = Throttled(429)
        error.retry_after = 0.0
        raise error

    with pytest.raises(Throttled):
        Pace().obey(call)

    assert len(made) == 8
