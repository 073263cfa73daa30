"""Decide how a run that enrolls goes on after Graph executed a request, or after the response was lost."""

from __future__ import annotations

from airflow_provider_teams_registration.core.deciding import with_or_without_link
from airflow_provider_teams_registration.core.on_refusal import claim_again
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.core.result import result_enrolled
from airflow_provider_teams_registration.core.state import (
    Clash,
    Effect,
    Enrolled,
    Policy,
    RegistrantState,
    Removed,
    ResponseLost,
    State,
    Step,
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


def on_response_lost(s: RegistrantState, event: ResponseLost, policy: Policy, now: float) -> Step:
    s = replace(s, state=State.UNCERTAIN, may_be_our_send=True, sent_at=now, to_remove=0, absences=0, clash=None)
    return s, Effect.LOOK_UP
