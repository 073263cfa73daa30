"""The two exceptions that tell Airflow whether to retry a task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_teams_registration.exceptions import TeamsRegistrationError


class TransientFailure(AirflowException):
    """
    A retry may succeed, so the task's retries apply.

    :param message: what went wrong.
    :param retry_after: seconds until the next try, if Graph asks for a wait.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentFailure(AirflowFailException):
    """A retry cannot succeed, so the task fails without using its retries."""


@contextmanager
def failures_for_airflow() -> Iterator[None]:
    """
    Turn the errors of Entra and Graph into exceptions for Airflow's retries.

    :raises TransientFailure: the error is transient.
    :raises PermanentFailure: the error is not transient.
    """
    try:
        yield
    except TeamsRegistrationError as error:
        raise failure(error) from error


def failure(error: TeamsRegistrationError) -> TransientFailure | PermanentFailure:
    """Return the Airflow exception for an error of Entra or Graph."""
    if error.transient:
        return TransientFailure(str(error), error.retry_after)
    return PermanentFailure(str(error))
