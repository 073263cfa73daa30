"""Enrolling, cancelling and the ledger at odd moments: nobody is on the meeting twice, and every run ends."""

import pytest

from airflow_provider_teams_registration.core.outcome import NOT_ON_THE_EVENT, Outcome
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord, TaskRun
from airflow_provider_teams_registration.core.state import OnMissingJoinUrl
from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent

OTHER = TaskRun("dag", "run 2", "cancel")


def somebody_elses(emulator, *names):
    meeting = emulator.store.meeting(emulator.meeting_id)
    return [emulator.store.enroll(meeting, name).join_web_url for name in names]


def links(report):
    return {row["id"]: row["join_web_url"] for row in report.rows()}


class Interrupted(MeetingEvent):
    """A meeting on which something happens right after a call took effect."""

    def __init__(self, meeting, rate_limiter, *, after_enroll=None, before_cancel=None):
        super().__init__(meeting, rate_limiter)
        self._after_enroll = after_enroll
        self._before_cancel = before_cancel

    def enroll(self, registrants):
        answers = super().enroll(registrants)
        if self._after_enroll:
            self._after_enroll, after = None, self._after_enroll
            after()
        return answers

    def cancel(self, registrants):
        if self._before_cancel:
            self._before_cancel, before = None, self._before_cancel
            before()
        return super().cancel(registrants)


@pytest.mark.parametrize("duplicate", ["same", "new_link", "second_record"])
def test_cancelling_task_that_notes_late_makes_nobody_double_who_does_not_show_yet(
    duplicate, enroll_all, emulator, meeting, graph_session, books_links, open_ledger
):
    emulator.set_switches(duplicate=duplicate, visibility_lag=0.4)

    def note():
        ledger = open_ledger(OTHER)
        ledger.start_attempt(emulator.meeting_id)
        version = ledger.load(["ada"])["ada"].version
        ledger.write([RegistrationRecord("ada", "", Outcome.CANCELLED, version=version)])

    report = enroll_all(
        ["ada"], on=Interrupted(meeting, graph_session.rate_limiter, after_enroll=note), settle_after=0.8
    )

    assert links(report) == books_links()
    assert report.counts == {"enrolled": 1}


def test_person_refused_after_another_run_took_their_registration_off_is_rejected(
    enroll_all, emulator, meeting, graph_session, books_links, open_ledger
):
    somebody_elses(emulator, "ada")

    def cancel_them():
        emulator.store.cancel(emulator.meeting_id, "ada")
        ledger = open_ledger(OTHER)
        ledger.start_attempt(emulator.meeting_id)
        version = ledger.load(["ada"])["ada"].version
        ledger.write([RegistrationRecord("ada", "", Outcome.CANCELLED, version=version)])

    emulator.add_fault("POST registration/registrants", status=403, code="Forbidden", times=0)
    on = Interrupted(meeting, graph_session.rate_limiter, before_cancel=cancel_them)

    report = enroll_all(["ada"], on=on, on_missing_join_url=OnMissingJoinUrl.RE_ENROLL)

    assert report.counts == {"rejected": 1}


def test_person_refused_after_a_lost_answer_to_a_removal_is_rejected(enroll_all, emulator):
    somebody_elses(emulator, "ada")
    emulator.add_fault("DELETE registrants/*", drop=True, when="after")
    emulator.add_fault("POST registration/registrants", status=403, code="Forbidden", times=0)

    report = enroll_all(["ada"], on_missing_join_url=OnMissingJoinUrl.RE_ENROLL, settle_after=0.05)

    assert report.counts == {"rejected": 1}


@pytest.mark.parametrize("state", list(RecordState))
@pytest.mark.parametrize("link", [None, "https://teams.example/ada"], ids=["no link", "link"])
def test_record_without_an_outcome_is_settled_by_reading(state, link, enroll_all, books_links, emulator, open_ledger):
    ledger = open_ledger(OTHER)
    ledger.start_attempt(emulator.meeting_id)
    ledger.write([RegistrationRecord("ada", "", Outcome.UNKNOWN, state, join_web_url=link)])

    report = enroll_all(["ada"], settle_after=0.05)

    if state is RecordState.ACCEPTED:
        assert report.counts == {"unknown": 1}
    else:
        assert links(report) == books_links()


@pytest.mark.parametrize("outcome", sorted(NOT_ON_THE_EVENT))
def test_record_that_was_claimed_is_not_sent_before_it_may_show(
    outcome, enroll_all, emulator, books_links, open_ledger
):
    ledger = open_ledger(OTHER)
    ledger.start_attempt(emulator.meeting_id)
    ledger.write([RegistrationRecord("ada", "", outcome, RecordState.CLAIMED)])
    emulator.set_switches(duplicate="second_record", visibility_lag=0.3)
    somebody_elses(emulator, "ada")

    report = enroll_all(["ada"], settle_after=0.5)

    assert links(report) == books_links()


def test_person_who_is_cancelled_after_the_list_was_read_is_enrolled_anew(
    enroll_all, emulator, meeting, graph_session, books_links, open_ledger
):
    class CancelledMeanwhile(MeetingEvent):
        def prepare(self):
            super().prepare()
            while not any(entry.path.endswith("/registrants") for entry in emulator.store.journal):
                assert self.own_link
            cancel(MeetingEvent(meeting, graph_session.rate_limiter), ["ada"], ledger=open_ledger(OTHER))

    somebody_elses(emulator, "ada")

    report = enroll_all(["ada"], on=CancelledMeanwhile(meeting, graph_session.rate_limiter))

    assert links(report) == books_links()
