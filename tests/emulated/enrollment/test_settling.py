"""What became of a send whose answer was lost, and of people whom somebody else enrolled."""

from collections import Counter

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord, TaskRun
from airflow_provider_teams_registration.core.state import OnMissingJoinUrl
from airflow_provider_teams_registration.events.base import Registrant
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant

REGISTRANTS = "POST registration/registrants"
DUPLICATES = ["same", "new_link", "conflict", "bad_request", "second_record"]
PEOPLE = [f"person {number}" for number in range(5)]
LOST = {
    "dropped": {"route": "POST $batch", "drop": True},
    "503": {"route": "POST $batch", "status": 503},
    "half an answer": {"route": "POST $batch", "half": True},
    "left out": {"route": REGISTRANTS, "registrant_id": PEOPLE[1], "omit": True},
}

every_duplicate = pytest.mark.parametrize("duplicate", DUPLICATES)
every_lag = pytest.mark.parametrize("lag", [0, 0.4], ids=["at once", "late"])


def settle_after(lag):
    return 0.7 if lag else 0.05


def links(report):
    return {row["id"]: row["join_web_url"] for row in report.rows()}


def somebody_elses(emulator, *names):
    meeting = emulator.store.meeting(emulator.meeting_id)
    return [emulator.store.enroll(meeting, name).join_web_url for name in names]


def in_flight(ledger, event, name):
    """Leave behind what a run does that was killed right after it wrote that it sends somebody."""
    ledger.start_attempt(event.id)
    fingerprint = Registrant(1, {}, name, ExternalMeetingRegistrant(name)).fingerprint
    ledger.write([RegistrationRecord(name, fingerprint, Outcome.UNKNOWN, RecordState.CLAIMED)])


@every_duplicate
@every_lag
@pytest.mark.parametrize("how", list(LOST))
@pytest.mark.parametrize("when", ["before", "after"])
def test_lost_answer_leaves_everybody_on_the_meeting_once_with_their_own_link(
    duplicate, lag, how, when, enroll_all, emulator, books_links, enrolls, cancels, open_ledger
):
    emulator.set_switches(duplicate=duplicate, visibility_lag=lag)
    emulator.add_fault(**{**LOST[how], "when": when})

    report = enroll_all(PEOPLE, settle_after=settle_after(lag))

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == books_links()
    assert set(links(report)) == set(PEOPLE)
    made, taken_off = Counter(enrolls()), Counter(cancels())
    assert all(made[name] <= 1 + taken_off[name] + (when == "before") for name in PEOPLE)
    assert max(taken_off.values(), default=0) == (when == "after")
    after_it = open_ledger(TaskRun("reader"))
    after_it.start_attempt(emulator.meeting_id)
    assert {name: entry.join_web_url for name, entry in after_it.load(PEOPLE).items()} == books_links()


@every_duplicate
@every_lag
def test_answers_lost_twice_in_a_row_leave_everybody_on_the_meeting_once(
    duplicate, lag, enroll_all, emulator, books_links
):
    emulator.set_switches(duplicate=duplicate, visibility_lag=lag)
    emulator.add_fault(REGISTRANTS, registrant_id=PEOPLE[0], drop=True, when="after", times=2)
    emulator.add_fault(REGISTRANTS, registrant_id=PEOPLE[1], status=503, when="before", times=2)

    report = enroll_all(PEOPLE, settle_after=settle_after(lag))

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == books_links()


@every_duplicate
@pytest.mark.parametrize("when", ["before", "after"])
def test_lost_answer_to_a_cancellation_leaves_nobody_twice_or_off(duplicate, when, enroll_all, emulator, books_links):
    emulator.set_switches(duplicate=duplicate)
    emulator.add_fault(REGISTRANTS, registrant_id=PEOPLE[0], omit=True, when="after")
    emulator.add_fault("DELETE registrants/*", drop=True, when=when)

    report = enroll_all(PEOPLE, settle_after=0.05)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == books_links()


def test_throttled_cancellation_is_sent_again(enroll_all, emulator, books_links, cancels):
    emulator.add_fault(REGISTRANTS, registrant_id=PEOPLE[0], omit=True, when="after")
    emulator.add_fault("DELETE registrants/*", status=429, retry_after="0")

    report = enroll_all(PEOPLE)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == books_links()
    assert cancels() == [PEOPLE[0]] * 2


def test_person_who_cannot_be_taken_off_stays_unknown_for_the_next_run_to_repair(
    enroll_all, emulator, books_links, enrolls
):
    emulator.add_fault(REGISTRANTS, registrant_id=PEOPLE[0], omit=True, when="after")
    emulator.add_fault("DELETE registrants/*", status=403, code="Forbidden", times=0)

    report = enroll_all(PEOPLE)

    assert report.counts == {"enrolled": len(PEOPLE) - 1, "unknown": 1}
    first, *others = report.rows()
    assert first["join_web_url"] is None
    assert "could not be taken off for a new link: 403 Forbidden" in first["error"]
    assert {row["id"]: row["join_web_url"] for row in others} == {name: books_links()[name] for name in PEOPLE[1:]}
    assert Counter(enrolls()) == Counter(PEOPLE)


@every_duplicate
@every_lag
@pytest.mark.parametrize("has_landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize(
    "as_run", [TaskRun("dag", "run 1", "enroll"), TaskRun("dag", "run 2", "enroll")], ids=["retry", "next"]
)
def test_person_whom_a_killed_run_left_in_flight_is_on_the_meeting_once(
    duplicate, lag, has_landed, as_run, enroll_all, event, emulator, books_links, open_ledger
):
    emulator.set_switches(duplicate=duplicate, visibility_lag=lag)
    in_flight(open_ledger(), event, PEOPLE[0])
    if has_landed:
        somebody_elses(emulator, PEOPLE[0])

    report = enroll_all(PEOPLE, as_run=as_run, settle_after=settle_after(lag))

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == books_links()


def test_all_records_of_a_person_in_flight_go_before_they_are_sent_again(
    enroll_all, event, emulator, books_links, open_ledger
):
    in_flight(open_ledger(), event, PEOPLE[0])
    somebody_elses(emulator, PEOPLE[0], PEOPLE[0], PEOPLE[0])

    report = enroll_all(PEOPLE, settle_after=0.05)

    assert links(report) == books_links()


def test_link_that_the_list_shows_is_taken_from_there(enroll_all, emulator, books_links, enrolls, cancels):
    emulator.set_switches(list_shows_links=True)
    somebody_elses(emulator, PEOPLE[1])
    emulator.add_fault("POST $batch", drop=True, when="after")

    report = enroll_all(PEOPLE)

    assert report.counts == {"enrolled": 4, "already_enrolled": 1}
    assert links(report) == books_links()
    assert sorted(enrolls()) == sorted({*PEOPLE} - {PEOPLE[1]})
    assert cancels() == []


@every_duplicate
@pytest.mark.parametrize(("policy", "is_missing"), [("fail", True), ("ignore", False)])
def test_somebody_elses_people_are_left_alone(
    duplicate, policy, is_missing, enroll_all, emulator, books_links, enrolls, cancels
):
    emulator.set_switches(duplicate=duplicate)
    (link,) = somebody_elses(emulator, PEOPLE[1])

    report = enroll_all(PEOPLE, on_missing_join_url=OnMissingJoinUrl(policy))

    assert report.counts == {"enrolled": 4, "already_enrolled": 1}
    theirs = report.enrollments[1]
    assert (theirs.outcome, theirs.join_web_url, theirs.is_link_missing) == ("already_enrolled", None, is_missing)
    assert "enrolled by somebody else" in theirs.error
    assert report.links_missing == is_missing
    assert books_links()[PEOPLE[1]] == link
    assert PEOPLE[1] not in enrolls()
    assert cancels() == []


@every_duplicate
@pytest.mark.parametrize("records", [1, 2])
def test_somebody_elses_people_get_a_new_link_on_demand(
    duplicate, records, enroll_all, emulator, books_links, enrolls, cancels
):
    emulator.set_switches(duplicate=duplicate)
    old = somebody_elses(emulator, *[PEOPLE[1]] * records)

    report = enroll_all(PEOPLE, on_missing_join_url=OnMissingJoinUrl.RE_ENROLL)

    assert report.counts == {"enrolled": 5}
    assert links(report) == books_links()
    assert links(report)[PEOPLE[1]] not in old
    assert cancels() == [PEOPLE[1]] * records
    assert Counter(enrolls()) == Counter(PEOPLE)


@pytest.mark.parametrize("duplicate", ["conflict", "bad_request"])
def test_person_whom_somebody_else_enrolls_after_we_looked_is_already_enrolled(
    duplicate, enroll_all, emulator, meeting, graph_session, books_links
):
    class Overtaken(MeetingEvent):
        def enroll(self, registrants):
            somebody_elses(emulator, PEOPLE[1])
            return super().enroll(registrants)

    emulator.set_switches(duplicate=duplicate)

    report = enroll_all(PEOPLE, on=Overtaken(meeting, graph_session.rate_limiter))

    assert report.counts == {"enrolled": 4, "already_enrolled": 1}
    assert report.enrollments[1].is_link_missing
    assert set(books_links()) == set(PEOPLE)


def test_meeting_that_takes_nobody_more_says_so_for_each_and_keeps_the_reason(enroll_all, emulator, open_ledger, event):
    emulator.add_fault(REGISTRANTS, registrant_id=PEOPLE[1], status=400, code="Full", message="The meeting is full.")

    report = enroll_all(PEOPLE)

    assert report.counts == {"enrolled": 4, "rejected": 1}
    ledger = open_ledger(TaskRun("reader"))
    ledger.start_attempt(event.id)
    kept = ledger.load(PEOPLE)[PEOPLE[1]]
    assert (kept.outcome, kept.error_code, kept.error) == ("rejected", "Full", "400 Full: The meeting is full.")
    assert kept.request_id in report.enrollments[1].error
