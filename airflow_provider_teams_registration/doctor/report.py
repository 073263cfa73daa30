"""Findings as text and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.doctor.finding import Finding, exit_status

if TYPE_CHECKING:
    from airflow_provider_teams_registration.doctor.trial import Trial

_WIDTH = 110


def as_text(findings: Sequence[Finding]) -> str:
    """
    Return findings as a table, with the remedy below each line that has one.

    A remedy stands on one line of its own, however long, so that it can be copied.

    :param findings: the findings, in the order of the checks.
    """
    checks = max((len(one.check) for one in findings), default=0)
    verdicts = max((len(_verdict(one)) for one in findings), default=0)
    lines = []
    for one in findings:
        head = f"{one.check:<{checks}}  {_verdict(one):<{verdicts}}  "
        indent = " " * len(head)
        # Names of permissions and ids stay whole.
        lines += textwrap.wrap(
            one.sentence,
            _WIDTH,
            initial_indent=head,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if one.remedy:
            lines.append(f"{indent}-> {one.remedy}")
    return "\n".join(lines)


def as_json(findings: Sequence[Finding], trial: Trial | None = None) -> str:
    """
    Return findings as a JSON object: ``findings``, and the ``exit_status`` that stands for them.

    :param findings: the findings, in the order of the checks.
    :param trial: what was tried with a test person; its ``switches`` and the rest stand beside the findings.
    """
    found = {"findings": [one.as_json() for one in findings], "exit_status": exit_status(findings)}
    return json.dumps({**found, **(trial.as_json() if trial else {})}, indent=2, ensure_ascii=False)


def trial_as_text(trial: Trial) -> str:
    """
    Return what was tried with a test person as a table, and the emulator's switches as JSON.

    :param trial: what was tried.
    """
    questions = max((len(question) for question, _ in trial.observations), default=0)
    lines = [f"{question:<{questions}}  {answer}" for question, answer in trial.observations]
    left = f"Left behind: {trial.left}" if trial.left else "Nothing is left behind but the cancelled registration."
    return "\n".join([*lines, left, json.dumps({"switches": trial.switches}, indent=2)])


def _verdict(finding: Finding) -> str:
    return finding.verdict.value if finding.is_required else f"{finding.verdict.value} (optional)"
