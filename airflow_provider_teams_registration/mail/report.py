"""What came of everybody, in counts and positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_teams_registration.core.mail import MailKind, MailState
from airflow_provider_teams_registration.mail.gate import positions_in_words
from airflow_provider_teams_registration.mail.plan import Skip
from airflow_provider_teams_registration.mail.recipient import LeftOut

_MAILED: dict[MailKind, str] = {
    MailKind.JOIN: "mailed",
    MailKind.WAITLIST: "mailed_waitlist",
    MailKind.CANCELLED: "mailed_cancellation",
}
LATER = "mail_later"
NO_MAIL = "no_mail"
NOTHING_TO_TELL = "nothing_to_tell"
_IN_WORDS = {
    "mailed": "mailed",
    "mailed_waitlist": "mailed about the waitlist",
    "mailed_cancellation": "mailed about being taken off",
    Skip.ALREADY_MAILED.value: "mailed before",
    Skip.CHANGED.value: "mailed before a change of link or time",
    Skip.NEVER_MAILED.value: "taken off and never mailed",
    Skip.OF_AN_EARLIER_RUN.value: "enrolled by an earlier run",
    Skip.NOT_ASKED_FOR.value: "waiting, without a template for that",
    Skip.CLAIMED_ELSEWHERE.value: "just being mailed by another task",
    Skip.UNKNOWN_EARLIER.value: "handed over without an answer by an earlier run",
    MailState.REFUSED.value: "refused by the mail server",
    MailState.UNKNOWN.value: "handed over without an answer",
    LATER: "refused by the mail server for now",
    NO_MAIL: "without the mail that they should have",
    NOTHING_TO_TELL: "with nothing to tell",
}


@dataclass
class MailReport:
    """
    What came of everybody. It holds positions in the input and nobody's data.

    :ivar positions: the positions of the rows, by what came of them.
    :ivar reasons: the positions of the rows, by why nobody was mailed for them or by the mail server's code.
    """

    positions: dict[str, list[int]] = field(default_factory=dict)
    reasons: dict[str, list[int]] = field(default_factory=dict)

    def count_left_out(self, left_out: Iterable[LeftOut]) -> None:
        """Count people who get no mail because of what their rows hold."""
        for one in left_out:
            self._count(NOTHING_TO_TELL if one.is_expected else NO_MAIL, one.position)
            if not one.is_expected:
                self.reasons.setdefault(one.reason, []).append(one.position)

    def count_skip(self, position: int, skip: Skip) -> None:
        """Count a person who gets no mail now because of what the ledger holds."""
        self._count(skip.value, position)

    def count_lost_claim(self, position: int) -> None:
        """Count a person whom another task claimed first."""
        self._count(Skip.CLAIMED_ELSEWHERE.value, position)

    def count_later(self, position: int) -> None:
        """Count a person whom the mail server refused for now each time."""
        self._count(LATER, position)

    def count_mail(self, position: int, kind: MailKind, state: MailState, code: str | None) -> None:
        """Count a mail that was handed over or refused."""
        self._count(_MAILED[kind] if state is MailState.MAILED else state.value, position)
        if code is not None:
            self.reasons.setdefault(f"the mail server answered {code}", []).append(position)

    def take_claimed_elsewhere(self) -> list[int]:
        """Return the positions that other tasks had claimed, and count them anew."""
        return self.positions.pop(Skip.CLAIMED_ELSEWHERE.value, [])

    def number(self, *names: str) -> int:
        """Return how many people these things came of."""
        return sum(len(self.positions.get(name, ())) for name in names)

    @property
    def total(self) -> int:
        """How many rows there were."""
        return self.number(*self.positions)

    @property
    def sent(self) -> int:
        """How many mails this attempt handed over."""
        return self.number(*_MAILED.values(), MailState.UNKNOWN.value)

    @property
    def refused(self) -> int:
        """How many people have no mail and should have one."""
        return self.number(NO_MAIL, MailState.REFUSED.value)

    @property
    def unknown(self) -> int:
        """How many people may or may not have a mail."""
        return self.number(MailState.UNKNOWN.value)

    @property
    def later(self) -> int:
        """How many people a retry may mail."""
        return self.number(LATER, Skip.CLAIMED_ELSEWHERE.value)

    def summary(self) -> dict[str, Any]:
        """Return the counts, without personal data."""
        return {
            "rows": self.total,
            **{name: len(positions) for name, positions in sorted(self.positions.items())},
            "reasons": {reason: len(positions) for reason, positions in self.reasons.items()},
        }

    def summary_line(self) -> str:
        """Return the counts in words."""
        counts = ", ".join(f"{len(positions):,} {_IN_WORDS[name]}" for name, positions in self.positions.items())
        return f"{self.total:,} row{'' if self.total == 1 else 's'}: {counts or 'nobody to mail'}"

    def error_summary(self) -> str:
        """Return the problems, by reason. The text names positions and no person."""
        groups = [f"{positions_in_words(positions)}: {reason}" for reason, positions in self.reasons.items()]
        unknown = self.positions.get(MailState.UNKNOWN.value)
        if unknown:
            groups.append(
                f"{positions_in_words(unknown)}: the mail was handed over and the mail server's answer was lost. They "
                "are not mailed again unless again='all'"
            )
        return "; ".join(groups)

    def _count(self, name: str, position: int) -> None:
        self.positions.setdefault(name, []).append(position)
