"""Decide how a run that enrolls goes on after it offered a result to the ledger."""

from __future__ import annotations

from airflow_provider_teams_registration.core.deciding import done, with_or_without_link
from airflow_provider_teams_registration.core.limits import MAX_SETTLE_ATTEMPTS
from airflow_provider_teams_registration.core.on_answer import on_response_lost
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.registration import RemoteRegistration
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.core.result import NOT_THEIRS, result_enrolled
from airflow_provider_teams_registration.core.state import (
    Effect,
    LinkShared,
    Policy,
    Recorded,
    RegistrantState,
    ResponseLost,
    State,
    Step,
)


def on_link_shared(s: RegistrantState, event: LinkShared, policy: Policy, now: float) -> Step:
    s = replace(s, shared_links=s.shared_links + 1)
    result = s.result
    assert result is not None
    is_of_answer = result.outcome is Outcome.ENROLLED and not policy.links_are_readable
    if is_of_answer and s.shared_links <= MAX_SETTLE_ATTEMPTS:
        # Two people cannot have one link, so the answer is wrong. It counts as a lost response.
        return on_response_lost(replace(s, result=None), ResponseLost(Problem(NOT_THEIRS)), policy, now)
    is_in_time = s.sent_at is not None and now - s.sent_at < policy.settle_after
    if is_in_time and policy.links_are_readable:
        return replace(s, state=State.UNCERTAIN, result=None), Effect.LOOK_UP
    without_link = RemoteRegistration(result.outcome, registration_id=result.registration_id, error=NOT_THEIRS)
    return with_or_without_link(replace(s, result=None), result_enrolled(without_link), policy, registrations=1)


def on_recorded(s: RegistrantState, event: Recorded, policy: Policy, now: float) -> Step:
    assert s.result is not None
    return done(s, s.result)
