"""Enrolling in a webinar: forms, refusals, re-runs, and spellings of an address."""

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.events.kinds import WEBINAR
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.exceptions import Forbidden, SettingsError
from tests.emulated.enrollment.webinar_people import (
    NEXT_RUN,
    OTHER_DAG,
    RUN,
    every_duplicate,
    links,
    people,
    person,
    writes,
)


@every_duplicate
@pytest.mark.parametrize(
    ("again", "outcome"), [(RUN, "enrolled"), (NEXT_RUN, "already_enrolled"), (OTHER_DAG, "already_enrolled")]
)
def test_re_run_writes_nothing_and_hands_out_the_links_of_the_ledger(
    duplicate, again, outcome, register_all, emulator, live_links, looks
):
    emulator.set_switches(duplicate=duplicate)
    first = register_all(people(30))
    emulator.clear_journal()

    report = register_all(people(30), as_run=again)

    assert report.counts == {outcome: 30}
    assert links(report) == links(first) == live_links()
    assert writes(emulator) == []
    assert not looks()


def test_ledger_that_keeps_no_links_reads_them_again(register_all, open_ledger, live_links, sent):
    runs = [(RUN, "enrolled"), (RUN, "enrolled"), (NEXT_RUN, "already_enrolled"), (OTHER_DAG, "already_enrolled")]
    for run, outcome in runs:
        report = register_all(people(3), ledger=open_ledger(run, store_join_urls=False))

        assert report.counts == {outcome: 3}
        assert links(report) == live_links()
        assert report.refused == report.links_missing == 0
    assert len(sent()) == 3


@pytest.mark.parametrize("status", ["draft", "canceled"])
def test_webinar_that_takes_nobody_is_refused(status, register_all, open_event, emulator, sent):
    webinar_id = emulator.draft_webinar_id if status == "draft" else emulator.canceled_webinar_id
    with pytest.raises(SettingsError, match=f"The webinar is {status}, not published"):
        register_all(people(1), on=open_event(webinar_id))
    assert sent() == []


@pytest.mark.parametrize("event_full", ["bad_request", "conflict", "forbidden"])
def test_full_webinar_rejects_those_beyond_its_capacity(event_full, register_all, open_event, emulator, live):
    emulator.set_switches(event_full=event_full)
    webinar_id = emulator.small_webinar_id

    report = register_all(people(5), on=open_event(webinar_id), settle_after=0.3)

    assert report.counts == {"enrolled": 3, "rejected": 2}
    assert len(live(webinar_id)) == 3
    assert "has reached its capacity of 3" in report.error_summary()
    assert {one.join_web_url is None for one in report.enrollments if one.outcome is Outcome.REJECTED} == {True}


def test_questions_are_read_once_and_bad_rows_are_refused_before_anything_is_sent(
    register_all, open_event, emulator, live, sent
):
    webinar_id = emulator.questions_webinar_id
    good = {"Who told you of us?": "Bob", "q-single-choice": "data", "Which days?": "Monday;Friday", "Job title": "CTO"}
    rows = [
        person(0, **good),
        person(1),
        person(2, **{**good, "q-single-choice": "neither"}),
        person(3, **good, answers={"Shoe size?": 42}),
        person(4, **good, preferred_timezone="Europe/Rom"),
        {**person(5, **good), "id": "x" * 257},
        {**person(6, **good), "email": "nobody"},
    ]

    report = register_all(rows, on=open_event(webinar_id))

    assert report.counts == {"enrolled": 1, "invalid": 6}
    assert sent() == ["crm 0"]
    (made,) = live(webinar_id).values()
    assert made.preferred_timezone == "W. Europe Standard Time"
    assert {answer["questionId"] for answer in made.answers} == {
        "q-text",
        "q-single-choice",
        "q-multi-choice",
        "q-job-title",
    }
    asked = [entry for entry in emulator.store.journal if entry.path.endswith("/questions")]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("default", "said"),
    [
        ({"preferred_timezone": "Europe/Rom"}, "The operator's preferred_timezone is no time zone"),
        ({"preferred_language": "English"}, "The operator's preferred_language is no language tag"),
    ],
)
def test_impossible_default_is_said_before_anything_is_asked(default, said, register_all, open_event, emulator):
    with pytest.raises(SettingsError, match=said):
        register_all(people(3), on=open_event(**default))
    assert emulator.store.journal == []


def test_address_in_two_cases_is_never_two_registrants(register_all, live):
    same = {"email": "ADA@example.org", "first_name": "Ada", "last_name": "Example"}

    report = register_all([same, {**same, "email": "ada@example.org"}, person(1), same])

    assert set(live()) <= {"ada@example.org", "person1@example.org"}
    assert report.counts == {"invalid": 2, "enrolled": 1}
    assert report.repeated == 1
    assert {row["error"] for row in report.rows() if row["outcome"] == "invalid"} == {
        "rows 1, 2 name the same registrant but differ"
    }


def test_refused_permission_is_named(register_all, emulator):
    emulator.set_switches(roles="VirtualEvent.Read.All")

    report = register_all(people(2))

    assert report.counts == {"rejected": 2}
    assert "VirtualEventRegistration-Anon.ReadWrite.All" in report.error_summary()
    assert "OnlineMeetings" not in report.error_summary()


def test_missing_access_policy_is_said_before_anybody_is_sent(register_all, emulator, sent):
    emulator.set_switches(application_access_policy=False)
    with pytest.raises(Forbidden, match="application access policy"):
        register_all(people(2))
    assert sent() == []


SPELLINGS_OF_A_MAILBOX = [
    "ünï@exämple.org",
    "u\u0308ni\u0308@EXÄMPLE.org",
    '"ünï@xn--exmple-cua.org"',
    "mailto:Ünï@exämple.org\u200b",
]


@pytest.mark.parametrize("many", [0, 30], ids=["looked up", "listed"])
@pytest.mark.parametrize("spelling", SPELLINGS_OF_A_MAILBOX)
def test_mailbox_has_one_seat_in_whatever_spelling_it_comes(spelling, many, register_all, open_event, sent):
    one = person("", email=SPELLINGS_OF_A_MAILBOX[0])
    assert register_all([one, *people(many)]).counts == {"enrolled": 1 + many}

    report = register_all([{**one, "email": spelling}, *people(many)], as_run=OTHER_DAG)

    assert report.counts == {"already_enrolled": 1 + many}
    assert len(sent()) == 1 + many


def test_mailbox_in_several_spellings_in_one_list_is_a_contradiction(register_all, sent):
    report = register_all([person(1, email=spelling) for spelling in SPELLINGS_OF_A_MAILBOX] + [person(2)])

    assert report.counts == {"enrolled": 1, "invalid": 4}
    assert sent() == ["crm 2"]


def test_person_whom_the_service_lists_in_another_spelling_is_on_it(register_all, put_on, sent):
    put_on(" UNÏ@xn--exmple-cua.org")

    report = register_all([person("", email="unï@exämple.org"), *people(30)])

    assert report.counts == {"already_enrolled": 1, "enrolled": 30}
    assert sorted(sent()) == sorted(f"crm {number}" for number in range(30))


def test_form_that_no_consent_covers_keeps_nobody_from_being_registered(graph_session, emulator, caplog):
    emulator.set_switches(roles="VirtualEvent.Read.Chat VirtualEventRegistration-Anon.ReadWrite.Chat")
    emulator.add_fault("GET questions", status=403, code="Forbidden")
    webinar = EventRef(WEBINAR, emulator.webinar_id).event(graph_session)

    webinar.prepare()

    assert "People are registered without answers" in caplog.text


def test_form_that_a_permission_for_all_covers_must_be_read(graph_session, emulator):
    emulator.add_fault("GET questions", status=403, code="Forbidden")

    with pytest.raises(Forbidden):
        EventRef(WEBINAR, emulator.webinar_id).event(graph_session).prepare()
