"""Convert errors of the Graph client to problems, as decisions and rows use them."""

from __future__ import annotations

from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.exceptions import AnswerLost, GraphError, TeamsRegistrationError


def problem_of(error: TeamsRegistrationError) -> Problem:
    """
    Return the problem that an error describes.

    :param error: the error. Its text holds no personal data.
    """
    return Problem(
        str(error),
        _reason(error),
        is_transient=error.transient,
        code=getattr(error, "code", None),
        request_id=getattr(error, "request_id", None),
    )


def _reason(error: TeamsRegistrationError) -> str:
    if isinstance(error, AnswerLost):
        return error.what
    if isinstance(error, GraphError):
        return " ".join(filter(None, [error.reason, error.advice]))
    return str(error)
