"""A problem, in the words that rows and the ledger show."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Problem:
    """
    Why a registrant has no success or no link. It holds no token, no link and no personal data.

    :param text: the sentence for the registrant's row.
    :param reason: the problem in short, without details that differ between registrants. Reports group by it. Default:
        the text.
    :param is_transient: whether a retry is likely to succeed.
    :param code: Graph's error code.
    :param request_id: Graph's id of the request.
    """

    text: str
    reason: str = field(default="")
    is_transient: bool = False
    code: str | None = None
    request_id: str | None = None

    def __post_init__(self) -> None:
        if not self.reason:
            object.__setattr__(self, "reason", self.text)
