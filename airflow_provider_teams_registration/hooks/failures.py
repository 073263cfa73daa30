"""What a failure means to Airflow: try again, or stop at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError


class TransientFailure(AirflowException):
    """Trying again may well succeed; the task's retries apply."""


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
    kind = TransientFailure if error.transient else PermanentFailure
    return kind(str(error))
