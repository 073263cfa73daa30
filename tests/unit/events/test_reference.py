"""The reference to an event, the table of kinds, and ids that cannot be what their argument takes."""

from __future__ import annotations

import re
import sys
from types import ModuleType

import pytest

from airflow_provider_teams_registration.events.id_checks import check_ids
from airflow_provider_teams_registration.events.kinds import KINDS, MEETING, WEBINAR, EventKind, load
from airflow_provider_teams_registration.events.named_event import NamedEvent
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.graph.arguments import LINKS, looks_like

GUID = "dc17674c-81d9-4adb-bfb2-8f6a442e4622"
MEETING_ID = "MSpkYzE3Njc0Yy04MWQ5LTRhZGItYmZiMi04ZjZhNDQyZTQ2MjIqMCoqMTk6bWVldGluZ19hQHRocmVhZC52Mg=="
JOIN_URL = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_canary%40thread.v2/0?context=%7b%7d"


def test_reference_names_kind_id_and_organizer():
    given = {"meeting_id": MEETING_ID, "webinar_id": None, "organizer_id": GUID}
    assert EventRef.read(given) == EventRef(MEETING, MEETING_ID, GUID)


def test_webinar_takes_no_organizer():
    given = {"webinar_id": f"{GUID}@{GUID}", "organizer_id": "ada@example.org"}
    assert EventRef.read(given) == EventRef(WEBINAR, f"{GUID}@{GUID}", None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "No event is given. Give exactly one of meeting_id and webinar_id."),
        ({"meeting_id": "", "organizer_id": GUID}, "No event is given."),
        ({"meeting_id": "a", "webinar_id": "b"}, "More than one event is given (meeting_id and webinar_id)."),
    ],
)
def test_anything_but_one_event_is_refused(given, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        EventRef.read(given)


@pytest.mark.parametrize(
    ("argument", "value", "looks", "advice"),
    [
        ("meeting_id", JOIN_URL, "a join URL", "FindEventOperator"),
        ("meeting_id", "https://teams.live.com/meet/9312?p=canary", "a join URL", "FindEventOperator"),
        ("meeting_id", "teams.microsoft.com/meet/9312?p=canary", "a join URL", "FindEventOperator"),
        ("meeting_id", "https://eur.safelinks.protection.outlook.com/?url=canary", "a link", "FindEventOperator"),
        ("meeting_id", "123 456 789 01", "a number", "FindEventOperator"),
        ("meeting_id", 12345678901, "a number", "FindEventOperator"),
        ("meeting_id", "canary@example.org", "an e-mail address", "FindEventOperator"),
        ("meeting_id", GUID, "a GUID", "FindEventOperator"),
        ("meeting_id", f"{GUID}@{GUID}", "a webinar's id", "as webinar_id"),
        ("webinar_id", JOIN_URL, "a join URL", "FindEventOperator"),
        ("webinar_id", "123 456 789 01", "a number", "FindEventOperator"),
        ("webinar_id", "canary@example.org", "an e-mail address", "FindEventOperator"),
        ("webinar_id", MEETING_ID, "an online meeting's id", "as meeting_id"),
        ("organizer_id", "canary@contoso.onmicrosoft.com", "an e-mail address", "Entra"),
        ("organizer_id", "canary_example.org#EXT#@contoso.onmicrosoft.com", "an e-mail address", "Entra"),
        ("organizer_id", MEETING_ID, "an online meeting's id", "FindEventOperator"),
    ],
)
def test_value_of_another_kind_is_refused_without_repeating_it(argument, value, looks, advice):
    with pytest.raises(ValueError, match=f"^{argument} looks like {looks}\\. ") as refusal:
        check_ids({argument: value})
    said = str(refusal.value)
    assert advice in said
    assert "canary" not in said
    assert str(value) not in said


@pytest.mark.parametrize("argument", ["meeting_id", "webinar_id"])
@pytest.mark.parametrize("value", [JOIN_URL, "teams.microsoft.com/meet/12345678?p=canary"])
def test_join_url_is_taken_where_it_can_be_looked_up(argument, value):
    named = NamedEvent.read({argument: value})

    assert named.is_link
    assert "canary" not in repr(named)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("meeting_id", "https://teams.example/canary"),
        ("meeting_id", f"https://events.teams.microsoft.com/event/{GUID}@{GUID}"),
        ("webinar_id", "https://eur.safelinks.protection.outlook.com/?url=canary"),
        ("organizer_id", JOIN_URL),
    ],
)
def test_another_link_is_refused_even_where_links_are_looked_up(argument, value):
    with pytest.raises(ValueError, match=f"^{argument} looks like") as refusal:
        check_ids({argument: value}, takes_links=True)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("meeting_id", MEETING_ID),
        ("meeting_id", "MSo1N2Y5ZGFjYzA2"),
        ("meeting_id", "m"),
        ("webinar_id", f"{GUID}@{GUID}"),
        ("webinar_id", GUID),
        ("webinar_id", "w"),
        ("organizer_id", GUID.upper()),
        ("organizer_id", None),
        ("conn_id", JOIN_URL),
    ],
)
def test_value_that_may_be_right_is_taken(argument, value):
    check_ids({argument: value})


@pytest.mark.parametrize("argument", ["meeting_id", "webinar_id", "organizer_id"])
@pytest.mark.parametrize("value", [True, {"canary": 1}, ["canary"], b"canary", float("nan"), object()])
def test_value_that_is_no_text_is_refused_without_repeating_it(argument, value):
    with pytest.raises(ValueError, match=f"^{argument} is a {type(value).__name__}\\. It takes a text\\.$"):
        check_ids({argument: value})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.argument)
def test_paths_of_the_table_lead_somewhere(kind):
    assert callable(load(kind.makes_event))
    assert callable(load(kind.looks_if_open))
    assert callable(load(kind.reads_facts))


def test_third_kind_is_one_line_of_the_table(monkeypatch):
    town_hall = ModuleType("town_hall")
    town_hall.make_event = lambda session, reference, **form: (session, reference.id, form)
    town_hall.look_if_open = lambda session, reference, audience: {"id": reference.id}
    monkeypatch.setitem(sys.modules, "town_hall", town_hall)
    kind = EventKind(
        name="town hall",
        argument="town_hall_id",
        example="a9c1f1ab-...",
        takes_organizer=False,
        takes_audience=False,
        links_are_readable=True,
        makes_event="town_hall:make_event",
        is_keyed_by_id=False,
        looks_if_open="town_hall:look_if_open",
        reads_facts="town_hall:read_facts",
    )
    kinds = (*KINDS, kind)
    reference = EventRef.read({"meeting_id": None, "town_hall_id": "t", "organizer_id": "o"}, kinds)
    assert reference == EventRef(kind, "t", None)
    assert reference.event("session", referrer="mail") == ("session", "t", {"referrer": "mail"})
    assert reference.look_if_open("session") == {"id": "t"}
    with pytest.raises(ValueError, match="one of meeting_id, webinar_id and town_hall_id"):
        EventRef.read({}, kinds)
    with pytest.raises(ValueError, match="town_hall_id looks like a number"):
        EventRef.read({"town_hall_id": "123"}, kinds)


@pytest.mark.parametrize("argument", ["meeting_id", "webinar_id", "organizer_id"])
@pytest.mark.parametrize(
    "value",
    [
        "[Join](https://teams.microsoft.com/meet/12345678901?p=canary)",
        "Join here: https://teams.microsoft.com/meet/12345678901?p=canary",
        "\u202ehttps://teams.microsoft.com/meet/12345678901?p=canary",
        "msteams:/l/meetup-join/19%3ameeting_canary%40thread.v2/0",
        "https%25253A%25252F%25252Fteams.microsoft.com%25252Fmeet%25252F12345678901",
        f"{'x' * 5_000} https://teams.microsoft.com/meet/12345678901?p=canary",
        "canary@teams.microsoft.com/meet/12345678901",
    ],
    ids=["Markdown", "sentence", "turned round", "app", "encoded three times", "long", "address"],
)
def test_text_with_a_link_is_refused_and_counts_as_a_link(argument, value):
    with pytest.raises(ValueError, match=f"{argument} looks like a text with a link") as failure:
        check_ids({argument: value}, takes_links=True)
    assert "canary" not in str(failure.value)
    assert looks_like(value) in LINKS
