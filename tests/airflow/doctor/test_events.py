"""What stands in the way of an event that can be read."""

from __future__ import annotations

import pytest

STRANGER = "99999999-9999-4999-8999-999999999999"
PAST = {"dateTime": "2023-03-30T10:00:00.0000000", "timeZone": "Pacific Standard Time"}


@pytest.mark.parametrize(
    ("webinar", "said"),
    [("draft_webinar_id", "is a draft"), ("canceled_webinar_id", "is cancelled")],
)
def test_a_webinar_that_takes_nobody_is_named(webinar, said, doctor, emulator):
    examined = doctor("--webinar-id", getattr(emulator, webinar))

    (missing,) = examined.missing
    assert (examined.exit_code, missing["check"]) == (1, "state")
    assert said in missing["sentence"]


def test_a_webinar_of_the_past_is_named(doctor, emulator):
    emulator.store.webinars.change(emulator.webinar_id, end=PAST)

    (missing,) = doctor("--webinar-id", emulator.webinar_id).missing

    assert missing["sentence"] == "The event ended at 2023-03-30 17:00 UTC."


def test_the_form_is_counted(doctor, emulator):
    sentence = doctor("--webinar-id", emulator.questions_webinar_id).of("form")["sentence"]

    assert sentence == "1000 seats; 5 questions, 2 of them required."


def test_another_organizer_is_named(doctor, emulator):
    (missing,) = doctor("--webinar-id", emulator.webinar_id, "--organizer-id", STRANGER).missing

    assert missing["check"] == "organizer"
    assert emulator.organizer_id in missing["remedy"]


@pytest.mark.parametrize("event", [["--webinar-id", "unknown"], ["--meeting-id", "unknown"], ["--name", "unknown"]])
def test_an_unknown_event_is_named_with_what_may_hide_it(event, doctor, emulator):
    examined = doctor(*event, "--organizer-id", emulator.organizer_id)

    (missing,) = examined.missing
    assert examined.exit_code == 1
    assert "404" in missing["sentence"]
    assert f'-AppIds "{emulator.client_id}"' in missing["remedy"]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["--meeting-id", "https://events.teams.microsoft.com/event/1"], "a link"),
        (["--webinar-id", "https://events.teams.microsoft.com/event/1"], "a link"),
        (["--meeting-id", "123 456 789 01"], "a number"),
        (["--webinar-id", "one", "--organizer-id", "organizer@example.org"], "an e-mail address"),
    ],
)
def test_a_value_of_another_kind_is_refused_before_the_event_is_asked_for(arguments, kind, doctor, emulator):
    (missing,) = (examined := doctor(*arguments)).missing

    assert examined.exit_code == 1
    assert f"looks like {kind}" in missing["sentence"]
    assert "organizer@" not in examined.text
    assert emulator.store.journal == []


@pytest.mark.parametrize("kind", ["webinar", "meeting"])
def test_a_join_url_is_taken_for_the_id(kind, doctor, emulator):
    store = emulator.store
    event = store.webinars.webinar(emulator.webinar_id) if kind == "webinar" else store.meeting(emulator.meeting_id)

    examined = doctor(f"--{kind}-id", event.join_web_url, "--organizer-id", emulator.organizer_id)

    assert examined.missing == []
    assert event.id in examined.of("search")["sentence"]
    assert "meetup-join" not in examined.text


def test_an_application_must_name_the_organizer_of_a_meeting(doctor, emulator):
    (missing,) = doctor("--meeting-id", emulator.meeting_id).missing

    assert missing["check"] == "organizer"
    assert "--organizer-id" in missing["remedy"]


def test_a_meeting_that_is_not_open_is_named(doctor, emulator):
    (missing,) = doctor("--meeting-id", emulator.closed_meeting_id, "--organizer-id", emulator.organizer_id).missing

    assert missing["check"] == "state"
    assert "OpenRegistrationOperator" in missing["remedy"]


@pytest.mark.parametrize("retired", ["gone", "empty"])
@pytest.mark.usefixtures("no_backoff")
def test_a_retired_api_is_named(retired, doctor, emulator):
    emulator.set_switches(retired=retired)

    (missing,) = doctor("--meeting-id", emulator.meeting_id, "--organizer-id", emulator.organizer_id).missing

    assert "webinars replace it" in missing["remedy"]
