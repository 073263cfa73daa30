"""A registrant whom the service lists in another spelling than they were sent in is on the event all the same."""

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord, TaskRun
from airflow_provider_teams_registration.core.state import OnMissingJoinUrl
from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.ledger.memory import MemoryLedger

IDS = ["Ada-Ü", "grace", "Edsger W.", "straße"]
pytestmark = pytest.mark.usefixtures("no_backoff")


def webinar_row(number):
    return {"id": f"crm {number}", "email": f"p{number}@example.org", "first_name": "Ada", "last_name": "Lovelace"}


@pytest.mark.parametrize("how", ["upper", "lower", "nfd", "padded"])
@pytest.mark.parametrize("is_lost", [False, True])
def test_meetings_list_may_spell_ids_as_it_likes(
    how, is_lost, enroll_all, meeting, graph_session, emulator, enrolls, cancels, books_links
):
    emulator.set_switches(listed_as=how)
    if is_lost:
        emulator.add_fault("POST $batch", drop=True, when="after")

    report = enroll_all(IDS, settle_after=0.3)

    assert report.counts == {"enrolled": len(IDS)}
    assert {row["id"]: row["join_web_url"] for row in report.rows()} == books_links()
    assert cancels() == (IDS if is_lost else [])
    emulator.clear_journal()

    later = MeetingEvent(meeting, graph_session.rate_limiter)
    again = enroll_all(IDS, on=later, ledger=MemoryLedger(), settle_after=0.3)

    assert again.counts == {"already_enrolled": len(IDS)}
    assert enrolls() == []


def test_ids_of_one_list_that_differ_by_case_alone_are_two_people(enroll_all, emulator, books_links):
    emulator.add_fault("POST registration/registrants", registrant_id="ada", drop=True)

    report = enroll_all(["ada", "ADA"], settle_after=0.1)

    assert report.counts == {"enrolled": 2}
    assert sorted(books_links()) == ["ADA", "ada"]


@pytest.mark.parametrize("way", [True, False])
def test_webinars_registration_is_recognised_by_our_own_id(way, register_all, emulator, live, sent, put_on):
    emulator.set_switches(registration_key=way)
    put_on("p.1@example.org", external_registration_id="crm 1")

    report = register_all([webinar_row(1), webinar_row(2)], settle_after=0.3)

    assert report.counts == {"already_enrolled": 1, "enrolled": 1}
    assert len(live()) == 2
    assert sent() == ["crm 2"]


def test_id_that_several_people_have_tells_nobody(register_all, put_on, live):
    put_on("p1@example.org", external_registration_id="household")
    rows = [{**webinar_row(number), "id": "household"} for number in (1, 2)]

    report = register_all(rows, settle_after=0.3)

    assert report.counts == {"already_enrolled": 1, "enrolled": 1}
    assert sorted(live()) == ["p1@example.org", "p2@example.org"]


@pytest.mark.parametrize("others", [["ADA"], ["ADA", "Ada", "ADA"]], ids=["once", "three times"])
def test_person_in_another_spelling_is_taken_off_before_they_get_a_new_link(others, enroll_all, emulator, books_links):
    on_meeting = emulator.store.meeting(emulator.meeting_id)
    for name in others:
        emulator.store.enroll(on_meeting, name)

    report = enroll_all(["ada"], on_missing_join_url=OnMissingJoinUrl.RE_ENROLL)

    assert set(books_links()) == {"ada"}
    assert {row["id"]: row["join_web_url"] for row in report.rows()} == books_links()


def test_person_whom_the_list_spells_otherwise_than_it_takes_gets_a_new_link(enroll_all, emulator, books_links):
    emulator.set_switches(listed_as="upper")
    old = emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), "ada").join_web_url

    report = enroll_all(["ada"], on_missing_join_url=OnMissingJoinUrl.RE_ENROLL)

    assert {row["id"]: row["join_web_url"] for row in report.rows()} == books_links() != {"ada": old}


def test_cancelled_is_not_said_of_somebody_who_is_listed_otherwise(open_ledger, meeting, graph_session, emulator):
    emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), "ADA")

    report = cancel(MeetingEvent(meeting, graph_session.rate_limiter), ["ada", "grace"], ledger=open_ledger())

    assert report.counts == {"cancelled": 1, "rejected": 1}
    assert "Name the id as the list spells it" in report.rows()[0]["error"]
    assert [record.id for record in emulator.store.enrolled(emulator.meeting_id)] == ["ADA"]


@pytest.mark.parametrize(
    ("enrolled_as", "state", "outcome"),
    [
        ("Ada", RecordState.CLAIMED, "cancelled"),
        ("Ada", RecordState.DONE, "cancelled"),
        ("ada", RecordState.CLAIMED, "rejected"),
        ("ada", RecordState.DONE, "unknown"),
    ],
)
def test_cancelled_is_not_said_of_somebody_who_shows_late_and_otherwise(
    enrolled_as, state, outcome, open_ledger, meeting, graph_session, emulator
):
    sends = open_ledger(TaskRun("dag", "run", "enroll"))
    sends.start_attempt(emulator.meeting_id)
    known = Outcome.UNKNOWN if state is RecordState.CLAIMED else Outcome.ENROLLED
    sends.write([RegistrationRecord("Ada", "told", known, state)])
    emulator.set_switches(listed_as="lower", visibility_lag=0.4)
    emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), enrolled_as)

    ledger = open_ledger(TaskRun("dag", "run", "cancel"))
    report = cancel(MeetingEvent(meeting, graph_session.rate_limiter), ["Ada"], ledger=ledger, settle_after=1)

    assert report.counts == {outcome: 1}
    assert outcome == "cancelled" or "Name the id as the list spells it" in report.rows()[0]["error"]
    left = [record.id for record in emulator.store.enrolled(emulator.meeting_id)]
    assert left == ([] if outcome == "cancelled" else [enrolled_as])
