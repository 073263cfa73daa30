"""What a 404 says of the arguments that led to it."""

import pytest

from airflow_provider_teams_registration.exceptions import NotFound
from airflow_provider_teams_registration.graph.arguments import looks_like
from airflow_provider_teams_registration.graph.event_search import (
    meeting_by_calendar_event,
    meeting_by_join_meeting_id,
    meeting_by_join_web_url,
    webinar_by_name,
)
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.webinar import Webinar

GUID = "12345678-1234-4234-8234-123456789abc"


@pytest.mark.parametrize(
    ("value", "looks"),
    [
        ("https://teams.microsoft.com/l/meetup-join/19%3ameeting_a%40thread.v2/0?context=%7b%7d", "a join URL"),
        ("https://teams.live.com/meet/9312?p=secret", "a join URL"),
        (" https://teams.microsoft.com/l/meetup-join/x \n", "a join URL"),
        ("https%3A%2F%2Fteams.microsoft.com%2Fl%2Fmeetup-join%2Fx", "a join URL"),
        ("https://events.teams.microsoft.com/event/1", "a link"),
        (GUID.upper(), "a GUID"),
        (f"{GUID}@{GUID}", "a webinar's id"),
        ("ada@example.org", "an e-mail address"),
        ("123 456 789 01", "a number"),
        ("MSo1N2Y5ZGFjYzA2", "an id"),
        ("MSo1N2Y5 ZGFjYzA2", "an id with white space"),
        ("None", "the word for no value"),
        ("  ", "empty"),
        ("x" * 100_000, "an id"),
        ("https://" * 100_000, "a link"),
    ],
)
def test_value_looks_like(value, looks):
    assert looks_like(value) == looks


@pytest.mark.parametrize(
    ("act", "named"),
    [
        (
            lambda s, e: OnlineMeeting(s, "12345", e.organizer_id).registration(),
            ["meeting_id (it looks like a number)", "organizer_id (it looks like a GUID)"],
        ),
        (
            lambda s, e: list(OnlineMeeting(s, "https://teams.example/meet/1", e.organizer_id).registrants()),
            ["meeting_id (it looks like a join URL)"],
        ),
        (lambda s, e: OnlineMeeting(s, "x", e.organizer_id).join_web_url(), ["meeting_id (it looks like an id)"]),
        (lambda s, e: OnlineMeeting(s, "x", e.organizer_id).open_registration(), ["meeting_id"]),
        (lambda s, e: OnlineMeeting(s, "x", e.organizer_id).close_registration(), ["meeting_id"]),
        (
            lambda s, e: OnlineMeeting(s, e.meeting_id, e.organizer_id).cancel("ada@example.org"),
            ["meeting_id", "registrant_id (it looks like an e-mail address)"],
        ),
        (lambda s, e: Webinar(s, GUID).info(), ["webinar_id (it looks like a GUID)"]),
        (lambda s, e: Webinar(s, "ada@example.org").questions(), ["webinar_id (it looks like an e-mail address)"]),
        (lambda s, e: Webinar(s, "x").configuration(), ["webinar_id (it looks like an id)"]),
        (lambda s, e: list(Webinar(s, "x").registrations()), ["webinar_id (it looks like an id)"]),
        (
            lambda s, e: meeting_by_join_web_url(s, "https://teams.microsoft.com/l/meetup-join/x/0", e.organizer_id),
            ["join_web_url (it looks like a join URL)", "organizer_id (it looks like a GUID)"],
        ),
        (
            lambda s, e: meeting_by_join_meeting_id(s, "999 999", e.organizer_id),
            ["join_meeting_id (it looks like a number)"],
        ),
        (
            lambda s, e: meeting_by_calendar_event(s, "no such event", e.organizer_id),
            ["event_id (it looks like an id with white space)"],
        ),
        (
            lambda s, e: webinar_by_name(s, "No such webinar", e.organizer_id),
            ["webinar_name (it looks like a name)", "organizer_id (it looks like a GUID)"],
        ),
    ],
    ids=range(14),
)
def test_404_names_its_arguments_and_never_their_values(act, named, graph_session, emulator):
    with pytest.raises(NotFound) as failure:
        act(graph_session, emulator)

    said = str(failure.value)
    assert said.startswith("404 ")
    assert [one for one in named if one not in said] == []
    assert "@" not in said
    assert "://" not in said
    assert emulator.organizer_id not in said
    assert said.count("Check ") == 1


def test_404_of_one_of_many_names_its_arguments(graph_session, emulator):
    (refused,) = Webinar(graph_session, emulator.webinar_id).join_web_urls(["nobody"])

    assert isinstance(refused, NotFound)
    assert "webinar_id (it looks like a webinar's id)" in str(refused)
