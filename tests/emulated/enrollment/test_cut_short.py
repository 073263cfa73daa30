"""What one bad moment of the service, of Entra, of the ledger or of the worker must not cost anybody."""

import threading
import time
from urllib.parse import quote

import pytest

from airflow_provider_teams_registration.core.state import OnMissingJoinUrl
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.exceptions import Fenced, LedgerFailure, SignInError
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant
from airflow_provider_teams_registration.ledger.memory import MemoryLedger
from airflow_provider_teams_registration.ledger.task_state import StateStoreLedger
from tests.state_store import Store

RE_ENROLL = OnMissingJoinUrl.RE_ENROLL


def people(count):
    return [f"person {number}" for number in range(count)]


def batches(emulator):
    return [entry for entry in emulator.store.journal if entry.path.endswith("$batch") and entry.method == "POST"]


def test_one_burst_of_throttling_costs_nobody_their_place(enroll_all, books_links, emulator):
    emulator.add_fault("POST $batch", times=8, status=429, retry_after="0.3")

    report = enroll_all(people(400), max_parallel_requests=8)

    assert report.counts == {"enrolled": 400}
    assert len(books_links()) == 400


def test_entra_in_trouble_for_a_moment_costs_nobody_their_place(enroll_all, books_links, emulator):
    emulator.set_switches(token_lifetime=2)
    emulator.add_fault("POST token", nth=2, status=503, retry_after="1")
    emulator.add_fault("POST $batch", delay=1.1)

    report = enroll_all(people(80), max_parallel_requests=1)

    assert report.counts == {"enrolled": 80}
    assert len(books_links()) == 80


def test_refusal_of_entra_ends_the_sending_and_is_said(enroll_all, emulator):
    emulator.set_switches(token_lifetime=2)
    emulator.add_fault("POST token", nth=2, times=0, status=401, code="invalid_client")
    emulator.add_fault("POST $batch", delay=1.1)

    report = enroll_all(people(200), max_parallel_requests=1)

    assert isinstance(report.aborted_by, SignInError)
    # Of those who were under way or lined up each was refused; nobody tries the others.
    untried = [row for row in report.rows() if row["error"] == "Not sent: Microsoft Entra issues no token any more"]
    assert len(untried) >= 120


def test_service_in_trouble_is_given_the_time_it_asks_for_after_a_write(enroll_all, books_links, emulator):
    emulator.add_fault("POST $batch", status=503, retry_after="0.6")

    report = enroll_all(people(40), max_parallel_requests=1, settle_after=1)

    assert report.counts == {"enrolled": 40}
    first, second, *_ = batches(emulator)
    assert second.at - first.at >= 0.6
    assert len(books_links()) == 40


def test_meetings_own_link_holds_nobody_up(enroll_all, emulator):
    emulator.add_fault(f"GET {quote(emulator.meeting_id, safe='')}", delay=5)

    assert enroll_all(people(3)).counts == {"enrolled": 3}

    assert [thread for thread in threading.enumerate() if thread.name.startswith("prepare")]


def test_attempt_that_was_overtaken_while_it_took_somebody_off_sends_nobody_else(
    enroll_all, open_ledger, meeting, graph_session, books_links, enrolls, emulator
):
    enroll_all(["there"], ledger=MemoryLedger())
    emulator.clear_journal()

    class Slow(MeetingEvent):
        def cancel(self, registrants):
            answers = super().cancel(registrants)
            enroll_all(["new"], ledger=open_ledger(), settle_after=0.2)
            return answers

    report = enroll_all(["there", "new"], on=Slow(meeting, graph_session.rate_limiter), on_missing_join_url=RE_ENROLL)

    assert isinstance(report.aborted_by, Fenced)
    assert enrolls() == ["new"]
    assert set(books_links()) == {"new"}


def test_several_records_of_somebody_go_one_by_one(enroll_all, emulator, meeting, books_links, cancels, enrolls):
    emulator.set_switches(duplicate="second_record")
    for _ in range(3):
        meeting.enroll([ExternalMeetingRegistrant("twin")])
    emulator.clear_journal()

    report = enroll_all(["twin", "new"], on_missing_join_url=RE_ENROLL)

    assert {row["id"]: row["join_web_url"] for row in report.rows()} == books_links()
    assert cancels() == ["twin"] * 3
    assert sorted(enrolls()) == ["new", "twin"]


def test_claim_that_took_too_long_is_made_once_more(enroll_all, enrolls):
    class SlowAtFirst(MemoryLedger):
        writes = 0

        def write(self, entries):
            written = super().write(entries)
            self.writes += 1
            if self.writes == 1:
                time.sleep(0.2)
            return written

    ledger = SlowAtFirst()

    report = enroll_all(["somebody"], ledger=ledger, settle_after=0.3)

    assert report.counts == {"enrolled": 1}
    assert enrolls() == ["somebody"]
    assert ledger.writes == 3


@pytest.fixture
def run_into_refusals(enroll_all, meeting, graph_session):
    """Enrolls people with the task's state, which refuses to store what follows the first call so often."""

    def run(store, times):
        class Fails(MeetingEvent):
            def enroll(self, registrants):
                answers = super().enroll(registrants)
                store.refusals_to_come = times
                return answers

        report = enroll_all(people(20), ledger=StateStoreLedger(store), on=Fails(meeting, graph_session.rate_limiter))
        store.refusals_to_come = 0
        assert isinstance(report.aborted_by, LedgerFailure)
        return [row["join_web_url"] for row in report.rows()]

    return run


def test_ledger_that_fails_once_has_the_links_all_the_same(run_into_refusals, enroll_all, books_links):
    store = Store()
    handed_out = run_into_refusals(store, times=1)

    again = enroll_all(people(20), ledger=StateStoreLedger(store))

    assert [row["join_web_url"] for row in again.rows()] == handed_out
    assert sorted(handed_out) == sorted(books_links().values())


def test_no_link_is_handed_on_that_the_ledger_does_not_have(run_into_refusals, enroll_all, books_links):
    store = Store()
    assert run_into_refusals(store, times=2) == [None] * 20

    again = enroll_all(people(20), ledger=StateStoreLedger(store), settle_after=0.1)

    assert sorted(row["join_web_url"] for row in again.rows()) == sorted(books_links().values())
