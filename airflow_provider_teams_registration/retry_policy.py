"""A retry policy for Airflow 3.3+ that hands the service's own wait to Airflow's retry."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class TeamsRegistrationRetryPolicy(RetryPolicy):
    """
    Retries when the service said it may be asked again, and never a permanent refusal.

    .. code-block:: python

        EnrollRegistrantOperator(..., retries=3, retry_policy=TeamsRegistrationRetryPolicy())

    It takes Airflow 3.3 or newer. On older ones permanent refusals are not retried either, and the task's
    ``retry_delay`` is the wait.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """
        Decide about a failed try.

        :param exception: what the task raised.
        :param try_number: the current try, counted from 1.
        :param max_tries: how many there are.
        :param context: the task's context.
        """
        if isinstance(exception, PermanentFailure):
            return RetryDecision.fail("Trying again changes nothing.")
        seconds = exception.retry_after if isinstance(exception, TransientFailure) else None
        if seconds is None:
            return RetryDecision.default()
        return RetryDecision.retry(timedelta(seconds=seconds), f"The service asks for {seconds:.0f} s of patience.")

    def serialize(self) -> dict[str, Any]:
        """Return what the serialized DAG holds of it: it has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> TeamsRegistrationRetryPolicy:
        """Make it anew."""
        return cls()
