"""What Graph says of an event's title and time, and what is made of it."""

from __future__ import annotations

import pytest

from airflow_provider_teams_registration.core.event_facts import read_event_facts
from airflow_provider_teams_registration.graph.meeting_info import read_meeting
from airflow_provider_teams_registration.graph.moments import moment_or_none
from airflow_provider_teams_registration.graph.webinar_bodies import read_webinar


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2027-03-01T09:00:00Z", "2027-03-01T09:00:00+00:00"),
        ("2027-03-01T10:00:00.1234567+01:00", "2027-03-01T09:00:00+00:00"),
        ({"dateTime": "2027-07-01T09:00:00.0000000", "timeZone": "UTC"}, "2027-07-01T09:00:00+00:00"),
        ({"dateTime": "2027-07-01T09:00:00", "timeZone": "W. Europe Standard Time"}, "2027-07-01T07:00:00+00:00"),
        ({"dateTime": "2027-01-01T09:00:00", "timeZone": "Europe/Rome"}, "2027-01-01T08:00:00+00:00"),
        ({"dateTime": "2027-01-01T09:00:00", "timeZone": "PacificSt"}, None),
        ({"dateTime": "0001-01-01T00:00:00", "timeZone": "Europe/Rome"}, None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T22:00:00Z", None),
        ({"dateTime": ["2027"], "timeZone": 3}, None),
        ("2027-01-01T09:00:00", None),
        ("soon", None),
        (None, None),
    ],
)
def test_times_are_read_in_utc_or_not_at_all(given, read):
    moment = moment_or_none(given)
    assert (moment and moment.isoformat()) == read


def test_a_webinars_facts_go_through_json_unchanged():
    body = {
        "id": "w",
        "displayName": "Launch\nday",
        "status": "published",
        "startDateTime": {"dateTime": "2027-07-01T09:00:00.0000000", "timeZone": "W. Europe Standard Time"},
        "endDateTime": {"dateTime": "2027-07-01T10:00:00.0000000", "timeZone": "W. Europe Standard Time"},
        "createdBy": {"user": {"id": "o", "displayName": "Organizer"}},
    }
    facts = read_webinar(body).facts("w")
    assert facts.as_json() == {
        "webinar_id": "w",
        "title": "Launch day",
        "start": "2027-07-01T07:00:00Z",
        "end": "2027-07-01T08:00:00Z",
        "time_zone": "Europe/Berlin",
        "organizer_name": "Organizer",
    }
    assert read_event_facts(facts.as_json()).as_json() == facts.as_json()


@pytest.mark.parametrize("value", [None, 3, ["x"], {"dateTime": 3}, "", {"organizer": {"identity": {"user": 3}}}])
def test_facts_that_are_something_else_keep_nobody_from_being_enrolled(value):
    others = {"startDateTime": value, "endDateTime": value, "participants": value}
    assert read_meeting({"id": "m", "subject": value, **others}).facts("m").start is None
    assert read_webinar({"id": "w", "status": "published", **others}).facts("w").start is None


def test_a_meeting_that_ends_before_it_begins_has_no_times():
    body = {"id": "m", "startDateTime": "2027-07-01T09:00:00Z", "endDateTime": "2027-07-01T08:00:00Z"}
    facts = read_meeting(body).facts("m")
    assert (facts.start, facts.end) == (None, None)
