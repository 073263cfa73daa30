"""One row per registrant, and counts that add up to the input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_teams_registration.core.double_enrollments import DoubleEnrollments
from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.core.outcome import SUCCESS_OUTCOMES, Enrollment, Outcome

_POSITIONS_NAMED = 5
_REASONS_NAMED = 20


@dataclass
class _Group:
    """Registrants with the same outcome and problem."""

    outcome: Outcome
    count: int = 0
    positions: list[int] = field(default_factory=list)

    def add(self, position: int) -> None:
        self.count += 1
        if len(self.positions) <= _POSITIONS_NAMED:
            self.positions.append(position)

    def said(self, reason: str) -> str:
        named = ", ".join(str(position) for position in self.positions[:_POSITIONS_NAMED])
        more = ", …" if self.count > _POSITIONS_NAMED else ""
        rows = "rows" if self.count > 1 else "row"
        return f"{self.count} {self.outcome.value.replace('_', ' ')} ({rows} {named}{more}): {reason}"


class Report:
    """
    The outcomes of all registrants.

    :param enrollments: one per registrant, in input order.
    :param repeated: how many input rows the operator left out because they repeat an earlier one.
    :param aborted_by: what ended the sending early; None if nothing did.
    :param keep: a function that takes the enrollments as they are added; by default the report keeps them.
    :param success_outcomes: the outcomes that count as success. Every other outcome except ``unknown`` and ``not_sent``
        counts as refused.
    :ivar event: what the event is called and when it is, if Graph said so.
    :ivar double_enrollments: the people whom another run enrolled at the same time, as far as the run looked for them.
    """

    def __init__(
        self,
        enrollments: Sequence[Enrollment] = (),
        repeated: int = 0,
        aborted_by: BaseException | None = None,
        keep: Callable[[Sequence[Enrollment]], None] | None = None,
        success_outcomes: Collection[Outcome] = SUCCESS_OUTCOMES,
    ) -> None:
        self._success_outcomes = frozenset(success_outcomes)
        self.enrollments: list[Enrollment] = []
        self.repeated = 0
        self.aborted_by = aborted_by
        self.event: EventFacts | None = None
        self.double_enrollments = DoubleEnrollments()
        self.total = 0
        self.links_missing = 0
        self.links_withheld = 0
        self.changed = 0
        self.transient = 0
        self._keep = keep or self.enrollments.extend
        self._outcomes: Counter[Outcome] = Counter()
        self._without_link: Counter[Outcome] = Counter()
        self._groups: dict[tuple[str, Outcome], _Group] = {}
        self.add(enrollments, repeated)

    def add(self, enrollments: Sequence[Enrollment], repeated: int = 0) -> None:
        """Count more registrants, in input order."""
        for enrollment in enrollments:
            self._outcomes[enrollment.outcome] += 1
            self.links_missing += enrollment.is_link_missing
            self.links_withheld += enrollment.link_forbidden
            self._without_link[enrollment.outcome] += enrollment.is_link_missing or enrollment.link_forbidden
            self.changed += enrollment.is_changed
            is_trouble = enrollment.outcome not in self._success_outcomes
            self.transient += enrollment.transient and is_trouble
            if is_trouble or enrollment.is_link_missing or enrollment.link_forbidden or enrollment.is_changed:
                key = (enrollment.reason or "no reason given", enrollment.outcome)
                group = self._groups.setdefault(key, _Group(enrollment.outcome))
                group.add(enrollment.position)
        self.total += len(enrollments)
        self.repeated += repeated
        self._keep(enrollments)

    @property
    def counts(self) -> dict[str, int]:
        """The number of registrants for each outcome that occurs."""
        return {outcome.value: self._outcomes[outcome] for outcome in Outcome if self._outcomes[outcome]}

    @property
    def refused(self) -> int:
        """How many registrants the operator, Graph or the organizer refused."""
        return sum(
            count
            for outcome, count in self._outcomes.items()
            if outcome not in self._success_outcomes and outcome not in (Outcome.UNKNOWN, Outcome.NOT_SENT)
        )

    @property
    def not_sent(self) -> int:
        """How many registrants the operator did not send. A retry sends them."""
        return self._outcomes[Outcome.NOT_SENT]

    @property
    def unknown(self) -> int:
        """How many registrants may or may not be enrolled."""
        return self._outcomes[Outcome.UNKNOWN]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per registrant: the input row with its outcome."""
        return [enrollment.as_row() for enrollment in self.enrollments]

    def summary(self) -> dict[str, Any]:
        """
        Return the counts and the event, without data of registrants.

        ``rows`` is the sum of ``outcomes`` and ``repeated``.
        """
        reasons: Counter[str] = Counter()
        for reason, group in self._sorted_groups():
            reasons[reason] += group.count
        return {
            "rows": self.total + self.repeated,
            "repeated": self.repeated,
            "outcomes": self.counts,
            "links_missing": self.links_missing,
            "links_withheld": self.links_withheld,
            "changed": self.changed,
            "reasons": dict(reasons),
            **({"event": self.event.as_json()} if self.event else {}),
        }

    def summary_line(self) -> str:
        """Return the counts in words: ``57 registrants: 54 enrolled, 3 invalid``."""
        counts = ", ".join(self._count_in_words(outcome) for outcome in Outcome if self._outcomes[outcome])
        repeated = f" (repeated rows left out: {self.repeated})" if self.repeated else ""
        return f"{count_registrants(self.total)}: {counts or 'nothing to do'}{repeated}"

    def _count_in_words(self, outcome: Outcome) -> str:
        without_link = self._without_link[outcome]
        note = f" ({without_link} of them without a link)" if without_link else ""
        return f"{self._outcomes[outcome]} {outcome.value.replace('_', ' ')}{note}"

    def error_summary(self) -> str:
        """Return the problems, grouped by reason. The text names positions in the input and no person."""
        return "; ".join(group.said(reason) for reason, group in self._sorted_groups())

    def _sorted_groups(self) -> list[tuple[str, _Group]]:
        groups = ((reason, group) for (reason, _), group in self._groups.items())
        by_count = sorted(groups, key=lambda item: -item[1].count)
        if len(by_count) <= _REASONS_NAMED:
            return by_count
        others = _Group(by_count[_REASONS_NAMED][1].outcome)
        for _, group in by_count[_REASONS_NAMED:]:
            others.count += group.count
            others.positions += group.positions
        return [*by_count[:_REASONS_NAMED], ("other reasons", others)]


def count_registrants(number: int) -> str:
    """Return ``1 registrant``, ``57 registrants``."""
    return f"{number:,} registrant{'' if number == 1 else 's'}"
