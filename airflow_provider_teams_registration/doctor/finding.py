"""What one check found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

ALL_FINE, SOMETHING_MISSING, CANNOT_RUN = 0, 1, 2


class Verdict(Enum):
    """What became of a check."""

    FINE = "fine"
    MISSING = "missing"
    CANNOT_BE_TOLD = "cannot be told"


@dataclass(frozen=True)
class Finding:
    """
    What one check found. It holds ids, and neither links nor anything personal.

    :param check: what was checked, in a word or two.
    :param verdict: what became of the check.
    :param sentence: what was found.
    :param remedy: the one thing to do about it, ready to paste; None where there is nothing to do.
    :param is_required: whether people cannot be enrolled without it. Default True.
    :param is_interrupted: whether the check could not run, because the service gave no usable answer. Default False.
    """

    check: str
    verdict: Verdict
    sentence: str
    remedy: str | None = None
    is_required: bool = True
    is_interrupted: bool = False

    @property
    def stands_in_the_way(self) -> bool:
        """Whether something is missing that is required."""
        return self.verdict is Verdict.MISSING and self.is_required

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "check": self.check,
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "remedy": self.remedy,
            "required": self.is_required,
        }


def fine(check: str, sentence: str) -> Finding:
    """Return that all is well."""
    return Finding(check, Verdict.FINE, sentence)


def missing(check: str, sentence: str, remedy: str, *, is_required: bool = True) -> Finding:
    """Return that something is missing."""
    return Finding(check, Verdict.MISSING, sentence, remedy, is_required=is_required)


def cannot_be_told(check: str, sentence: str, remedy: str | None = None) -> Finding:
    """Return that a check does not tell, as where only a write would."""
    return Finding(check, Verdict.CANNOT_BE_TOLD, sentence, remedy)


def interrupted(check: str, sentence: str) -> Finding:
    """Return that a check could not run."""
    return Finding(check, Verdict.CANNOT_BE_TOLD, sentence, is_interrupted=True)


def exit_status(findings: Iterable[Finding]) -> int:
    """
    Return the exit status that stands for findings.

    :return: 1 where something required is missing; else 2 where a check could not run; else 0.
    """
    found = list(findings)
    if any(one.stands_in_the_way for one in found):
        return SOMETHING_MISSING
    return CANNOT_RUN if any(one.is_interrupted for one in found) else ALL_FINE
