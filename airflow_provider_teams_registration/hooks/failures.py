"""What a failure means to Airflow: try again, or stop at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError


class TransientFailure(AirflowException):
    """
    Trying again may well succeed; the task's retries apply.

    :param message: what went wrong.
    :param retry_after: seconds that the service asks to wait before the next try, if it does.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentFailure(AirflowFailException):
    """Trying again changes nothing; the task fails without burning its retries."""


@contextmanager
def failures_for_airflow() -> Iterator[None]:
    """
    Turn what Entra and Graph raise into what Airflow's retries understand.

    :raises TransientFailure: the error is transient.
    :raises PermanentFailure: it is not.
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
