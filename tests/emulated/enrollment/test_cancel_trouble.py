"""Cancelling where Graph refuses, throttles or hides people, or loses answers."""

import threading
from collections import Counter

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
from airflow_provider_teams_registration.exceptions import Forbidden, SettingsError
from tests.emulated.enrollment.cancelling import CANCELS, OnMeeting, OnWebinar, people, person


def test_missing_permission_is_named(on_webinar, cancel_all, emulator):
    on_webinar.put_on(0)
    emulator.set_switches(application_may_cancel_registrations=False)

    report = cancel_all(on_webinar, people(1))

    assert report.counts == {"rejected": 1}
    assert "VirtualEventRegistration-Anon.ReadWrite.Chat" in report.error_summary()
    assert "OnlineMeetings" not in report.error_summary()
    assert on_webinar.on_it() == ["crm 0"]


def test_webinar_that_cannot_be_read_takes_nobody_off(on_webinar, cancel_all, emulator, cancels):
    on_webinar.put_on(0)
    emulator.set_switches(
        registration_key=False, registration_filter="refused", application_may_list_registrations=False
    )
    with pytest.raises(SettingsError, match="does not let this connection read"):
        cancel_all(on_webinar, people(2))
    assert cancels() == []


@pytest.mark.parametrize("switches", [{"registration_key": False}, {"registration_key_finds": "nobody"}])
def test_person_whom_a_webinar_may_hide_does_not_count_as_off(
    switches, on_webinar, cancel_all, emulator, cancels, enroll_in
):
    assert enroll_in(on_webinar, people(1)).counts == {"enrolled": 1}
    emulator.set_switches(registration_filter="refused", application_may_list_registrations=False, **switches)

    report = cancel_all(on_webinar, people(1))

    assert report.counts == {"rejected": 1}
    assert "VirtualEvent.Read.Chat" in report.error_summary()
    assert cancels() == []
    emulator.clear_journal()
    assert enroll_in(on_webinar, people(1), as_run=CANCELS).counts == {"already_enrolled": 1}
    emulator.set_switches(application_may_list_registrations=True)
    assert cancel_all(on_webinar, people(1)).counts == {"cancelled": 1}
    assert on_webinar.on_it() == []


def test_person_is_taken_off_where_the_list_is_refused(on_webinar, cancel_all, emulator):
    emulator.set_switches(registration_filter="refused", application_may_list_registrations=False)
    for number in range(3):
        on_webinar.put_on(number)

    assert cancel_all(on_webinar, people(4)).counts == {"cancelled": 4}
    assert on_webinar.on_it() == []


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("second_cancel", ["bad_request", "no_content", "not_found"])
@pytest.mark.parametrize("how", [{"omit": True}, {"status": 503}, {"status": 429, "retry_after": "0"}])
def test_throttled_and_lost_cancellations_are_made_again(
    how, second_cancel, when, stage, cancel_all, emulator, open_ledger
):
    emulator.set_switches(second_cancel=second_cancel)
    emulator.add_fault(stage.route, nth=2, times=2, when=when if how.get("status") != 429 else "before", **how)

    report = cancel_all(stage, people(4))

    assert report.counts == {"cancelled": 4}
    assert stage.on_it() == ["crm 4"]


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_call_that_breaks_is_made_again(nth, when, stage, cancel_all, emulator):
    emulator.add_fault("POST $batch", nth=nth, drop=True, when=when)

    assert cancel_all(stage, people(4)).counts == {"cancelled": 4}
    assert stage.on_it() == ["crm 4"]


@pytest.mark.usefixtures("no_backoff")
def test_cancellation_whose_answer_is_lost_every_time_is_unknown(stage, cancel_all, emulator):
    emulator.add_fault(stage.route, registrant_id="crm 1", omit=True, times=0, when="before")

    report = cancel_all(stage, people(3))

    assert report.counts == {"cancelled": 2, "unknown": 1}
    assert len(stage.on_it()) == 3


def test_more_patience_than_there_is_ends_it(stage, cancel_all, emulator, cancels):
    emulator.add_fault(stage.route, status=429, retry_after="1000", times=0)

    report = cancel_all(stage, people(2))

    assert report.counts == {"not_sent": 2}
    assert report.transient == 2
    assert isinstance(report.aborted_by, DeferRequested)
    assert len(cancels()) == 2


@pytest.mark.usefixtures("no_backoff")
def test_trouble_on_the_way_does_not_forget_those_who_are_off(on_webinar, cancel_all, emulator, open_ledger):
    for number in range(30):
        on_webinar.put_on(number)
    for number in range(20, 30):
        emulator.add_fault(OnWebinar.route, registrant_id=f"crm {number}", status=429, retry_after="0", times=0)

    report = cancel_all(on_webinar, people(30))

    assert report.counts == {"cancelled": 20, "not_sent": 10}
    assert report.transient == 10
    ledger = open_ledger(TaskRun("reader"))
    ledger.start_attempt(emulator.webinar_id)
    known = ledger.load([row["email"] for row in people(30)])
    assert Counter(entry.outcome for entry in known.values()) == {Outcome.CANCELLED: 20, Outcome.NOT_SENT: 10}


@pytest.mark.usefixtures("no_backoff")
def test_read_that_fails_on_the_way_does_not_forget_those_who_proved_to_be_off(on_webinar, cancel_all, emulator):
    emulator.add_fault("GET registrations*", nth=2, times=0, status=503)

    report = cancel_all(on_webinar, people(1100))

    assert report.counts == {"cancelled": 1000, "not_sent": 100}
    assert report.aborted_by is not None


def test_stop_ends_it_and_says_who_is_left(stage, cancel_all, cancels):
    stop = threading.Event()
    stop.set()

    report = cancel_all(stage, people(3), stop=stop)

    assert report.counts == {"not_sent": 3}
    assert "stopped before" in report.error_summary()
    assert cancels() == []


def test_stop_ends_a_wait(on_webinar, cancel_all, emulator):
    on_webinar.put_on(0)
    emulator.add_fault(OnWebinar.route, status=429, retry_after="600", times=0)
    stop = threading.Event()

    def stop_once_throttled():
        while not any(entry.status == 429 for entry in emulator.store.journal):
            stop.wait(0.01)
        stop.set()

    threading.Thread(target=stop_once_throttled, daemon=True).start()

    report = cancel_all(on_webinar, people(1), stop=stop)

    assert report.counts == {"not_sent": 1}
    assert "stopped before" in report.error_summary()


def test_own_pace_causes_no_429(emulator, graph_session, cancel_all, cancels):
    stage = OnWebinar(emulator, graph_session, limit=15, window=0.5)
    for number in range(40):
        stage.put_on(number)
    emulator.set_switches(write_limit=15, write_window=0.5)

    assert cancel_all(stage, people(40)).counts == {"cancelled": 40}
    assert stage.on_it() == []
    assert 429 not in {entry.status for entry in emulator.store.journal}
    assert len(cancels()) == 40


def test_long_list_is_taken_off(emulator, graph_session, cancel_all):
    stage = OnMeeting(emulator, graph_session)
    for number in range(1100):
        stage.put_on(number)

    report = cancel_all(stage, [*people(1100), person(0)])

    assert report.counts == {"cancelled": 1100}
    assert report.repeated == 1
    assert stage.on_it() == []


def test_meeting_that_refuses_says_so(emulator, graph_session, cancel_all):
    stage = OnMeeting(emulator, graph_session)
    stage.put_on(0)
    emulator.set_switches(application_may_enroll=False)

    report = cancel_all(stage, people(1))

    assert report.counts == {"rejected": 1}
    assert "403" in report.error_summary()


def test_list_that_may_not_be_read_at_all_is_no_silent_answer(on_webinar, cancel_all, emulator):
    emulator.set_switches(application_access_policy=False)
    with pytest.raises((Forbidden, SettingsError)):
        cancel_all(on_webinar, [{"email": "person0@example.org"}])
