"""Decide how a run that enrolls goes on after the ledger answered."""

from __future__ import annotations

from airflow_provider_teams_registration.core.deciding import done, with_or_without_link
from airflow_provider_teams_registration.core.outcome import NOT_ON_THE_EVENT, Outcome
from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.record import PENDING, RecordState, RegistrationRecord
from airflow_provider_teams_registration.core.registration import RemoteRegistration
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.core.result import (
    NOT_KEPT,
    REFUSED_BEFORE,
    marked_as_changed,
    result_enrolled,
    result_from_record,
    result_rejected,
)
from airflow_provider_teams_registration.core.state import (
    Claimed,
    ClaimLost,
    Effect,
    LedgerRead,
    Policy,
    RegistrantState,
    State,
    Step,
)


def on_ledger_read(s: RegistrantState, event: LedgerRead | ClaimLost, policy: Policy, now: float) -> Step:
    record = event.record
    s = replace(s, record=record)
    if record is None:
        return _look_up_before_sending(s)
    # First of all: a record that says two things is settled by reading, and not by sending.
    if record.state in PENDING or record.outcome is Outcome.UNKNOWN or record.state is RecordState.CANCELLING:
        return _on_open_record(s, record, policy, now)
    if record.outcome in NOT_ON_THE_EVENT:
        return _on_record_off_the_event(s, record, policy)
    is_of_others = _is_enrolled_by_others(record, policy)
    if record.join_web_url:
        result = result_from_record(record, is_of_others=is_of_others, fingerprint=s.fingerprint)
        return replace(s, state=State.DONE, result=result), Effect.NOTHING
    if record.outcome is Outcome.ALREADY_ENROLLED:
        # Somebody else enrolled this person, so the event is the better source than the ledger.
        return _look_up_before_sending(s)
    if policy.links_are_readable:
        # A read finds the link. If it proves that somebody took the person off the event, the runner sends them again.
        return replace(s, state=State.UNCERTAIN, may_be_our_send=not is_of_others), Effect.LOOK_UP
    missing = result_enrolled(RemoteRegistration(Outcome.ALREADY_ENROLLED, error=NOT_KEPT))
    s, effect = with_or_without_link(s, missing, policy, registrations=1)
    if s.state is State.DECIDED:
        # The ledger holds this result already.
        return done(s, marked_as_changed(s.result or missing, record, s.fingerprint))
    return s, effect


def _on_open_record(s: RegistrantState, record: RegistrationRecord, policy: Policy, now: float) -> Step:
    """Leave somebody to the run that claimed them a short while ago, and take them over from one that has ended."""
    if record.run != policy.run and record.age < policy.settle_after:
        return replace(s, state=State.CLAIMED_ELSEWHERE), Effect.POLL_LEDGER
    if record.state is RecordState.CANCELLING and record.outcome is not Outcome.UNKNOWN:
        return _after_interrupted_removal(s, record, now)
    taken = State.ACCEPTED if record.state is RecordState.ACCEPTED else State.UNCERTAIN
    return replace(s, state=taken, may_be_our_send=True, sent_at=now - record.age, absences=0), Effect.CLAIM


def _after_interrupted_removal(s: RegistrantState, record: RegistrationRecord, now: float) -> Step:
    """Look up somebody whom a run was about to cancel when it ended: they may still be on the event."""
    if record.outcome in NOT_ON_THE_EVENT:
        return _look_up_before_sending(replace(s, needs_fresh_read=True))
    s = replace(s, state=State.UNCERTAIN, may_be_our_send=False, sent_at=now - record.age, absences=0, clash=None)
    return s, Effect.LOOK_UP


def on_claim_lost(s: RegistrantState, event: ClaimLost, policy: Policy, now: float) -> Step:
    return on_ledger_read(replace(s, result=None, to_remove=0, needs_fresh_read=True), event, policy, now)


def _look_up_before_sending(s: RegistrantState) -> Step:
    if s.sent_at is not None:
        # They were sent, whatever another run noted since, and that may not show yet.
        return replace(s, state=State.UNCERTAIN, may_be_our_send=True, absences=0, clash=None), Effect.LOOK_UP
    look_up = Effect.LOOK_UP if s.needs_fresh_read else Effect.FIND_PRESENT
    return replace(s, state=State.UNSENT, may_be_our_send=False, clash=None), look_up


def _on_record_off_the_event(s: RegistrantState, record: RegistrationRecord, policy: Policy) -> Step:
    if _was_refused_before_deferral(s, record, policy):
        return done(s, result_rejected(Problem(record.error or REFUSED_BEFORE, code=record.error_code)))
    # The list that was read at the beginning may still show somebody who was taken off since.
    is_fresh_needed = s.needs_fresh_read or record.outcome is Outcome.CANCELLED
    return _look_up_before_sending(replace(s, needs_fresh_read=is_fresh_needed))


def _was_refused_before_deferral(s: RegistrantState, record: RegistrationRecord, policy: Policy) -> bool:
    """A deferral is no retry: a run that goes on sends nobody again whom Graph refused before."""
    is_of_this = policy.resumes_since is not None and record.run == policy.run
    is_of_this = is_of_this and record.attempt >= (policy.resumes_since or 0)
    return is_of_this and record.outcome is Outcome.REJECTED and record.fingerprint == s.fingerprint


def _is_enrolled_by_others(record: RegistrationRecord, policy: Policy) -> bool:
    """The run that returns a link first counts as the one that enrolled the person, so its DAG mails the link."""
    is_handed_out = record.outcome is Outcome.ENROLLED and record.state is RecordState.DONE
    return is_handed_out and record.run != policy.run


def on_claimed(s: RegistrantState, event: Claimed, policy: Policy, now: float) -> Step:
    s = replace(s, record=event.record)
    if s.state is State.QUEUED:
        return replace(s, state=State.IN_FLIGHT), Effect.SEND
    return s, Effect.REMOVE if s.state is State.REMOVING else Effect.LOOK_UP
