"""Runs that overlap and share no ledger find, at their end, whom they enrolled twice."""

import threading
from concurrent.futures import ThreadPoolExecutor

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.ledger.memory import MemoryLedger
from tests.emulated.enrollment.conftest import QUICK

OPTIONS = SendingOptions(**QUICK, finds_double_enrollments=True)
DATES = 3


def overlapping(make, rows):
    """Run the same task for several dates at once: all have read the list before any of them sends."""
    all_have_read = threading.Barrier(DATES, timeout=30)

    def run(date):
        event = make()
        present = event.present

        def present_for_all(registrants):
            found = present(registrants)
            all_have_read.wait()
            return found

        event.present = present_for_all
        return enroll(event, rows, ledger=MemoryLedger(TaskRun("dag", str(date), "enroll")), options=OPTIONS)

    with ThreadPoolExecutor(DATES) as threads:
        return list(threads.map(run, range(DATES)))


def test_three_overlapping_dates_on_a_meeting_end_with_the_positions_of_doubles(emulator, meeting, graph_session):
    emulator.set_switches(duplicate="second_record")
    people = [f"canary-{number}" for number in range(30)]

    reports = overlapping(lambda: MeetingEvent(meeting, graph_session.rate_limiter), people)

    assert len(emulator.store.enrolled(emulator.meeting_id)) == 30 * DATES
    # At least the run that ends last sees all of them.
    worst = max(reports, key=lambda report: len(report.double_enrollments.twice))
    assert worst.double_enrollments.twice == tuple(range(1, 31))
    said = worst.double_enrollments.sentence()
    assert "30 registrants are on the event more than once (rows 1, 2, 3" in said
    assert "canary" not in said


def test_three_overlapping_dates_on_a_webinar_end_with_the_positions_of_doubles(emulator, open_event):
    emulator.set_switches(duplicate="second_record")
    people = [
        {"id": f"crm {one}", "email": f"canary{one}@example.org", "first_name": "Ada", "last_name": "Lovelace"}
        for one in range(5)
    ]

    reports = overlapping(open_event, people)

    assert max(report.double_enrollments.twice for report in reports) == (1, 2, 3, 4, 5)


def test_link_that_another_run_ended_is_found_by_its_position(emulator, open_event, put_on):
    people = [
        {"id": f"crm {one}", "email": f"ada{one}@example.org", "first_name": "Ada", "last_name": "Lovelace"}
        for one in range(2)
    ]
    event = open_event()
    listed = event.listed

    def after_another_run(keys):
        (first, *_) = emulator.store.webinars.registrations(emulator.webinar_id)
        emulator.store.webinars.cancel(emulator.webinar_id, first.id)
        put_on(first.email)
        return listed(keys)

    event.listed = after_another_run
    report = enroll(event, people, ledger=MemoryLedger(), options=OPTIONS)

    assert report.counts == {"enrolled": 2}
    assert (report.double_enrollments.twice, report.double_enrollments.ended) == ((), (1,))


def test_list_that_may_not_be_read_proves_nothing(emulator, open_event):
    people = [{"email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace"}]
    emulator.add_fault("GET registrations", times=0, status=403)

    report = enroll(open_event(), people, ledger=MemoryLedger(), options=OPTIONS)

    assert report.counts == {"enrolled": 1}
    assert not report.double_enrollments


def test_run_that_sends_nobody_reads_the_event_no_second_time(emulator, meeting, graph_session):
    def lists():
        emulator.clear_journal()
        event = MeetingEvent(meeting, graph_session.rate_limiter)
        enroll(event, ["ada"], ledger=MemoryLedger(), options=OPTIONS)
        return sum(one.path.endswith("/registrants") for one in emulator.store.journal if one.method == "GET")

    assert (lists(), lists()) == (2, 1)
