"""What became of one registrant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

RESULT_COLUMNS = ("outcome", "join_web_url", "error")


class Outcome(str, Enum):
    """What became of one registrant."""

    ENROLLED = "enrolled"
    ALREADY_ENROLLED = "already_enrolled"
    WAITLISTED = "waitlisted"
    PENDING_APPROVAL = "pending_approval"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    INVALID = "invalid"
    """The operator refused the row and sent nothing."""
    REJECTED = "rejected"
    """Graph refused the registrant."""
    NOT_SENT = "not_sent"
    """The operator sent nothing. A retry sends the registrant."""
    UNKNOWN = "unknown"
    """The operator sent the registrant, the response was lost, and no read has shown the outcome yet."""


SUCCESS_OUTCOMES = frozenset({Outcome.ENROLLED, Outcome.ALREADY_ENROLLED, Outcome.WAITLISTED, Outcome.PENDING_APPROVAL})
"""The outcomes that count as success by default."""
NOT_ON_THE_EVENT = frozenset({Outcome.INVALID, Outcome.REJECTED, Outcome.NOT_SENT, Outcome.CANCELLED})
"""Outcomes that leave the registrant off the event."""
MAY_JOIN = frozenset({Outcome.ENROLLED, Outcome.ALREADY_ENROLLED})
"""Outcomes with a link."""


@dataclass(frozen=True)
class Enrollment:
    """
    One registrant's row and its outcome.

    :param position: the row's place in the input, counted from 1.
    :param row: the input row as it came.
    :param outcome: what became of it.
    :param join_web_url: the registrant's own link, a credential; None unless they may join.
    :param error: the problem, in a sentence; None if there is none.
    :param reason: the problem in short, without personal data. Reports group rows by it.
    :param transient: whether a retry is likely to succeed.
    :param is_link_missing: whether the registrant may join and their link cannot be read.
    :param link_forbidden: whether the registrant may join and a missing permission keeps the link from being read.
    :param is_changed: whether the row differs from the data the registrant was enrolled with. Graph keeps that data.
    :param registration_id: Graph's own id of the registration, if it has one.
    :param registrant: the registrant's key; None if the row is invalid.
    """

    position: int
    row: Mapping[str, Any] = field(repr=False)
    outcome: Outcome
    join_web_url: str | None = field(default=None, repr=False)
    error: str | None = None
    reason: str | None = None
    transient: bool = False
    is_link_missing: bool = False
    link_forbidden: bool = False
    is_changed: bool = False
    registration_id: str | None = None
    registrant: str | None = field(default=None, repr=False)

    def as_row(self) -> dict[str, Any]:
        """Return the input row with ``outcome``, ``join_web_url`` and ``error`` added."""
        return {
            **self.row,
            "outcome": self.outcome.value,
            "join_web_url": self.join_web_url,
            "error": self.error,
        }
