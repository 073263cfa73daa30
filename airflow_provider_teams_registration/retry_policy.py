"""A retry policy for Airflow 3.3+ that waits as long as Graph asks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class TeamsRegistrationRetryPolicy(RetryPolicy):
    """
    Retry after the wait that Graph asks for, and never retry a permanent refusal.

    .. code-block:: python

        EnrollRegistrantOperator(..., retries=3, retry_policy=TeamsRegistrationRetryPolicy())

    It needs Airflow 3.3 or newer. Older versions do not retry permanent refusals either, and wait for the task's
    ``retry_delay``.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """
        Decide whether and when to retry a failed try.

        :param exception: the exception of the task.
        :param try_number: the current try, counted from 1.
        :param max_tries: the number of tries.
        :param context: the task's context.
        """
        if isinstance(exception, PermanentFailure):
            return RetryDecision.fail("A retry cannot succeed.")
        seconds = exception.retry_after if isinstance(exception, TransientFailure) else None
        if seconds is None:
            return RetryDecision.default()
        return RetryDecision.retry(timedelta(seconds=seconds), f"Graph asked for a wait of {seconds:.0f} s.")

    def serialize(self) -> dict[str, Any]:
        """Return an empty dict, because the policy has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> TeamsRegistrationRetryPolicy:
        """Return a policy."""
        return cls()
