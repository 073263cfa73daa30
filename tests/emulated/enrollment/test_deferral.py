"""A run that is deferred while the write quota refills, and runs that share the quota through the ledger."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_teams_registration.core.quota import ResumeTime
from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.resumption import Resumption
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested, SendingOptions
from airflow_provider_teams_registration.graph.write_quota import WriteQuota
from tests.emulated.enrollment.conftest import QUICK

LIMIT, WINDOW = 15, 1.5


def people(number):
    return [
        {"id": f"crm {one}", "email": f"person{one}@example.org", "first_name": "Ada", "last_name": f"Example {one}"}
        for one in range(number)
    ]


@pytest.fixture
def limited(emulator, graph_session, open_event):
    """Makes the webinar anew for each attempt, as Airflow does; the service counts writes in a short window."""
    emulator.set_switches(duplicate="second_record")

    def make(window=WINDOW):
        emulator.set_switches(write_limit=LIMIT, write_window=window)
        event = open_event()
        event.rate_limiter = WriteQuota(graph_session.rate_limiter, LIMIT, window, key="app")
        return event

    return make


@pytest.fixture
def attempt(limited, open_ledger):
    """Runs one attempt of a task that may be deferred."""

    def run(rows, deferred_by=None):
        resumption = Resumption(deferred_by)
        if deferred_by is None:
            resumption.time = ResumeTime(0.05, 0.02)
        ledger = open_ledger()
        options = SendingOptions(**QUICK, defer_over=45, defer_quota_over=0.5)
        return enroll(limited(), rows, ledger=ledger, options=options, resumption=resumption), ledger

    return run


@pytest.fixture
def reads(emulator):
    """Counts the reads of the form and of the list."""

    def count():
        paths = [one.path for one in emulator.store.journal if one.method == "GET" and one.batch is None]
        return {
            "form": sum(path.endswith("/questions") for path in paths),
            "list": sum(path.endswith("/registrations") for path in paths),
        }

    return count


def statuses(emulator):
    return [one.status for one in emulator.store.journal if one.method == "POST" and one.batch is not None]


def test_deferred_run_goes_on_without_reading_form_or_list_again(attempt, emulator, live, reads):
    everybody = people(50)
    emulator.add_fault("POST registrations", registrant_id=everybody[3]["email"], status=403, times=0)
    report, ledger = attempt(everybody)
    first = reads()
    laps = 0
    while isinstance(report.aborted_by, DeferRequested):
        assert report.aborted_by.is_for_quota
        laps += 1
        time.sleep(report.aborted_by.left)
        report, ledger = attempt(everybody, deferred_by=ledger.attempt)

    assert laps >= 3
    assert report.counts == {"enrolled": 49, "rejected": 1}
    assert len(live()) == 49
    # A resumed run does not send a refused person again.
    assert len(statuses(emulator)) == 50
    assert 429 not in statuses(emulator)
    assert reads() == first


def test_attempt_after_a_clear_reads_the_event_again_and_meets_no_429(attempt, emulator, live, reads):
    everybody = people(20)
    report, _ = attempt(everybody)
    assert isinstance(report.aborted_by, DeferRequested)
    first = reads()

    report, ledger = attempt(everybody)

    assert reads()["form"] == first["form"] + 1
    assert reads()["list"] == first["list"] + 1
    time.sleep(report.aborted_by.left)
    report, _ = attempt(everybody, deferred_by=ledger.attempt)
    assert report.counts == {"enrolled": 20}
    assert len(live()) == 20
    assert 429 not in statuses(emulator)


def test_people_who_join_the_input_during_a_deferral_are_looked_up(attempt, live, put_on):
    everybody = people(20)
    report, ledger = attempt(everybody[:-1])
    put_on(everybody[-1]["email"])
    time.sleep(report.aborted_by.left)

    report, _ = attempt(everybody, deferred_by=ledger.attempt)

    assert report.counts == {"enrolled": 19, "already_enrolled": 1}
    assert len(live()) == 20


def test_two_tasks_of_one_app_share_the_quota_without_a_429(limited, open_ledger, emulator, live):
    def run(number):
        rows = [{**row, "id": f"{number} {row['id']}", "email": f"{number}.{row['email']}"} for row in people(10)]
        # A window so long that a slow machine sends within it what the ledger granted.
        event, ledger = limited(window=5), open_ledger(TaskRun("dag", f"run {number}", "enroll"))
        return enroll(event, rows, ledger=ledger, options=SendingOptions(**QUICK))

    with ThreadPoolExecutor(2) as threads:
        reports = list(threads.map(run, range(2)))

    assert [report.counts for report in reports] == [{"enrolled": 10}] * 2
    assert len(live()) == 20
    assert 429 not in statuses(emulator)


def test_task_that_cancels_shares_the_quota_with_one_that_enrolls_without_a_429(limited, open_ledger, emulator, live):
    leaving, coming = people(24)[:12], people(24)[12:]
    emulator.set_switches(write_limit=1000)
    for row in leaving:
        emulator.store.webinars.register(emulator.webinar_id, row["email"], external_registration_id=row["id"])

    def run(task):
        event, ledger = limited(window=5), open_ledger(TaskRun("dag", "run", task))
        if task == "cancel":
            return cancel(event, leaving, ledger=ledger, settle_after=0.2)
        return enroll(event, coming, ledger=ledger, options=SendingOptions(**QUICK))

    with ThreadPoolExecutor(2) as threads:
        reports = list(threads.map(run, ["cancel", "enroll"]))

    assert [report.counts for report in reports] == [{"cancelled": 12}, {"enrolled": 12}]
    assert set(live()) == {row["email"] for row in coming}
    assert 429 not in [one.status for one in emulator.store.journal]
