"""
Decide how a run goes on after Graph refused a request or did not execute it, or after the runner stopped sending.

Both goals share these handlers. What differs is how the lifecycle gives a registrant up: see :func:`given_up`.
"""

from __future__ import annotations

from airflow_provider_teams_registration.core.deciding import given_up
from airflow_provider_teams_registration.core.limits import MAX_SEND_ATTEMPTS
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.core.result import result_not_sent, result_rejected
from airflow_provider_teams_registration.core.state import (
    Effect,
    GivenUp,
    Goal,
    Input,
    NotExecuted,
    Policy,
    Refused,
    RegistrantState,
    State,
    Step,
    TokenRefused,
)


def claim_again(s: RegistrantState, event: Input, policy: Policy, now: float) -> Step:
    is_to_remove = policy.goal is Goal.CANCEL or s.to_remove > 0
    return replace(s, state=State.REMOVING if is_to_remove else State.QUEUED), Effect.CLAIM


def on_refused(s: RegistrantState, event: Refused, policy: Policy, now: float) -> Step:
    return given_up(s, event.why, result_rejected(event.why), policy)


def on_token_refused(s: RegistrantState, event: TokenRefused, policy: Policy, now: float) -> Step:
    if s.is_token_renewed:
        return given_up(s, event.why, result_rejected(event.why), policy)
    return claim_again(replace(s, is_token_renewed=True), event, policy, now)


def on_not_executed(s: RegistrantState, event: NotExecuted, policy: Policy, now: float) -> Step:
    s = replace(s, send_attempts=s.send_attempts + 1)
    if s.send_attempts >= MAX_SEND_ATTEMPTS:
        return given_up(s, event.why, result_not_sent(event.why), policy)
    return claim_again(s, event, policy, now)


def on_given_up(s: RegistrantState, event: GivenUp, policy: Policy, now: float) -> Step:
    result = result_rejected(event.why) if event.is_refused else result_not_sent(event.why)
    return given_up(s, event.why, result, policy)
