"""Answers to a registration form's required questions, for a test person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_teams_registration.graph.webinar_bodies import Question

_TEXT = "test"


def sample_answers(questions: Iterable[Question]) -> tuple[Mapping[str, Any], ...]:
    """
    Return an answer to each question that is required.

    :param questions: the form's questions.
    """
    return tuple(_answer(question) for question in questions if question.is_required)


def _answer(question: Question) -> Mapping[str, Any]:
    first = question.choices[0] if question.choices else _TEXT
    if question.input_type == "boolean":
        return {"questionId": question.id, "booleanValue": True}
    if question.input_type == "multiChoice":
        return {"questionId": question.id, "multiChoiceValues": [first]}
    return {"questionId": question.id, "value": first if question.input_type == "singleChoice" else _TEXT}
