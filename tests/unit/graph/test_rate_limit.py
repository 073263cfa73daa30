"""How the service asks for patience, and how it gets it."""

import logging
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from airflow_provider_teams_registration.exceptions import Throttled
from airflow_provider_teams_registration.graph.rate_limit import RateLimiter, retry_after

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
    rate_limiter = RateLimiter()
    left_at = time.monotonic()
    for _ in range(8):
        rate_limiter.back_off(asked, left_at)

    assert 1 < rate_limiter.backoff_remaining() < 3

    rate_limiter.back_off(asked)

    assert rate_limiter.backoff_remaining() >= 3 - 0.1


def test_service_that_says_at_once_again_and_again_is_not_asked_at_once():
    rate_limiter = RateLimiter()

    rate_limiter.back_off(0.0)

    assert rate_limiter.backoff_remaining() > 1


def test_who_has_less_patience_than_was_asked_for_is_told_so_at_once():
    rate_limiter, asked_at = RateLimiter(max_wait=5), time.monotonic()
    rate_limiter.back_off(60)

    with pytest.raises(Throttled) as failure:
        rate_limiter.wait()

    assert 55 < failure.value.retry_after <= 60
    assert time.monotonic() - asked_at < 2


def test_longer_of_two_waits_counts():
    rate_limiter, start = RateLimiter(), time.monotonic()
    rate_limiter.back_off(0.2)
    rate_limiter.back_off(0.05)

    rate_limiter.wait()

    assert 0.2 <= time.monotonic() - start < 2


def test_long_wait_is_logged_and_a_short_one_is_not(caplog):
    caplog.set_level(logging.INFO)
    RateLimiter().back_off(0.1)
    assert caplog.messages == []

    RateLimiter().back_off(30)

    assert caplog.messages == ["Sending no requests to Graph for 30 s, because it throttles or fails."]


def test_call_that_is_always_throttled_ends_as_throttled(no_backoff):
    made = []

    def call():
        made.append(1)
        error = Throttled(429)
        error.retry_after = 0.0
        raise error

    with pytest.raises(Throttled):
        RateLimiter(backoff=no_backoff).retry_throttled(call)

    assert len(made) == 8
