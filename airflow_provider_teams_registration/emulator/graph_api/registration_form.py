"""
The check of a webinar's registration form.

Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-post-registrations
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_provider_teams_registration.emulator.store.webinar import Question, Webinar

MAX_REGISTRATION_ID = 256
_PERSON = ("firstName", "lastName", "email")
_PREFERENCES = ("preferredTimezone", "preferredLanguage")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def fault_in_form(
    body: Mapping[str, Any], webinar: Webinar, *, is_application: bool, is_required_enforced: bool
) -> str | None:
    """
    Return what is wrong with the body of a registration; None if it is valid.

    :param body: the body.
    :param webinar: the webinar.
    :param is_application: whether an application registers another person; otherwise users register themselves.
    :param is_required_enforced: whether required answers must be present.
    """
    wanted = (*_PERSON, *_PREFERENCES) if is_application else _PREFERENCES
    missing = next((name for name in wanted if not _is_text(body.get(name))), None)
    if missing is not None:
        return f"The {missing} field is required."
    if is_application and not _ADDRESS.fullmatch(body["email"]):
        return "The email field is not a valid e-mail address."
    # A user who names another person here would register themselves without noticing.
    if not is_application and any(body.get(name) is not None for name in _PERSON):
        return "firstName, lastName and email are only for application permissions."
    return _fault_in_external(body.get("externalRegistrationInformation")) or _fault_in_answers(
        body.get("registrationQuestionAnswers"), webinar.questions, is_required_enforced
    )


def _fault_in_external(external: Any) -> str | None:
    if external is None:
        return None
    if not isinstance(external, dict):
        return "externalRegistrationInformation must be an object."
    if not all(isinstance(external.get(name), str | None) for name in ("referrer", "registrationId")):
        return "referrer and registrationId must be strings."
    if len(external.get("registrationId") or "") > MAX_REGISTRATION_ID:
        return f"registrationId must not be longer than {MAX_REGISTRATION_ID} characters."
    return None


def _fault_in_answers(answers: Any, questions: Sequence[Question], is_required_enforced: bool) -> str | None:
    by_id = {question.id: question for question in questions}
    given = answers or []
    if not isinstance(given, list) or not all(isinstance(answer, dict) for answer in given):
        return "registrationQuestionAnswers must be a collection of answers."
    for answer in given:
        question_id = answer.get("questionId")
        question = by_id.get(question_id) if isinstance(question_id, str) else None
        if question is None:
            return f"Question '{question_id}' was not found."
        wrong = _fault_in_answer(answer, question)
        if wrong is not None:
            return wrong
    answered = {answer["questionId"] for answer in given if not _is_empty(answer)}
    unanswered = [each.id for each in questions if each.is_required and each.id not in answered]
    if is_required_enforced and unanswered:
        return f"Question '{unanswered[0]}' is required."
    return None


def _fault_in_answer(answer: Mapping[str, Any], question: Question) -> str | None:
    if _is_empty(answer):
        return None
    field, fits = _FIELDS[question.answer_input_type]
    others = {"value", "booleanValue", "multiChoiceValues"} - {field}
    if any(answer.get(other) not in (None, "", []) for other in others) or not fits(answer.get(field), question):
        return f"The answer to question '{question.id}' does not fit its type {question.answer_input_type}."
    return None


def _is_empty(answer: Mapping[str, Any]) -> bool:
    return all(answer.get(name) in (None, "", []) for name in ("value", "booleanValue", "multiChoiceValues"))


def _is_text(value: Any, _: Question | None = None) -> bool:
    return isinstance(value, str) and bool(value.strip())


_FIELDS: Mapping[str, tuple[str, Callable[[Any, Question], bool]]] = {
    "text": ("value", _is_text),
    "multilineText": ("value", _is_text),
    "singleChoice": ("value", lambda value, question: value in question.answer_choices),
    "boolean": ("booleanValue", lambda value, _: isinstance(value, bool)),
    "multiChoice": (
        "multiChoiceValues",
        lambda values, question: isinstance(values, list) and all(one in question.answer_choices for one in values),
    ),
}
