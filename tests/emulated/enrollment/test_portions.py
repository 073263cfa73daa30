"""Long lists are read ahead in portions, which flow into one another and end in input order."""

import threading
from collections import Counter

import pytest

from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.exceptions import LedgerFailure, Stopped

PEOPLE = [{"id": f"person {number}"} for number in range(400)]
IN_FOUR = SendingOptions(rows_at_once=100)
LONGEST = 30


class HoldsFirst(MeetingEvent):
    """A meeting whose first call is answered only once a person of a later portion is being enrolled."""

    def __init__(self, meeting, rate_limiter, until):
        super().__init__(meeting, rate_limiter)
        self._until = until
        self._is_reached = threading.Event()
        self.waited = None

    def enroll(self, registrants):
        keys = [one.key for one in registrants]
        if self._until in keys:
            self._is_reached.set()
        answers = super().enroll(registrants)
        if PEOPLE[0]["id"] in keys:
            self.waited = self._is_reached.wait(LONGEST)
        return answers


def links(report):
    return {row["id"]: row["join_web_url"] for row in report.rows()}


def test_next_portions_are_sent_while_a_call_of_the_first_is_under_way(
    meeting, graph_session, open_ledger, books_links
):
    event = HoldsFirst(meeting, graph_session.rate_limiter, until="person 299")

    report = enroll(event, PEOPLE, ledger=open_ledger(), options=IN_FOUR)

    assert event.waited
    assert report.counts == {"enrolled": 400}
    assert links(report) == books_links()
    assert [row["id"] for row in report.rows()] == [row["id"] for row in PEOPLE]


def test_input_is_not_read_further_than_a_few_portions_while_the_first_is_open(meeting, graph_session, open_ledger):
    read = []

    def rows():
        for number in range(700):
            read.append(number)
            yield {"id": f"person {number}"}

    event = HoldsFirst(meeting, graph_session.rate_limiter, until="person 299")
    furthest = []
    enrolls = event.enroll

    def enroll_and_note(registrants):
        answers = enrolls(registrants)
        if registrants[0].key == "person 0":
            furthest.append(len(read))
        return answers

    event.enroll = enroll_and_note

    report = enroll(event, rows(), ledger=open_ledger(), options=IN_FOUR)

    assert report.counts == {"enrolled": 700}
    assert furthest[0] <= 400


def test_source_that_breaks_leaves_nobody_unanswered_who_was_read_before(event, open_ledger, books_links):
    def rows():
        yield from PEOPLE[:250]
        raise ConnectionError

    report = enroll(event, rows(), ledger=open_ledger(), options=IN_FOUR)

    assert isinstance(report.aborted_by, ConnectionError)
    assert report.counts == {"enrolled": 200}
    assert links(report) == books_links()


def test_rows_that_cannot_be_stored_end_the_run_and_are_counted(event, open_ledger, enrolls):
    kept = []

    def keep(enrollments):
        kept.extend([len(enrollments)] * bool(enrollments))
        if len(kept) == 1:
            raise LedgerFailure("The database is full.")

    report = enroll(
        event,
        PEOPLE,
        ledger=open_ledger(),
        keep=keep,
        options=SendingOptions(rows_at_once=100, max_parallel_requests=1),
    )

    assert isinstance(report.aborted_by, LedgerFailure)
    assert kept == [100, 100, 100, 100]
    assert sum(report.counts.values()) == 400
    assert report.counts["enrolled"] == len(set(enrolls())) < 400
    assert Counter(enrolls()).most_common(1)[0][1] == 1


@pytest.mark.parametrize("rows_at_once", [100, 250, 251, 4000])
def test_rows_of_one_person_that_differ_are_found_wherever_the_slices_end(rows_at_once, event, open_ledger):
    differing = [{"id": "person 0", "name": "Ada"}, *PEOPLE[1:300], {"id": "person 0", "name": "Bea"}]

    report = enroll(event, differing, ledger=open_ledger(), options=SendingOptions(rows_at_once=rows_at_once))

    expected = {"enrolled": 299, "invalid": 2} if rows_at_once == 4000 else {"enrolled": 300, "invalid": 1}
    assert report.counts == expected


def test_people_to_cancel_are_reported_in_input_order_over_several_portions(emulator, event, open_ledger):
    meeting = emulator.store.meeting(emulator.meeting_id)
    people = [{"id": f"person {number}"} for number in range(1100)]
    for row in people[:500]:
        emulator.store.enroll(meeting, row["id"])
    rows = [*people, {"id": ""}, people[0]]

    report = cancel(event, rows, ledger=open_ledger())

    assert report.counts == {"cancelled": 1100, "invalid": 1}
    assert report.repeated == 1
    assert [row["id"] for row in report.rows()] == [row["id"] for row in rows[:1101]]
    assert emulator.store.enrolled(emulator.meeting_id) == []


def test_run_that_is_stopped_accounts_for_rows_that_it_has_not_read(meeting, graph_session, open_ledger, books_links):
    stop = threading.Event()

    class Stops(MeetingEvent):
        def enroll(self, registrants):
            answers = super().enroll(registrants)
            stop.set()
            return answers

    options = SendingOptions(rows_at_once=100, max_parallel_requests=1)
    event = Stops(meeting, graph_session.rate_limiter)

    report = enroll(event, PEOPLE, ledger=open_ledger(), options=options, stop=stop)

    assert isinstance(report.aborted_by, Stopped)
    assert sum(report.counts.values()) == 400
    assert report.counts["enrolled"] == len(books_links())
    assert report.counts["not_sent"] == 400 - len(books_links())
