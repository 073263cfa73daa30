"""Turn Graph's answers into inputs of the lifecycle."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from airflow_provider_teams_registration.core.registration import RemoteRegistration
from airflow_provider_teams_registration.core.state import (
    ClaimExpired,
    Clash,
    Enrolled,
    Goal,
    Input,
    NotExecuted,
    Refused,
    Removed,
    ResponseLost,
    TokenRefused,
)
from airflow_provider_teams_registration.events.problems import problem_of
from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    BadRequest,
    Conflict,
    GraphError,
    ServiceUnreachable,
    SignInError,
    Stopped,
    TeamsRegistrationError,
    Throttled,
    Unauthorized,
)

Answer = RemoteRegistration | TeamsRegistrationError | Removed | ClaimExpired


def input_of_enrollment(answer: Answer) -> Input:
    """
    Return the input for the answer to an enrollment.

    :param answer: Graph's answer, or the input itself if no enrollment was sent.
    """
    if isinstance(answer, Removed | ClaimExpired):
        return answer
    if isinstance(answer, RemoteRegistration):
        return Enrolled(answer)
    is_of_one = not (isinstance(answer, GraphError) and answer.refused_together)
    if isinstance(answer, BadRequest | Conflict) and is_of_one:
        return Clash(problem_of(answer), is_conflict=isinstance(answer, Conflict))
    return _input_of_failure(answer, is_of_one=is_of_one)


def input_of_removal(error: TeamsRegistrationError, goal: Goal) -> Input:
    """
    Return the input for a removal that failed.

    :param error: the error.
    :param goal: the goal of the run.
    """
    is_of_one = not (isinstance(error, GraphError) and error.refused_together)
    if error.transient and not was_not_executed(error) and not isinstance(error, AnswerLost):
        return NotExecuted(problem_of(error))
    found = _input_of_failure(error, is_of_one=is_of_one)
    if isinstance(found, Refused) and goal is Goal.ENROLL:
        said = f"on the event, and could not be taken off for a new link: {found.why.text}"
        return Refused(replace(found.why, text=said))
    return found


def was_not_executed(answer: object) -> TypeGuard[TeamsRegistrationError]:
    """Return whether Graph did not execute the request, so that it may be sent again."""
    is_sign_in_in_trouble = isinstance(answer, SignInError) and answer.transient
    return is_sign_in_in_trouble or isinstance(answer, Throttled | ServiceUnreachable | Stopped)


def _input_of_failure(answer: TeamsRegistrationError, *, is_of_one: bool) -> Input:
    why = problem_of(answer)
    if isinstance(answer, Unauthorized) and is_of_one:
        return TokenRefused(why)
    if was_not_executed(answer):
        return NotExecuted(why)
    if isinstance(answer, AnswerLost):
        return ResponseLost(why)
    return Refused(why)
