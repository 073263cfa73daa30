"""Who is enrolled once stays enrolled once, whoever runs again, at the same time, or after a stop."""

import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.core.state import OnMissingJoinUrl
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.result_buffer import ResultBuffer
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested, SendingOptions
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.exceptions import Fenced, LedgerFailure, Stopped
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting

REGISTRANTS = "POST registration/registrants"
RUN = TaskRun("dag", "run 1", "enroll")
NEXT_RUN = TaskRun("dag", "run 2", "enroll")
OTHER_DAG = TaskRun("other dag", "run 1", "enroll")
PEOPLE = [{"id": f"person {number}", "seat": number} for number in range(60)]
NAMES = [person["id"] for person in PEOPLE]


class Held(MeetingEvent):
    """The meeting, whose first call is answered only once it is let go."""

    def __init__(self, meeting, rate_limiter):
        super().__init__(meeting, rate_limiter)
        self.is_made, self.let_go = threading.Event(), threading.Event()

    def enroll(self, registrants):
        answers = super().enroll(registrants)
        if not self.is_made.is_set():
            self.is_made.set()
            assert self.let_go.wait(20)
        return answers


class StopsAfter(MeetingEvent):
    """The meeting, which has the run stopped while a certain call is under way."""

    def __init__(self, meeting, rate_limiter, calls):
        super().__init__(meeting, rate_limiter)
        self.stop, self._calls = threading.Event(), calls

    def enroll(self, registrants):
        self._calls -= 1
        if self._calls == 0:
            self.stop.set()
        return super().enroll(registrants)


def links(report):
    return {row["id"]: row["join_web_url"] for row in report.rows()}


def writes(emulator):
    return [entry for entry in emulator.store.journal if entry.method != "GET"]


@pytest.mark.parametrize("duplicate", ["same", "new_link", "conflict", "bad_request", "second_record"])
@pytest.mark.parametrize(
    ("again", "outcome"), [(RUN, "enrolled"), (NEXT_RUN, "already_enrolled"), (OTHER_DAG, "already_enrolled")]
)
def test_re_run_writes_nothing_and_hands_out_the_same_links(
    duplicate, again, outcome, enroll_all, emulator, books_links
):
    emulator.set_switches(duplicate=duplicate)
    first = enroll_all(PEOPLE)
    emulator.clear_journal()

    report = enroll_all(PEOPLE, as_run=again)

    assert report.counts == {outcome: len(PEOPLE)}
    assert links(report) == links(first) == books_links()
    assert {row["error"] for row in report.rows()} == {None}
    assert report.links_missing == report.changed == 0
    assert writes(emulator) == []
    # The registration, the meeting's own link and the first page of its people.
    assert [entry.method for entry in emulator.store.journal] == ["GET"] * 3


def test_link_outlives_many_runs_and_the_run_that_enrolled_stays_known(enroll_all, open_ledger, books_links):
    enroll_all(PEOPLE)
    for number in range(3):
        assert enroll_all(PEOPLE, as_run=TaskRun("dag", f"later {number}", "enroll")).counts == {"already_enrolled": 60}

    assert enroll_all(PEOPLE).counts == {"enrolled": 60}
    assert links(enroll_all(PEOPLE)) == books_links()


@pytest.mark.parametrize("again", [RUN, NEXT_RUN])
@pytest.mark.parametrize(("policy", "missing"), [("fail", 60), ("ignore", 0)])
def test_re_run_with_a_ledger_that_keeps_no_links_writes_nothing_and_says_what_is_missing(
    again, policy, missing, enroll_all, emulator, open_ledger, books_links
):
    first = enroll_all(PEOPLE, ledger=open_ledger(RUN, store_join_urls=False))
    assert links(first) == books_links()
    emulator.clear_journal()

    report = enroll_all(
        PEOPLE, ledger=open_ledger(again, store_join_urls=False), on_missing_join_url=OnMissingJoinUrl(policy)
    )

    assert report.counts == {"already_enrolled": 60}
    assert set(links(report).values()) == {None}
    assert {row["error"] for row in report.rows()} == {"enrolled earlier, and the ledger holds no link for them"}
    assert report.links_missing == missing
    assert writes(emulator) == []
    assert links(first) == books_links()


def test_re_run_with_a_ledger_that_keeps_no_links_gets_new_ones_on_demand(
    enroll_all, emulator, open_ledger, books_links
):
    first = enroll_all(PEOPLE, ledger=open_ledger(RUN, store_join_urls=False))

    report = enroll_all(
        PEOPLE,
        ledger=open_ledger(NEXT_RUN, store_join_urls=False),
        on_missing_join_url=OnMissingJoinUrl.RE_ENROLL,
    )

    assert report.counts == {"enrolled": 60}
    assert links(report) == books_links()
    assert not {*links(report).values()} & {*links(first).values()}


def test_only_new_people_are_sent(enroll_all, emulator, books_links, enrolls):
    enroll_all(PEOPLE[:30])
    emulator.clear_journal()

    report = enroll_all(PEOPLE, as_run=NEXT_RUN)

    assert report.counts == {"already_enrolled": 30, "enrolled": 30}
    assert sorted(enrolls()) == sorted(NAMES[30:])
    assert links(report) == books_links()


def test_columns_that_graph_is_not_told_may_change(enroll_all, emulator):
    enroll_all(PEOPLE)
    emulator.clear_journal()

    report = enroll_all([{**person, "seat": "another"} for person in PEOPLE], as_run=NEXT_RUN)

    assert (report.counts, report.changed) == ({"already_enrolled": 60}, 0)
    assert report.rows()[0]["seat"] == "another"
    assert writes(emulator) == []


@pytest.mark.parametrize(("again", "outcome"), [(RUN, "enrolled"), (NEXT_RUN, "already_enrolled")])
def test_row_that_changed_under_the_same_id_is_reported_and_not_sent_again(
    again, outcome, enroll_all, graph_session, emulator
):
    meeting = OnlineMeeting(graph_session, emulator.organization_meeting_id, emulator.organizer_id)
    organization = MeetingEvent(meeting, graph_session.rate_limiter)
    rows = [{"id": name, "tenant_id": emulator.tenant_id, "user_id": str(uuid.uuid4())} for name in ("a", "b")]
    first = enroll_all(rows, on=organization)
    emulator.clear_journal()

    report = enroll_all([rows[0], {**rows[1], "user_id": str(uuid.uuid4())}], on=organization, as_run=again)

    assert report.counts == {outcome: 2}
    assert report.changed == 1
    assert links(report) == links(first)
    same, changed = report.enrollments
    assert (same.is_changed, changed.is_changed) == (False, True)
    assert "the row changed since they were enrolled" in changed.error
    assert "(row 2)" in report.error_summary()
    assert writes(emulator) == []
    on_it = {record.id: record.user_id for record in emulator.store.enrolled(emulator.organization_meeting_id)}
    assert on_it == {row["id"]: row["user_id"] for row in rows}


def test_rejected_people_are_sent_again_on_the_next_run(enroll_all, emulator, books_links, enrolls):
    emulator.add_fault(REGISTRANTS, registrant_id=NAMES[3], status=400, code="Full", message="The meeting is full.")
    assert enroll_all(PEOPLE).counts == {"enrolled": 59, "rejected": 1}
    emulator.clear_journal()

    report = enroll_all(PEOPLE)

    assert report.counts == {"enrolled": 60}
    assert enrolls() == [NAMES[3]]
    assert links(report) == books_links()


@pytest.mark.parametrize("duplicate", ["same", "new_link", "conflict", "bad_request", "second_record"])
def test_two_runs_at_once_enroll_everybody_once_and_both_get_all_links(
    duplicate, enroll_all, emulator, books_links, enrolls
):
    emulator.set_switches(duplicate=duplicate, latency=0.02)
    ready = threading.Barrier(2)

    def run(as_run, rows):
        ready.wait()
        return enroll_all(rows, as_run=as_run, settle_after=20)

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(run, [RUN, OTHER_DAG], [PEOPLE, PEOPLE[::-1]])

    assert Counter(enrolls()) == Counter(NAMES)
    assert links(one) == links(other) == books_links()
    assert one.counts.get("enrolled", 0) + other.counts.get("enrolled", 0) == 60
    assert one.counts.get("already_enrolled", 0) + other.counts.get("already_enrolled", 0) == 60


def test_run_waits_for_the_link_of_somebody_whom_another_run_is_enrolling(
    enroll_all, meeting, graph_session, enrolls, books_links
):
    held = Held(meeting, graph_session.rate_limiter)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(enroll_all, PEOPLE[:20], on=held)
        assert held.is_made.wait(20)
        other = threads.submit(enroll_all, PEOPLE[:40], as_run=OTHER_DAG, settle_after=20)
        held.let_go.set()

    assert one.result().counts == {"enrolled": 20}
    assert other.result().counts == {"enrolled": 20, "already_enrolled": 20}
    assert links(other.result()) == books_links()
    assert Counter(enrolls()) == Counter(NAMES[:40])


@pytest.mark.parametrize("duplicate", ["same", "new_link", "conflict", "bad_request", "second_record"])
def test_older_of_two_live_attempts_is_fenced_off(
    duplicate, enroll_all, emulator, meeting, graph_session, books_links, enrolls, cancels
):
    emulator.set_switches(duplicate=duplicate)
    held = Held(meeting, graph_session.rate_limiter)
    with ThreadPoolExecutor(1) as threads:
        older = threads.submit(enroll_all, PEOPLE, on=held, max_parallel_requests=1, settle_after=1)
        assert held.is_made.wait(20)
        newer = enroll_all(PEOPLE, settle_after=1)
        held.let_go.set()

    assert isinstance(older.result().aborted_by, Fenced)
    assert {row["join_web_url"] for row in older.result().rows()} == {None}
    assert set(older.result().counts) <= {"unknown", "not_sent"}
    assert newer.aborted_by is None
    assert newer.counts == {"enrolled": 60}
    assert links(newer) == books_links()
    # The link of those in the older one's call was lost to the newer one, which gave them another.
    assert Counter(cancels()) == Counter(NAMES[:20])
    assert Counter(enrolls()) == Counter(NAMES + NAMES[:20])
    assert links(enroll_all(PEOPLE)) == books_links()


def test_rows_of_an_attempt_that_was_fenced_off_do_not_mix_with_those_of_the_newer_one(
    open_ledger, meeting, graph_session, books_links
):
    held = Held(meeting, graph_session.rate_limiter)
    ledgers = [open_ledger(), open_ledger()]
    older, newer = (ResultBuffer(10, ledger) for ledger in ledgers)
    with ThreadPoolExecutor(1) as threads:
        options = SendingOptions(settle_after=1)
        first = threads.submit(enroll, held, PEOPLE, ledger=ledgers[0], keep=older.add, options=options)
        assert held.is_made.wait(20)
        event = MeetingEvent(meeting, graph_session.rate_limiter)
        held_back = enroll(event, PEOPLE, ledger=ledgers[1], keep=newer.add, options=options)
        held.let_go.set()

    assert isinstance(first.result().aborted_by, Fenced)
    assert held_back.aborted_by is None
    rows = ledgers[1].read_results(ledgers[1].run_key, ledgers[1].attempt, 0, 100)
    assert {row["id"]: row["join_web_url"] for row in rows} == books_links()
    assert [row["outcome"] for row in rows] == ["enrolled"] * 60


@pytest.mark.parametrize("again", [RUN, NEXT_RUN])
def test_run_that_was_stopped_goes_on_and_sends_only_the_rest(
    again, enroll_all, meeting, graph_session, emulator, books_links, enrolls
):
    stopping = StopsAfter(meeting, graph_session.rate_limiter, calls=2)
    first = enroll_all(PEOPLE, on=stopping, stop=stopping.stop, max_parallel_requests=1)
    assert isinstance(first.aborted_by, Stopped)
    assert first.counts == {"enrolled": 40, "not_sent": 20}
    emulator.clear_journal()

    report = enroll_all(PEOPLE, as_run=again)

    assert sorted(enrolls()) == sorted(NAMES[40:])
    assert links(report) == books_links()
    assert [row["join_web_url"] for row in report.rows()[:40]] == [row["join_web_url"] for row in first.rows()[:40]]


def test_deferral_ends_with_everything_so_far_in_the_ledger_and_the_next_call_goes_on(
    enroll_all, emulator, books_links, enrolls, open_ledger
):
    emulator.add_fault("POST $batch", nth=3, status=429, retry_after="0.4")

    first = enroll_all(PEOPLE, max_parallel_requests=1, defer_over=0.1)

    assert isinstance(first.aborted_by, DeferRequested)
    assert 0.1 < first.aborted_by.seconds <= 0.4
    assert first.counts == {"enrolled": 40, "not_sent": 20}
    assert links(first) == {**dict.fromkeys(NAMES), **books_links()}
    ledger = open_ledger(TaskRun("reader"))
    ledger.start_attempt(emulator.meeting_id)
    kept = ledger.load(NAMES)
    assert {name: entry.join_web_url for name, entry in kept.items() if entry.outcome is Outcome.ENROLLED} == (
        books_links()
    )

    report = enroll_all(PEOPLE, defer_over=10)

    assert report.counts == {"enrolled": 60}
    assert report.aborted_by is None
    assert links(report) == books_links()
    assert Counter(enrolls()) == Counter(NAMES)


def test_short_wait_is_sat_through(enroll_all, emulator):
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="0.1")

    assert enroll_all(PEOPLE, defer_over=1).aborted_by is None


MANY = [{"id": f"person {number}"} for number in range(2050)] + [{"id": ""}, {"id": "person 2049"}]


def test_long_list_that_is_cut_short_accounts_for_every_row(enroll_all, meeting, graph_session, emulator, books_links):
    enroll_all(MANY[1500:1600])
    stopping = StopsAfter(meeting, graph_session.rate_limiter, calls=2)

    report = enroll_all(MANY, on=stopping, stop=stopping.stop, max_parallel_requests=1, rows_at_once=1000)

    assert isinstance(report.aborted_by, Stopped)
    assert report.counts == {"enrolled": 140, "invalid": 1, "not_sent": 1910}
    assert report.repeated == 1
    assert {row["id"]: row["join_web_url"] for row in report.rows() if row["join_web_url"]} == books_links()
    assert [row["outcome"] for row in report.rows()[1500:1600]] == ["enrolled"] * 100


def test_source_that_breaks_on_the_way_does_not_lose_those_who_are_enrolled(event, open_ledger, books_links):
    def rows():
        yield from MANY[:1200]
        raise ConnectionError

    report = enroll(event, rows(), ledger=open_ledger(), options=SendingOptions(rows_at_once=1000))

    assert isinstance(report.aborted_by, ConnectionError)
    assert report.counts == {"enrolled": 1000}
    assert links(report) == books_links()


def test_source_that_breaks_before_anybody_is_sent_is_said(event, open_ledger):
    def rows():
        raise ConnectionError
        yield

    with pytest.raises(ConnectionError):
        enroll(event, rows(), ledger=open_ledger())


def test_ledger_that_breaks_on_the_way_sends_no_more_and_forgets_nobody(
    enroll_all, open_ledger, meeting, graph_session, tmp_path, emulator, books_links, enrolls
):
    class Breaks(MeetingEvent):
        def enroll(self, registrants):
            answers = super().enroll(registrants)
            if registrants[0].key == NAMES[0]:
                database = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
                with database.begin() as connection:
                    connection.execute(sa.text("ALTER TABLE teams_registration_ledger RENAME TO gone"))
                database.dispose()
            return answers

    event = Breaks(meeting, graph_session.rate_limiter)
    report = enroll_all(PEOPLE, on=event, ledger=open_ledger(max_tries=1), max_parallel_requests=1)

    assert isinstance(report.aborted_by, LedgerFailure)
    # The call that was lined up, and in the ledger as sent, may have gone meanwhile.
    assert report.counts in ({"unknown": 20, "not_sent": 40}, {"unknown": 40, "not_sent": 20})
    assert not any(row["join_web_url"] for row in report.rows())
    assert Counter(enrolls()) == Counter(NAMES[: report.counts["unknown"]])
