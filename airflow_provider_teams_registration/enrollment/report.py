"""One row per registrant, counts that add up to the input, and whether the refusals were tolerated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from airflow_provider_teams_registration.enrollment.outcome import REFUSED, Enrollment, Outcome

_POSITIONS_NAMED = 5


@dataclass(frozen=True)
class MaxRejected:
    """
    How many refusals are tolerated.

    :param limit: a number of registrants, or a per cent of them.
    :param is_per_cent: which of the two.
    """

    limit: Decimal
    is_per_cent: bool = False

    @classmethod
    def read(cls, value: int | str) -> MaxRejected:
        """
        Read a number (``3``, ``"3"``) or a per cent (``"5%"``, ``"2.5 %"``).

        :raises ValueError: it is neither, or out of range.
        """
        text = str(value).strip()
        is_per_cent = text.endswith("%")
        try:
            limit = Decimal(text.rstrip("%")) if is_per_cent else Decimal(int(text))
        except (ArithmeticError, ValueError):
            limit = Decimal("nan")
        if isinstance(value, bool) or not limit.is_finite() or limit < 0 or (is_per_cent and limit > 100):
            raise ValueError(
                f"max_rejected is {value!r}; it must be a whole number from 0, or a per cent from '0%' to '100%'."
            )
        return cls(limit, is_per_cent)

    def tolerates(self, refused: int, of: int) -> bool:
        """Whether so many refused of so many registrants are within the limit."""
        return refused * 100 <= self.limit * of if self.is_per_cent else refused <= self.limit

    def __str__(self) -> str:
        return f"{self.limit.normalize():f}{'%' if self.is_per_cent else ''}"


@dataclass(frozen=True)
class Report:
    """
    What became of everybody.

    :param enrollments: one per registrant, in input order.
    :param repeated: how many input rows were left out because an equal one came before.
    :param cut_short: what ended the sending before everybody was through; None where nothing did.
    """

    enrollments: Sequence[Enrollment]
    repeated: int = 0
    cut_short: BaseException | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many registrants have which outcome; outcomes nobody has are left out."""
        found = Counter(enrollment.outcome for enrollment in self.enrollments)
        return {outcome.value: found[outcome] for outcome in Outcome if found[outcome]}

    @property
    def refused(self) -> list[Enrollment]:
        """Those who were refused, by us, by Graph or by the organizer."""
        return [enrollment for enrollment in self.enrollments if enrollment.outcome in REFUSED]

    @property
    def unknown(self) -> list[Enrollment]:
        """Those of whom it is not known whether they are enrolled."""
        return [enrollment for enrollment in self.enrollments if enrollment.outcome is Outcome.UNKNOWN]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per registrant: the input row, and what became of it."""
        return [enrollment.as_row() for enrollment in self.enrollments]

    def summary(self) -> dict[str, Any]:
        """Return the counts, without anything personal: ``rows`` in the input = the outcomes + ``repeated``."""
        return {
            "rows": len(self.enrollments) + self.repeated,
            "repeated": self.repeated,
            "outcomes": self.counts,
            "reasons": {reason: len(group) for reason, group in _by_reason([*self.refused, *self.unknown]).items()},
        }

    def sentence(self) -> str:
        """Return the counts in words: ``57 registrants: 54 enrolled, 3 invalid``."""
        counts = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in self.counts.items())
        repeated = f" (repeated rows left out: {self.repeated})" if self.repeated else ""
        return f"{count_registrants(len(self.enrollments))}: {counts or 'nothing to do'}{repeated}"

    def complaint(self) -> str:
        """Return what went wrong, grouped by reason, naming positions in the input and nobody."""
        groups = _by_reason([*self.refused, *self.unknown])
        return "; ".join(
            f"{len(group)} {group[0].outcome.value} (row{'s' if len(group) > 1 else ''} {_positions(group)}): {reason}"
            for reason, group in groups.items()
        )


def count_registrants(number: int) -> str:
    """Return ``1 registrant``, ``57 registrants``."""
    return f"{number:,} registrant{'' if number == 1 else 's'}"


def _by_reason(enrollments: Sequence[Enrollment]) -> dict[str, list[Enrollment]]:
    groups: dict[str, list[Enrollment]] = {}
    for enrollment in enrollments:
        groups.setdefault(enrollment.reason or "no reason given", []).append(enrollment)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def _positions(group: Sequence[Enrollment]) -> str:
    named = ", ".join(str(enrollment.position) for enrollment in group[:_POSITIONS_NAMED])
    return f"{named}, …" if len(group) > _POSITIONS_NAMED else named
