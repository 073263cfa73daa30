"""Decide the result of a registrant who has none when a run that enrolls ends."""

from __future__ import annotations

from airflow_provider_teams_registration.core.deciding import done
from airflow_provider_teams_registration.core.outcome import NOT_ON_THE_EVENT
from airflow_provider_teams_registration.core.result import (
    result_not_sent,
    result_unknown,
    result_unlisted,
)
from airflow_provider_teams_registration.core.state import Ended, Policy, RegistrantState, State, Step


def on_ended(s: RegistrantState, event: Ended, policy: Policy, now: float) -> Step:
    if s.state is State.ACCEPTED:
        return done(s, result_unlisted())
    return done(s, result_unknown(event.why))


def on_ended_unsent(s: RegistrantState, event: Ended, policy: Policy, now: float) -> Step:
    return done(s, result_unknown(event.why) if s.may_be_our_send else result_not_sent(event.why))


def on_ended_with_result(s: RegistrantState, event: Ended, policy: Policy, now: float) -> Step:
    """Drop the link: the task returns a link only if the ledger holds the result."""
    assert s.result is not None
    is_on_event = s.result.outcome not in NOT_ON_THE_EVENT
    return done(s, result_unknown(event.why) if is_on_event else s.result)
