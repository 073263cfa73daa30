"""How a run ends: what ended it early, and the problem of each registrant who has no result then."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeGuard

from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.state import Goal, State
from airflow_provider_teams_registration.enrollment.redacted_traceback import redacted_traceback
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
from airflow_provider_teams_registration.events.problems import problem_of
from airflow_provider_teams_registration.exceptions import Fenced, Stopped, TeamsRegistrationError, Throttled

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.tracked import Tracked

log = logging.getLogger(__name__)

NOT_SENT: Mapping[Goal, Problem] = {
    Goal.ENROLL: Problem("Not sent: the task was stopped before it reached this person", is_transient=True),
    Goal.CANCEL: Problem("Not taken off: the task was stopped before it reached this person", is_transient=True),
}
"""The problem of people about whom the run has sent nothing."""
_NOT_SETTLED = Problem("Sent, or about to be sent, when the task ended", is_transient=True)
_LOST = Problem("Sent, and the answer was lost", is_transient=True)
_NOT_RECORDED = Problem(
    "Sent, and the ledger did not take the answer. The next attempt reads the event to find out", is_transient=True
)
_NOT_PROVED = Problem(
    "The task ended before it was sure that this person is off the event. A retry finds out", is_transient=True
)


def not_sent(goal: Goal, why: str) -> Problem:
    """
    Return the problem of people whom the run gives up for now.

    :param goal: the goal of the run.
    :param why: the rest of the sentence.
    """
    return Problem(f"{'Not taken off' if goal is Goal.CANCEL else 'Not sent'}: {why}", is_transient=True)


def what_aborted(error: BaseException) -> BaseException:
    """
    Return what a report names as the end of a run: the error or, if Graph asked for a wait, a request to be deferred.

    :param error: the error that ended the run.
    """
    if isinstance(error, Throttled):
        return error if error.retry_after is None else DeferRequested(error.retry_after)
    if isinstance(error, Exception) and not isinstance(error, TeamsRegistrationError | DeferRequested):
        log.error("The run broke down with %s.", redacted_traceback(error))
    return error


def is_failure(aborted_by: BaseException | None) -> TypeGuard[TeamsRegistrationError]:
    """Return whether an error of Graph or the ledger ended the run. After a stop, each registrant still gets a row."""
    return isinstance(aborted_by, TeamsRegistrationError) and not isinstance(aborted_by, Stopped)


def why_unfinished(one: Tracked, aborted_by: BaseException | None) -> Problem:
    """
    Return why the run ended before it had the result of a registrant, or had it in the ledger.

    :param one: the registrant.
    :param aborted_by: what ended the run; None if nothing did.
    """
    if isinstance(aborted_by, Fenced):
        return problem_of(aborted_by)
    state, goal = one.state.state, one.policy.goal
    if goal is Goal.CANCEL:
        known = one.state.removals
        is_open = known.is_claimed or known.is_lost or known.confirmed > 0
        return _NOT_PROVED if is_open else NOT_SENT[goal]
    if state is State.DECIDED:
        return _NOT_RECORDED
    if state in (State.UNSENT, State.QUEUED):
        return NOT_SENT[goal]
    return _LOST if one.state.may_be_our_send else _NOT_SETTLED


def why_not_begun(one: Tracked) -> Problem:
    """
    Return why a registrant has no result who follows after the run was interrupted.

    :param one: the registrant, as the ledger has them.
    """
    is_unsent = one.state.state is State.UNSENT or one.policy.goal is Goal.CANCEL
    return NOT_SENT[one.policy.goal] if is_unsent else _NOT_SETTLED
