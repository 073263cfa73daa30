"""Read rows as registrants of a webinar, and check before the first request that they have what the form needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.cells import in_words, says_nothing
from airflow_provider_teams_registration.events.columns import Column, Columns, folded_header, in_a_row
from airflow_provider_teams_registration.events.registrant_id import ID
from airflow_provider_teams_registration.events.webinar.keys import (
    EMAIL,
    read_given_email,
    read_registration_id,
)
from airflow_provider_teams_registration.events.webinar.question_answers import read_answer
from airflow_provider_teams_registration.events.webinar.question_columns import QuestionColumns
from airflow_provider_teams_registration.events.webinar.time_zones import windows_timezone
from airflow_provider_teams_registration.graph.webinar_bodies import Question
from airflow_provider_teams_registration.graph.webinar_registration_bodies import WebinarRegistrant

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_FIRST_NAME = Column("first_name", ("firstName",))
_LAST_NAME = Column("last_name", ("lastName",))
_TIMEZONE = Column("preferred_timezone", ("preferredTimezone",))
_LANGUAGE_COLUMN = Column("preferred_language", ("preferredLanguage",))
_REFERRER = Column("referrer")
_ANSWERS = Column("answers")
_OWN_COLUMNS = (ID, EMAIL, _FIRST_NAME, _LAST_NAME, _TIMEZONE, _LANGUAGE_COLUMN, _REFERRER, _ANSWERS)
_OWN_HEADERS = frozenset(folded for column in _OWN_COLUMNS for folded in column.folded)
"""The values of these columns are not answers, even if a question has the same wording as a column."""


@dataclass(frozen=True)
class WebinarForm:
    """
    The registration form of a webinar.

    :param questions: the questions.
    :param is_delegated: whether a signed-in user registers themselves, without names.
    :param preferred_timezone: default time zone for rows without one.
    :param preferred_language: default language for rows without one.
    :param referrer: default referrer for rows without one.
    """

    questions: Sequence[Question] = ()
    is_delegated: bool = False
    preferred_timezone: str | None = None
    preferred_language: str | None = None
    referrer: str | None = None

    def check_defaults(self) -> None:
        """
        Refuse a default time zone or a default language that does not exist.

        :raises InvalidRow: it does not exist.
        """
        if self.preferred_timezone is not None:
            windows_timezone(self.preferred_timezone)
        if self.preferred_language is not None:
            _read_language(self.preferred_language)

    def read(self, row: Mapping[str, Any]) -> WebinarRegistrant:
        """
        Read a row.

        :raises InvalidRow: the form does not accept the row.
        """
        columns = Columns(row)
        answers = self._read_answers(row, columns)
        self._refuse_incomplete(columns, answers)
        return WebinarRegistrant(
            email=read_given_email(columns) or "",
            first_name=None if self.is_delegated else columns.text(_FIRST_NAME),
            last_name=None if self.is_delegated else columns.text(_LAST_NAME),
            registration_id=read_registration_id(columns),
            preferred_timezone=windows_timezone(columns.text(_TIMEZONE) or self.preferred_timezone or ""),
            preferred_language=_read_language(columns.text(_LANGUAGE_COLUMN) or self.preferred_language or ""),
            referrer=columns.text(_REFERRER) or self.referrer,
            answers=tuple(answers.values()),
        )

    def _refuse_incomplete(self, columns: Columns, answers: Mapping[str, Any]) -> None:
        """Refuse a row that lacks something, and name all of it in one sentence."""
        defaults = {_TIMEZONE: self.preferred_timezone, _LANGUAGE_COLUMN: self.preferred_language}
        names = () if self.is_delegated else (_FIRST_NAME, _LAST_NAME)
        missing = [column for column in (EMAIL, *names, *defaults) if not columns.given(column)]
        missing = [column for column in missing if defaults.get(column) is None]
        said = [columns.missing([column.name for column in missing])] if missing else []
        could_default = [column.name for column in missing if column in defaults]
        if could_default:
            can = "can be defaults" if len(could_default) > 1 else "can be a default"
            said.append(f"the operator's {in_a_row(could_default)} {can}")
        unanswered = [one for one in self.questions if one.is_required and one.id not in answers]
        if unanswered:
            came = "" if missing else f" (the columns that came: {columns.came()})"
            said.append(f"{_required(unanswered)}, and the row has no such column{came}{_how_to_answer(unanswered)}")
        if said:
            raise InvalidRow("; ".join(said))

    def _read_answers(self, row: Mapping[str, Any], columns: Columns) -> dict[str, dict[str, Any]]:
        answers: dict[str, dict[str, Any]] = {}
        asked: list[Question] = []
        unasked: list[str] = []
        for header, value in row.items():
            questions = self._asked_by_column(str(header))
            asked += questions
            if questions:
                self._add(answers, questions, value)
            elif folded_header(str(header)) not in _OWN_HEADERS and not says_nothing(value):
                unasked.append(str(header))
        for _, extra in columns.given(_ANSWERS):
            if not isinstance(extra, Mapping):
                raise InvalidRow(f"answers is {in_words(extra)}; it must be a dict of question and answer")
            for name, value in extra.items():
                questions = self._asked.named(str(name))
                if not questions:
                    raise InvalidRow("answers names a question that the webinar does not ask")
                asked += questions
                self._add(answers, questions, value)
        self._asked.warn_about_near_names(unasked, asked)
        return answers

    @cached_property
    def _asked(self) -> QuestionColumns:
        return QuestionColumns(self.questions)

    def _asked_by_column(self, header: str) -> Sequence[Question]:
        if folded_header(header) not in _OWN_HEADERS:
            return self._asked.named(header)
        by_id = self._asked.named_by_id(header)
        return () if by_id is None else (by_id,)

    def _add(self, answers: dict[str, dict[str, Any]], questions: Sequence[Question], value: Any) -> None:
        question = questions[0]
        if len(questions) > 1 and not says_nothing(value):
            raise InvalidRow(f"the form asks {question.display_name!r} more than once; name the questions by their ids")
        answer = read_answer(question, value)
        if answer is None:
            return
        if question.id in answers:
            raise InvalidRow(f"the question {question.display_name!r} is answered twice")
        answers[question.id] = answer


def _read_language(language: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise InvalidRow("preferred_language is no language tag such as 'en-us'")
    return language.lower()


def _required(questions: Sequence[Question]) -> str:
    wordings = in_a_row([repr(question.display_name) for question in questions])
    return f"the questions {wordings} are required" if len(questions) > 1 else f"the question {wordings} is required"


def _how_to_answer(questions: Sequence[Question]) -> str:
    if not any(folded_header(question.display_name) in _OWN_HEADERS for question in questions):
        return ""
    return "; as a column it means something else: answer it under its id, or in answers"
