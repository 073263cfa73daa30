"""Find the question of a webinar's form that a column names."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from airflow_provider_teams_registration.events.columns import folded_header
from airflow_provider_teams_registration.events.webinar.wording import as_read, as_written
from airflow_provider_teams_registration.graph.webinar_bodies import Question

log = logging.getLogger(__name__)

_NEARLY = 0.8
_LONGEST_COMPARED = 200
_NAMES_REMEMBERED = 1000


class QuestionColumns:
    """
    Finds questions by their ids and wordings.

    :param questions: the form's questions.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = questions
        self._by_id: dict[str, Question] = {}
        self._by_writing: dict[str, list[Question]] = {}
        self._by_reading: dict[str, list[Question]] = {}
        for question in questions:
            self._by_id[as_written(question.id)] = question
            self._by_writing.setdefault(as_written(question.display_name), []).append(question)
            self._by_reading.setdefault(as_read(question.display_name), []).append(question)
        self._nearly: dict[str, Sequence[Question]] = {}
        self._warned: set[str] = set()

    def named_by_id(self, name: str) -> Question | None:
        """Return the question with an id; None if there is none."""
        return self._by_id.get(as_written(name)) or self._by_id.get(folded_header(name))

    def named(self, name: str) -> Sequence[Question]:
        """Return the question with an id or a wording; several questions if people read them alike."""
        by_id = self.named_by_id(name)
        if by_id is not None:
            return [by_id]
        return self._by_writing.get(as_written(name)) or self._by_reading.get(as_read(folded_header(name)), [])

    def warn_about_near_names(self, names: Collection[str], asked: Collection[Question]) -> None:
        """
        Log, once per question, that a column nearly names it. Such a column is not sent.

        :param names: the columns of a row that have a value and name no question.
        :param asked: the questions that other columns of the row name.
        """
        for name in names if self._questions else ():
            for question in self._nearly_named(name):
                if question not in asked and question.id not in self._warned:
                    self._warned.add(question.id)
                    log.warning(
                        "The name of a column is similar to the question %r. It is not sent as the answer. Name the "
                        "column exactly like the question, or by the question's id.",
                        question.display_name,
                    )

    def _nearly_named(self, name: str) -> Sequence[Question]:
        if name in self._nearly:
            return self._nearly[name]
        near = [question for question in self._questions if _is_near(name, question.display_name)]
        if len(self._nearly) < _NAMES_REMEMBERED:
            self._nearly[name] = near
        return near


def _is_near(name: str, wording: str) -> bool:
    one, other = _letters(name), _letters(wording)
    if not one or not other:
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.real_quick_ratio() >= _NEARLY and matcher.quick_ratio() >= _NEARLY and matcher.ratio() >= _NEARLY


def _letters(text: str) -> str:
    return "".join(one for one in as_read(text) if one.isalnum())[:_LONGEST_COMPARED]
