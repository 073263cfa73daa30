"""Read the questions of a webinar's form that an earlier attempt kept in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_teams_registration.graph.webinar_bodies import Question

_KINDS: Mapping[str, type] = {"id": str, "display_name": str, "is_required": bool, "input_type": str}


def read_remembered(remembered: Any) -> list[Question] | None:
    """
    Return the questions; None if the value holds anything else.

    :param remembered: a dict with ``questions``, a list of dicts with the fields of ``Question``, or anything else.
    """
    questions = remembered.get("questions") if isinstance(remembered, Mapping) else None
    if not isinstance(questions, list) or not all(map(_is_question, questions)):
        return None
    return [Question(**{name: one[name] for name in _KINDS}, choices=tuple(one["choices"])) for one in questions]


def _is_question(one: Any) -> bool:
    if not isinstance(one, Mapping) or not isinstance(one.get("choices"), list | tuple):
        return False
    is_of_kinds = all(isinstance(one.get(name), kind) for name, kind in _KINDS.items())
    return is_of_kinds and all(isinstance(choice, str) for choice in one["choices"])
