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
    """We refused it; nothing was sent."""
    REJECTED = "rejected"
    """Graph refused it."""
    UNKNOWN = "unknown"
    """Sent, the answer lost, not yet settled."""


SUCCESS_OUTCOMES = frozenset({Outcome.ENROLLED, Outcome.ALREADY_ENROLLED, Outcome.WAITLISTED, Outcome.PENDING_APPROVAL})
"""What is fine unless somebody says otherwise."""


@dataclass(frozen=True)
class Enrollment:
    """
    One registrant's outcome.

    :param position: where the row stood in the input, counted from 1.
    :param row: the input row as it came.
    :param outcome: what became of it.
    :param join_web_url: the registrant's own link, a credential; None unless they may join.
    :param error: what stands in the way, in a sentence; None where nothing does.
    :param reason: the same in short and without anything personal, to group by.
    :param transient: whether trying again later may well succeed.
    :param is_link_missing: whether they may join and nobody can say with which link.
    :param is_link_withheld: whether they may join and the link may not be read, for want of a permission.
    :param is_changed: whether the row differs from what they were enrolled with, which was left as it is.
    :param registration_id: the service's own id of the registration, if it has one.
    :param registrant: the key they are enrolled under; None where the row is no registrant.
    """

    position: int
    row: Mapping[str, Any] = field(repr=False)
    outcome: Outcome
    join_web_url: str | None = field(default=None, repr=False)
    error: str | None = None
    reason: str | None = None
    transient: bool = False
    is_link_missing: bool = False
    is_link_withheld: bool = False
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
