"""Rows of a warehouse, read as registrants of a webinar: what its form needs, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from airflow_provider_teams_registration.enrollment.event import InvalidRow
from airflow_provider_teams_registration.enrollment.meeting_event import read_id
from airflow_provider_teams_registration.graph.webinar_bodies import Question, WebinarRegistrant

MAX_REGISTRATION_ID = 256
_EMAIL = re.compile(r"[^@\s,;<>()\[\]\"]+@[^@\s,;<>()\[\]\"]+\.[^@\s,;<>()\[\]\".]+")
_LONGEST_EMAIL = 254
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
"""What no database and no service can hold: a NUL, half of a surrogate pair."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SPELLINGS = {
    "email": ("email", "emailAddress"),
    "first_name": ("first_name", "firstName"),
    "last_name": ("last_name", "lastName"),
    "preferred_timezone": ("preferred_timezone", "preferredTimezone", "timezone"),
    "preferred_language": ("preferred_language", "preferredLanguage", "language"),
    "referrer": ("referrer",),
}
_OWN_COLUMNS = frozenset({"id", "answers"}.union(*_SPELLINGS.values()))
"""What these columns hold is no answer to a question that happens to be worded like one of them."""
_YES = {"true", "yes", "y", "1"}
_NO = {"false", "no", "n", "0"}


@dataclass(frozen=True)
class WebinarForm:
    """
    What a webinar asks its registrants.

    :param questions: its questions.
    :param is_delegated: whether a signed-in user registers themself, without names.
    :param preferred_timezone: the zone of rows that name none.
    :param preferred_language: the language of rows that name none.
    :param referrer: the referrer of rows that name none.
    """

    questions: Sequence[Question] = ()
    is_delegated: bool = False
    preferred_timezone: str | None = None
    preferred_language: str | None = None
    referrer: str | None = None
    _by_id: dict[str, Question] = field(init=False, repr=False, default_factory=dict)
    _by_wording: dict[str, list[Question]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for question in self.questions:
            self._by_id[_folded(question.id)] = question
            self._by_wording.setdefault(_folded(question.display_name), []).append(question)

    def check_defaults(self) -> None:
        """
        Refuse a zone or a language that no row could be sent with.

        :raises InvalidRow: there is no such.
        """
        if self.preferred_timezone is not None:
            windows_timezone(self.preferred_timezone)
        if self.preferred_language is not None:
            _read_language(self.preferred_language)

    def read(self, row: Mapping[str, Any]) -> WebinarRegistrant:
        """
        Read a row.

        :raises InvalidRow: the form would not take it.
        """
        return WebinarRegistrant(
            email=_read_email(row),
            first_name=None if self.is_delegated else _required(row, "first_name"),
            last_name=None if self.is_delegated else _required(row, "last_name"),
            registration_id=read_registration_id(row),
            preferred_timezone=windows_timezone(_default(row, "preferred_timezone", self.preferred_timezone)),
            preferred_language=_read_language(_default(row, "preferred_language", self.preferred_language)),
            referrer=_text(row, "referrer") or self.referrer,
            answers=self._read_answers(row),
        )

    def _read_answers(self, row: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        columns = [(str(name), value) for name, value in row.items() if self._asked_by(str(name), _OWN_COLUMNS)]
        extra = row.get("answers")
        if not isinstance(extra, Mapping) and not _is_empty(extra):
            raise InvalidRow(f"answers is a {type(extra).__name__}; it must be a dict of question and answer")
        answers: dict[str, dict[str, Any]] = {}
        for name, value in [*columns, *(extra or {}).items()]:
            asked = self._asked_by(str(name))
            if not asked:
                raise InvalidRow("answers names a question that the webinar does not ask")
            question = asked[0]
            if len(asked) > 1 and not _is_empty(value):
                raise InvalidRow(
                    f"the form asks {question.display_name!r} more than once; name the questions by their ids"
                )
            answer = _answer(question, value)
            if answer is None:
                continue
            if question.id in answers:
                raise InvalidRow(f"the question {question.display_name!r} is answered twice")
            answers[question.id] = answer
        missing = [question for question in self.questions if question.is_required and question.id not in answers]
        if missing:
            wording = missing[0].display_name
            is_taken = _folded(wording) in {_folded(column) for column in _OWN_COLUMNS}
            how = "; as a column it means something else: answer it under its id, or in answers" if is_taken else ""
            raise InvalidRow(f"the question {wording!r} is required, and the row has no such column{how}")
        return tuple(answers.values())

    def _asked_by(self, name: str, own_columns: Collection[str] = ()) -> Sequence[Question]:
        """Return the question that a name means, by id or by wording; several where they are worded alike."""
        by_id = self._by_id.get(_folded(name))
        if by_id is not None:
            return [by_id]
        return () if name in own_columns else self._by_wording.get(_folded(name), ())


def windows_timezone(name: str) -> str:
    """
    Return a time zone under its Windows name, as Graph's samples have it.

    :param name: an IANA name such as ``Europe/Rome``, or a Windows name, in whatever case.
    :raises InvalidRow: there is no such zone.
    """
    windows = _windows_timezones().get(_folded(name))
    if windows is None:
        raise InvalidRow("preferred_timezone is no time zone, neither by its IANA name nor by its Windows name")
    return windows


@cache
def _windows_timezones() -> Mapping[str, str]:
    from tzlocal.windows_tz import tz_win, win_tz

    # GMT is missing there. "GMT Standard Time" is London's, which has summer time.
    names = {"GMT": "UTC", **tz_win, **{name: name for name in win_tz}}
    return {_folded(name): str(windows) for name, windows in names.items()}


def normalized_email(text: str) -> str:
    """
    Return an e-mail address as it tells people apart: trimmed, in lower case.

    :raises InvalidRow: it is none.
    """
    email = text.strip().lower()
    if len(email) > _LONGEST_EMAIL or _IMPOSSIBLE.search(email) or not _EMAIL.fullmatch(email):
        raise InvalidRow("email is no e-mail address")
    return email


def read_given_email(row: Mapping[str, Any]) -> str | None:
    """
    Return a row's e-mail address, under any of its spellings; None where it has none.

    :raises InvalidRow: it is no address.
    """
    text = _text(row, "email")
    return None if text is None else normalized_email(text)


def _read_email(row: Mapping[str, Any]) -> str:
    return normalized_email(_required(row, "email"))


def read_registration_id(row: Mapping[str, Any]) -> str | None:
    """
    Return our own id in a row; None where it has none.

    :raises InvalidRow: it cannot be one.
    """
    if _is_empty(row.get("id")):
        return None
    text = read_id(row)
    if len(text) > MAX_REGISTRATION_ID:
        raise InvalidRow(f"id is longer than {MAX_REGISTRATION_ID} characters, which a webinar does not take")
    return text


def _read_language(language: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise InvalidRow("preferred_language is no language tag such as 'en-us'")
    return language.lower()


def _answer(question: Question, value: Any) -> dict[str, Any] | None:
    """Return an answer as Graph takes it; None where the value says nothing."""
    if _is_empty(value):
        return None
    answer: dict[str, Any] = {"questionId": question.id}
    if question.input_type == "boolean":
        return {**answer, "booleanValue": _yes_or_no(question, value)}
    if question.input_type == "multiChoice":
        given = value if isinstance(value, list | tuple | set) else str(value).split(";")
        chosen = {_choice(question, one) for one in given if not _is_empty(one)}
        if not chosen:
            return None
        return {**answer, "multiChoiceValues": [choice for choice in question.choices if choice in chosen]}
    if isinstance(value, list | tuple | set | Mapping):
        raise InvalidRow(f"the question {question.display_name!r} takes one answer, not a {type(value).__name__}")
    if question.input_type == "singleChoice":
        return {**answer, "value": _choice(question, value)}
    return {**answer, "value": _possible(question.display_name, str(value))}


def _choice(question: Question, value: Any) -> str:
    chosen = next((choice for choice in question.choices if _folded(choice) == _folded(str(value))), None)
    if chosen is None:
        raise InvalidRow(
            f"the answer to {question.display_name!r} is none of its choices: {', '.join(question.choices)}"
        )
    return chosen


def _yes_or_no(question: Question, value: Any) -> bool:
    text = _folded(str(value))
    if isinstance(value, int | float | Decimal) and value in (0, 1):
        # A database may hold it as 1.0.
        return value == 1
    if text not in _YES | _NO:
        raise InvalidRow(f"the answer to {question.display_name!r} must be yes or no")
    return text in _YES


def _required(row: Mapping[str, Any], column: str) -> str:
    text = _text(row, column)
    if text is None:
        raise InvalidRow(f"{column} missing")
    return text


def _default(row: Mapping[str, Any], column: str, default: str | None) -> str:
    text = _text(row, column) or default
    if text is None:
        raise InvalidRow(f"{column} missing; the operator's {column} can be a default")
    return text


def _text(row: Mapping[str, Any], column: str) -> str | None:
    given = [row[name] for name in _SPELLINGS[column] if row.get(name) not in (None, "")]
    wrong = next((value for value in given if not isinstance(value, str)), None)
    if wrong is not None:
        raise InvalidRow(f"{column} is a {type(wrong).__name__}; it must be a string")
    values = {value.strip() for value in given if value.strip()}
    if len(values) > 1:
        raise InvalidRow(f"{' and '.join(_SPELLINGS[column])} contradict each other")
    return _possible(column, values.pop()) if values else None


def _possible(what: str, text: str) -> str:
    if _IMPOSSIBLE.search(text):
        raise InvalidRow(f"{what} holds a character that no database can (a NUL, or half of a surrogate pair)")
    return text


def _folded(text: str) -> str:
    return text.strip().lower()


def _is_empty(value: Any) -> bool:
    """Whether it says nothing: NULL, blanks, a list of nothing."""
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], (), set())
