"""A stop in the midst of reads, waits and writes: everybody gets a row, nobody who was enrolled is forgotten."""

import threading
import time
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.events.webinar.event import WebinarEvent
from airflow_provider_teams_registration.exceptions import Stopped
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.write_quota import WriteQuota
from airflow_provider_teams_registration.ledger.memory import MemoryLedger

PEOPLE = [
    {
        "id": f"person {number}",
        "email": f"person{number}@example.org",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "preferred_timezone": "UTC",
    }
    for number in range(60)
]
FORM = {"preferred_timezone": "UTC", "preferred_language": "en-us"}
LIMIT = 1.0


@pytest.fixture
def stopped_when(emulator):
    """Stops a session once so many requests have reached the emulator, and tells when."""
    timers = []

    def watch(session, is_due):
        told = []

        def run():
            while not is_due():
                time.sleep(0.005)
            told.append(time.monotonic())
            session.stop.set()

        timers.append(threading.Thread(target=run, daemon=True))
        timers[-1].start()
        return told

    yield watch
    for timer in timers:
        timer.join(5)


@pytest.fixture
def limited_session(open_session, settings):
    return open_session(replace(settings, timeout=LIMIT))


@pytest.fixture
def open_event(limited_session, emulator):
    def make(kind):
        if kind == "meeting":
            meeting = OnlineMeeting(limited_session, emulator.meeting_id, emulator.organizer_id)
            return MeetingEvent(meeting, limited_session.rate_limiter)
        return WebinarEvent(
            Webinar(limited_session, emulator.webinar_id), WriteQuota(limited_session.rate_limiter, 1000, 1), **FORM
        )

    return make


def struck(emulator, route):
    method, ending = route.split()
    return lambda: any(entry.method == method and entry.path.endswith(ending) for entry in emulator.store.journal)


def on_the_meeting(emulator):
    return [one.id for one in emulator.store.enrolled(emulator.meeting_id)]


def on_the_webinar(emulator):
    return [
        one.email.split("@")[0].replace("person", "person ")
        for one in emulator.store.webinars.registered(emulator.webinar_id)
    ]


FAULTS = {
    "the service asks for a wait": {"status": 429, "retry_after": "60", "times": 0},
    "the service is in trouble": {"status": 503, "retry_after": "60", "times": 0},
    "the answer drips": {"drip": 0.05, "when": "after", "times": 0},
    "the head drips": {"drip": 0.05, "drips_head": True, "when": "after", "times": 0},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize(
    ("kind", "route"),
    [("meeting", "GET registrants"), ("meeting", "POST $batch"), ("webinar", "POST registrations")],
)
def test_stop_ends_in_a_row_for_everybody(
    kind, route, fault, enroll_all, open_event, limited_session, emulator, stopped_when
):
    limited_session.token()
    emulator.add_fault(route, **fault)
    told = stopped_when(limited_session, struck(emulator, route))

    report = enroll_all(PEOPLE, on=open_event(kind), stop=limited_session.stop, max_parallel_requests=2)

    assert time.monotonic() - told[0] < LIMIT + 2
    assert isinstance(report.aborted_by, Stopped)
    outcomes = {row["id"]: row["outcome"] for row in report.rows()}
    assert len(outcomes) == len(PEOPLE)
    on_it = on_the_meeting(emulator) if kind == "meeting" else on_the_webinar(emulator)
    assert {outcomes[name] for name in on_it} <= {"enrolled", "unknown"}


def test_run_after_a_stop_enrolls_everybody_once(
    enroll_all, open_event, limited_session, emulator, stopped_when, event
):
    limited_session.token()
    emulator.add_fault("POST $batch", drip=0.05, when="after", times=2)
    stopped_when(limited_session, struck(emulator, "POST $batch"))
    enroll_all(PEOPLE, on=open_event("meeting"), stop=limited_session.stop, max_parallel_requests=1, settle_after=0.5)
    emulator.clear_faults()

    report = enroll_all(PEOPLE, on=event, settle_after=0.5)

    assert set(report.counts) <= {"enrolled", "already_enrolled"}
    assert sorted(on_the_meeting(emulator)) == sorted(row["id"] for row in PEOPLE)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_stop_of_a_cancellation_ends_in_a_row_for_everybody(
    fault, enroll_all, open_event, limited_session, emulator, stopped_when
):
    event = open_event("meeting")
    enroll_all(PEOPLE, on=event)
    emulator.clear_journal()
    emulator.add_fault("POST $batch", nth=2, **fault)
    told = stopped_when(limited_session, lambda: len(emulator.store.journal) > 21)

    report = cancel(event, PEOPLE, ledger=MemoryLedger(), stop=limited_session.stop)

    assert time.monotonic() - told[0] < LIMIT + 2
    outcomes = {row["id"]: row["outcome"] for row in report.rows()}
    assert len(outcomes) == 60
    assert 20 <= sum(outcome == "cancelled" for outcome in outcomes.values()) < 60
    assert "cancelled" not in {outcomes[name] for name in on_the_meeting(emulator)}
