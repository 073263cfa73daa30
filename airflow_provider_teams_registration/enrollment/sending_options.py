"""How people are sent, and what may end the sending early."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_teams_registration.enrollment.settling import DEFAULT_SETTLE_AFTER, OnMissingJoinUrl


class Stopped(Exception):
    """Somebody asked for an end of the sending."""


class Postponed(Exception):
    """
    The service asks for a wait that nobody should sit through.

    :ivar seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the service asks for {seconds:.0f} s of patience")
        self.seconds = seconds


@dataclass(frozen=True)
class SendingOptions:
    """
    How people are sent.

    :param max_parallel_requests: how many calls may be under way at once.
    :param on_missing_join_url: what to do about people on the event whose link cannot be read.
    :param settle_after: seconds until a send that does not show on the event counts as never landed.
    :param defer_over: seconds of waiting beyond which the sending ends as :class:`Postponed`; None never does.
    """

    max_parallel_requests: int = 8
    on_missing_join_url: OnMissingJoinUrl = OnMissingJoinUrl.FAIL
    settle_after: float = DEFAULT_SETTLE_AFTER
    defer_over: float | None = None
