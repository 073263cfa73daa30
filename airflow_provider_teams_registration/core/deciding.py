"""The steps with which a registrant's result is decided."""

from __future__ import annotations

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.registration import RemoteRegistration
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.core.result import NO_NEW_LINK, Result, result_enrolled, result_unknown
from airflow_provider_teams_registration.core.state import (
    Effect,
    Goal,
    OnMissingJoinUrl,
    Policy,
    RegistrantState,
    State,
    Step,
)


def decided(s: RegistrantState, result: Result) -> Step:
    return replace(s, state=State.DECIDED, result=result), Effect.RECORD


def done(s: RegistrantState, result: Result) -> Step:
    return replace(s, state=State.DONE, result=result), Effect.NOTHING


def with_or_without_link(s: RegistrantState, result: Result, policy: Policy, *, registrations: int) -> Step:
    """Apply ``on_missing_join_url`` if the registrant may join and their link cannot be read."""
    if not result.is_link_missing:
        return decided(s, result)
    # If the event shows links, enrolling again returns the same link.
    may_re_enroll = policy.on_missing_join_url is OnMissingJoinUrl.RE_ENROLL and not policy.links_are_readable
    if may_re_enroll and not s.is_re_enrolled:
        s = replace(s, state=State.REMOVING, to_remove=registrations, is_re_enrolled=True)
        return s, Effect.CLAIM
    is_failure = policy.on_missing_join_url is not OnMissingJoinUrl.IGNORE
    return decided(s, replace(result, is_link_missing=is_failure))


def given_up(s: RegistrantState, why: Problem, result: Result, policy: Policy) -> Step:
    """Decide the result of a registrant about whom the run sends no request any more."""
    if policy.goal is Goal.CANCEL:
        return left_on(s, result_unknown(why) if s.removals.is_lost else result)
    if not s.to_remove:
        return decided(s, result)
    if s.may_be_our_send:
        return decided(s, result_unknown(why))
    # Their earlier registration is still on the event, and its link cannot be read.
    return decided(s, result_enrolled(RemoteRegistration(Outcome.ALREADY_ENROLLED, error=NO_NEW_LINK)))


def left_on(s: RegistrantState, result: Result) -> Step:
    """
    Decide a result other than ``cancelled`` in a run that cancels.

    If the ledger holds our claim, it gets the record that :func:`.entries.result_of` describes.
    """
    return decided(s, result) if s.removals.is_claimed else done(s, result)
