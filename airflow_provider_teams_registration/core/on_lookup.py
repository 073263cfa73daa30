"""Decide how a run that enrolls goes on after a read of the event."""

from __future__ import annotations

from airflow_provider_teams_registration.core.deciding import decided, with_or_without_link
from airflow_provider_teams_registration.core.limits import AGREEING_READS, MAX_SETTLE_ATTEMPTS
from airflow_provider_teams_registration.core.outcome import NOT_ON_THE_EVENT
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord
from airflow_provider_teams_registration.core.registration import Evidence, Inconclusive, Present, RemoteRegistration
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.core.result import (
    NEVER_CONFIRMED,
    NEVER_LANDED,
    result_already_enrolled,
    result_enrolled,
    result_from_record,
    result_not_sent,
    result_rejected,
    result_unknown,
    result_unlisted,
)
from airflow_provider_teams_registration.core.state import Effect, LookedUp, Policy, RegistrantState, State, Step

_TIME_FOR_A_BAD_REQUEST = 2.0


def on_first_look_up(s: RegistrantState, event: LookedUp, policy: Policy, now: float) -> Step:
    evidence = event.evidence
    if isinstance(evidence, Present):
        return _present_before_us(s, evidence, policy)
    is_known = s.record is not None and s.record.outcome not in NOT_ON_THE_EVENT
    if isinstance(evidence, Inconclusive) and is_known:
        return replace(s, state=State.UNCERTAIN), Effect.LOOK_UP
    if isinstance(evidence, Inconclusive) and evidence.why.is_transient:
        # A later read may be complete. Without one, the runner may enroll a second time whom somebody else enrolled.
        return decided(s, result_not_sent(evidence.why))
    if isinstance(evidence, Inconclusive) and evidence.is_refused:
        # Graph refuses every lookup, so no read could find out the outcome of a send.
        return decided(s, result_rejected(evidence.why))
    # Absent, or Graph permits no lookup that could prove it: then a run could never enroll anybody.
    return replace(s, state=State.QUEUED), Effect.CLAIM


def on_look_up(s: RegistrantState, event: LookedUp, policy: Policy, now: float) -> Step:
    evidence = event.evidence
    waited = now - s.sent_at if s.sent_at is not None else float("inf")
    if isinstance(evidence, Present):
        s = replace(s, absences=0)
        if evidence.registrations[0].link_pending and waited < policy.settle_after:
            return s, Effect.LOOK_UP
        return _present_by_us(s, evidence, policy) if s.may_be_our_send else _present_before_us(s, evidence, policy)
    if waited < _time_to_show(s, policy):
        return s, Effect.LOOK_UP
    return _not_shown_in_time(s, evidence, policy)


def _time_to_show(s: RegistrantState, policy: Policy) -> float:
    if s.clash is not None and not s.clash.is_conflict and not s.may_be_our_send:
        # Graph seldom answers 400 to a person who is on the event already, and a bad row should not wait long.
        return min(policy.settle_after, _TIME_FOR_A_BAD_REQUEST)
    return policy.settle_after


def _not_shown_in_time(s: RegistrantState, evidence: Evidence, policy: Policy) -> Step:
    why = evidence.why if isinstance(evidence, Inconclusive) else None
    if s.state is State.ACCEPTED:
        return decided(s, result_unlisted(why))
    if s.clash is not None and why is None and s.absences + 1 < AGREEING_READS:
        return replace(s, absences=s.absences + 1), Effect.LOOK_UP
    if s.clash is not None:
        # Graph may have refused this request because of an earlier send of ours that the event does not show yet.
        is_open = s.may_be_our_send
        return decided(s, result_unknown(s.clash.why) if is_open else result_rejected(s.clash.why))
    if why is not None:
        return decided(s, result_unknown(why))
    s = replace(s, absences=s.absences + 1)
    if s.absences < AGREEING_READS:
        return s, Effect.LOOK_UP
    s = replace(s, absences=0, settle_attempts=s.settle_attempts + 1)
    if s.settle_attempts > MAX_SETTLE_ATTEMPTS:
        return decided(s, result_not_sent(NEVER_LANDED))
    # Nothing is left to remove, even if the lost response was to a removal.
    return replace(s, state=State.QUEUED, to_remove=0), Effect.CLAIM


def _present_before_us(s: RegistrantState, evidence: Present, policy: Policy) -> Step:
    record, shown = s.record, evidence.best
    is_cancelling = record is not None and record.state is RecordState.CANCELLING
    if record is not None and is_cancelling and _is_still_theirs(record, shown, policy):
        return decided(s, result_from_record(record, is_of_others=True, fingerprint=s.fingerprint))
    result = result_already_enrolled(shown)
    return with_or_without_link(s, result, policy, registrations=len(evidence.registrations))


def _is_still_theirs(record: RegistrationRecord, shown: RemoteRegistration, policy: Policy) -> bool:
    """Return whether a read shows that the run which was about to cancel a registrant did not end their link."""
    if not record.join_web_url or shown.join_web_url:
        return False
    is_the_same = record.registration_id is not None and record.registration_id == shown.registration_id
    return is_the_same or not policy.links_are_readable


def _present_by_us(s: RegistrantState, evidence: Present, policy: Policy) -> Step:
    registrations = len(evidence.registrations)
    if evidence.best.join_web_url or policy.links_are_readable:
        return with_or_without_link(s, result_enrolled(evidence.best), policy, registrations=registrations)
    # The link was lost with the response, so nobody holds it and a new link breaks none in use.
    s = replace(s, settle_attempts=s.settle_attempts + 1)
    if s.settle_attempts > MAX_SETTLE_ATTEMPTS:
        return decided(s, result_unknown(NEVER_CONFIRMED))
    return replace(s, state=State.REMOVING, to_remove=registrations), Effect.CLAIM
