"""Decide how a run that enrolls goes on after Graph answered a request."""

from __future__ import annotations

from airflow_provider_teams_registration.core.deciding import given_up, with_or_without_link
from airflow_provider_teams_registration.core.limits import MAX_SEND_ATTEMPTS
from airflow_provider_teams_registration.core.on_ledger import claim_again
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.core.result import result_enrolled, result_not_sent, result_rejected
from airflow_provider_teams_registration.core.state import (
    Clash,
    Effect,
    Enrolled,
    NotExecuted,
    Policy,
    Refused,
    RegistrantState,
    Removed,
    ResponseLost,
    State,
    Step,
    TokenRefused,
)


def on_enrolled(s: RegistrantState, event: Enrolled, policy: Policy, now: float) -> Step:
    s = replace(s, clash=None, sent_at=now)
    said = event.registration
    if said.outcome is Outcome.UNKNOWN or said.link_pending:
        # If this run ends before a read shows the outcome, the next attempt must learn that Graph accepted.
        return replace(s, state=State.ACCEPTED, may_be_our_send=True), Effect.CLAIM
    return with_or_without_link(s, result_enrolled(said), policy, registrations=1)


def on_removed(s: RegistrantState, event: Removed, policy: Policy, now: float) -> Step:
    if not event.was_there and s.sent_at is not None:
        # They were sent, and may not show yet, neither to a removal.
        return replace(s, state=State.UNCERTAIN, may_be_our_send=True, to_remove=0, absences=0), Effect.LOOK_UP
    return claim_again(replace(s, to_remove=s.to_remove - 1), event, policy, now)


def on_clash(s: RegistrantState, event: Clash, policy: Policy, now: float) -> Step:
    sent_at = s.sent_at if s.sent_at is not None or not policy.links_are_readable else now
    return replace(s, state=State.UNCERTAIN, clash=event, sent_at=sent_at, absences=0), Effect.LOOK_UP


def on_refused(s: RegistrantState, event: Refused, policy: Policy, now: float) -> Step:
    return given_up(s, event.why, result_rejected(event.why))


def on_token_refused(s: RegistrantState, event: TokenRefused, policy: Policy, now: float) -> Step:
    if s.is_token_renewed:
        return given_up(s, event.why, result_rejected(event.why))
    return claim_again(replace(s, is_token_renewed=True), event, policy, now)


def on_not_executed(s: RegistrantState, event: NotExecuted, policy: Policy, now: float) -> Step:
    s = replace(s, send_attempts=s.send_attempts + 1)
    if s.send_attempts >= MAX_SEND_ATTEMPTS:
        return given_up(s, event.why, result_not_sent(event.why))
    return claim_again(s, event, policy, now)


def on_response_lost(s: RegistrantState, event: ResponseLost, policy: Policy, now: float) -> Step:
    s = replace(s, state=State.UNCERTAIN, may_be_our_send=True, sent_at=now, to_remove=0, absences=0, clash=None)
    return s, Effect.LOOK_UP
