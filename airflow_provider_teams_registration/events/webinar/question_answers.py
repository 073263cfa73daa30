"""Convert cells to answers to a webinar's questions, in Graph's form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.cells import NotText, as_text, says_nothing
from airflow_provider_teams_registration.events.columns import possible_text
from airflow_provider_teams_registration.events.webinar.wording import as_read, as_written
from airflow_provider_teams_registration.graph.webinar_bodies import Question

# The spellings of PostgreSQL, of HTML forms and of people.
_YES = frozenset({"true", "yes", "y", "t", "on", "1"})
_NO = frozenset({"false", "no", "n", "f", "off", "0"})


def read_answer(question: Question, value: Any) -> dict[str, Any] | None:
    """
    Return an answer in Graph's form.

    :param question: the question.
    :param value: a cell of a row.
    :return: the answer; None if the cell is empty.
    :raises InvalidRow: the value cannot be an answer to the question.
    """
    if says_nothing(value):
        return None
    answer: dict[str, Any] = {"questionId": question.id}
    if question.input_type == "boolean":
        return {**answer, "booleanValue": _yes_or_no(question, value)}
    if question.input_type == "multiChoice":
        chosen = {_choice(question, one) for one in _chosen(question, value) if not says_nothing(one)}
        if not chosen:
            return None
        return {**answer, "multiChoiceValues": [choice for choice in question.choices if choice in chosen]}
    if question.input_type == "singleChoice":
        return {**answer, "value": _choice(question, value)}
    return {**answer, "value": possible_text(question.display_name, _text(question, value))}


def _chosen(question: Question, value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    text = _text(question, value)
    # A choice may hold a semicolon or a bracket itself.
    if _fitting(question, text):
        return [text]
    listed = _listed(text)
    return text.split(";") if listed is None else listed


def _listed(text: str) -> list[Any] | None:
    """Read a JSON list, which a database may return as text; None if the text is no such list."""
    if not text.lstrip().startswith("["):
        return None
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return listed if isinstance(listed, list) else None


def _choice(question: Question, value: Any) -> str:
    fitting = _fitting(question, _text(question, value))
    if not fitting:
        raise InvalidRow(
            f"the answer to {question.display_name!r} is none of its choices: {', '.join(question.choices)}"
        )
    if len(fitting) > 1:
        raise InvalidRow(
            f"the answer to {question.display_name!r} fits several of its choices: {', '.join(fitting)}; write it "
            "exactly like one of them"
        )
    return fitting[0]


def _fitting(question: Question, text: str) -> list[str]:
    """Return the choices that match a text. There are several only if people read them alike."""
    if text in question.choices:
        return [text]
    for folded in (as_written, as_read):
        fitting = [choice for choice in dict.fromkeys(question.choices) if folded(choice) == folded(text)]
        if fitting:
            return fitting
    return []


def _text(question: Question, value: Any) -> str:
    try:
        return as_text(value)
    except NotText as error:
        raise InvalidRow(f"the question {question.display_name!r} takes one answer, not {error}") from None


def _yes_or_no(question: Question, value: Any) -> bool:
    if isinstance(value, bytes | bytearray) and value.strip(b"\0") in (b"", b"\1"):
        # The type BIT of MySQL.
        return b"\1" in value
    try:
        text = as_read(as_text(value))
    except NotText:
        text = ""
    if text not in _YES | _NO:
        raise InvalidRow(f"the answer to {question.display_name!r} must be yes or no")
    return text in _YES
