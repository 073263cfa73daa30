"""
Decide for a run that cancels: look up, claim, remove, prove the absence, record.

The names are those of the inputs, as in the modules for a run that enrolls. If Graph removes registrants by their key,
the answer to the removal tells as much as a lookup. The run then looks up only people whom another run is sending, and
people who were sent so lately that they may show late.
"""

from __future__ import annotations

from airflow_provider_teams_registration.core.deciding import decided, done, left_on
from airflow_provider_teams_registration.core.limits import (
    AGREEING_READS,
    MAX_CONTRADICTIONS,
    MAX_REMOVALS,
    MAX_SEND_ATTEMPTS,
)
from airflow_provider_teams_registration.core.on_refusal import claim_again
from airflow_provider_teams_registration.core.outcome import NOT_ON_THE_EVENT, Outcome
from airflow_provider_teams_registration.core.record import PENDING, RecordState, RegistrationRecord
from airflow_provider_teams_registration.core.registration import Inconclusive, Present
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.core.result import (
    STILL_ON,
    result_cancelled,
    result_not_sent,
    result_rejected,
    result_unknown,
)
from airflow_provider_teams_registration.core.state import (
    Claimed,
    ClaimLost,
    Effect,
    Ended,
    LedgerRead,
    LookedUp,
    Policy,
    RegistrantState,
    Removed,
    ResponseLost,
    State,
    Step,
)


def on_ledger_read(s: RegistrantState, event: LedgerRead | ClaimLost, policy: Policy, now: float) -> Step:
    record = event.record
    s = replace(s, record=record, absences=0, sent_at=_sent_at(record, policy, now))
    is_at_work = record is not None and record.run != policy.run and record.age < policy.settle_after
    if record is not None and is_at_work and record.state is RecordState.CANCELLING:
        return replace(s, state=State.CLAIMED_ELSEWHERE), Effect.POLL_LEDGER
    if policy.removes_by_key and not (record is not None and is_at_work and record.state in PENDING):
        return replace(s, state=State.REMOVING), Effect.CLAIM
    # A claim of ours would make the run that is sending them lose its own.
    return replace(s, state=State.UNSENT), Effect.LOOK_UP


def on_claim_lost(s: RegistrantState, event: ClaimLost, policy: Policy, now: float) -> Step:
    """Begin anew: another run may have sent the registrant, so nothing that was read before holds."""
    known = replace(s.removals, is_claimed=False, before=None, is_seen=False)
    return on_ledger_read(replace(s, removals=known, result=None), event, policy, now)


def on_claimed(s: RegistrantState, event: Claimed, policy: Policy, now: float) -> Step:
    if not s.removals.is_claimed:
        s = replace(s, removals=replace(s.removals, is_claimed=True, before=s.record))
    return replace(s, record=event.record), Effect.REMOVE


def on_first_look_up(s: RegistrantState, event: LookedUp, policy: Policy, now: float) -> Step:
    evidence = event.evidence
    if isinstance(evidence, Present):
        return _remove(s)
    if isinstance(evidence, Inconclusive):
        why = evidence.why
        shown = result_not_sent(why) if why.is_transient else result_rejected(why)
        return _remove_unseen(s, policy, now) if policy.removes_by_key else left_on(s, shown)
    return _absent(s, policy, now)


def on_look_up(s: RegistrantState, event: LookedUp, policy: Policy, now: float) -> Step:
    """Apply what a read shows after a removal."""
    evidence = event.evidence
    if isinstance(evidence, Present):
        return _still_present(s, policy, now)
    if _may_show_late(s, policy, now):
        return s, Effect.LOOK_UP
    if not s.removals.is_lost and not _is_being_sent(s):
        # Graph confirmed the removal, and no read shows another registration.
        return decided(s, result_cancelled())
    if isinstance(evidence, Inconclusive):
        return _remove_unseen(s, policy, now) if policy.removes_by_key else left_on(s, result_unknown(evidence.why))
    return _absent(s, policy, now)


def _still_present(s: RegistrantState, policy: Policy, now: float) -> Step:
    removed_at = s.removals.removed_at
    if policy.removes_by_key and removed_at is not None and now - removed_at < policy.settle_after:
        # The list may still show what Graph removed. It has no ids by which to tell a second registration.
        return replace(s, absences=0), Effect.LOOK_UP
    known = s.removals
    is_too_often = known.contradictions >= MAX_CONTRADICTIONS or known.confirmed >= MAX_REMOVALS
    if is_too_often or s.send_attempts >= MAX_SEND_ATTEMPTS:
        return left_on(s, result_unknown(STILL_ON))
    return _remove(s)


def _remove(s: RegistrantState) -> Step:
    seen = replace(s.removals, is_seen=True)
    return replace(s, state=State.REMOVING, removals=seen, absences=0), Effect.CLAIM


def _remove_unseen(s: RegistrantState, policy: Policy, now: float) -> Step:
    """Remove by key, because the answer says what no read could say. First wait until no removal can be too early."""
    if _may_show_late(s, policy, now):
        return s, Effect.LOOK_UP
    return replace(s, state=State.REMOVING, absences=0), Effect.CLAIM


def _absent(s: RegistrantState, policy: Policy, now: float) -> Step:
    if _may_show_late(s, policy, now):
        return s, Effect.LOOK_UP
    s = replace(s, absences=s.absences + 1)
    may_be_on = s.removals.is_lost or (s.record is not None and _was_sent(s.record))
    if may_be_on and s.absences < AGREEING_READS:
        return s, Effect.LOOK_UP
    return decided(s, result_cancelled())


def _may_show_late(s: RegistrantState, policy: Policy, now: float) -> bool:
    """Return whether the registrant was sent so lately that neither a read nor a removal may find them yet."""
    if s.sent_at is None or now - s.sent_at >= policy.settle_after:
        return False
    # While a send has no outcome, a registration that a read shows may be another one.
    return not s.removals.is_seen or _is_being_sent(s)


def _is_being_sent(s: RegistrantState) -> bool:
    record = s.removals.before if s.removals.is_claimed else s.record
    return record is not None and record.outcome is Outcome.UNKNOWN


def _sent_at(record: RegistrationRecord | None, policy: Policy, now: float) -> float | None:
    """
    Return when the registrant was sent at the latest, by the ledger; None if they were not, or have shown since.

    The ledger knows when a run last wrote the record, or found the registrant on the event. A claimed registrant was
    sent a second later at most.
    """
    if record is None or not _was_sent(record):
        return None
    # An earlier attempt that had to look them up before it claimed them has seen what was sent, if that is known.
    is_seen = record.state is RecordState.CANCELLING and not policy.removes_by_key
    return None if is_seen and record.outcome is not Outcome.UNKNOWN else now - record.age


def _was_sent(record: RegistrationRecord) -> bool:
    return record.state in PENDING or record.outcome not in NOT_ON_THE_EVENT


def on_removed(s: RegistrantState, event: Removed, policy: Policy, now: float) -> Step:
    was_there = event.was_there
    is_contradiction = s.removals.is_seen and not was_there
    known = replace(
        s.removals,
        confirmed=s.removals.confirmed + was_there,
        # A registration that was not there has to be proved absent, as after a lost response.
        is_lost=not was_there,
        is_seen=s.removals.is_seen and was_there,
        removed_at=now,
        contradictions=s.removals.contradictions + is_contradiction,
    )
    s = replace(s, removals=known, absences=0)
    is_the_only_one = was_there and not _is_being_sent(s)
    is_proved = is_the_only_one or not (is_contradiction or _may_show_late(s, policy, now))
    if policy.removes_by_key and is_proved:
        return decided(s, result_cancelled())
    return replace(s, state=State.UNCERTAIN), Effect.LOOK_UP


def on_response_lost(s: RegistrantState, event: ResponseLost, policy: Policy, now: float) -> Step:
    lost = replace(s.removals, is_lost=True)
    s = replace(s, removals=lost, send_attempts=s.send_attempts + 1, absences=0)
    if not policy.removes_by_key:
        return replace(s, state=State.UNCERTAIN), Effect.LOOK_UP
    if s.send_attempts >= MAX_SEND_ATTEMPTS:
        return left_on(s, result_unknown(event.why))
    # A second removal does no harm, so no lookup is needed in between.
    return claim_again(s, event, policy, now)


def on_result_lost(s: RegistrantState, event: ClaimLost, policy: Policy, now: float) -> Step:
    assert s.result is not None
    if s.result.outcome is Outcome.CANCELLED:
        return on_claim_lost(s, event, policy, now)
    # Another run replaced our claim, so there is no record to put back.
    return done(s, s.result)


def on_ended(s: RegistrantState, event: Ended, policy: Policy, now: float) -> Step:
    known = s.removals
    is_open = known.is_claimed or known.is_lost or known.confirmed > 0
    return done(s, result_unknown(event.why) if is_open else result_not_sent(event.why))


def on_ended_with_result(s: RegistrantState, event: Ended, policy: Policy, now: float) -> Step:
    """Keep the result, which is true. The error that ended the run says that the ledger does not hold it."""
    assert s.result is not None
    return done(s, s.result)
