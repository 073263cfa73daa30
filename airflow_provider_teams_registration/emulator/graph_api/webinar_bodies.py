"""
The JSON bodies of webinars and registrations.

Service pages: https://learn.microsoft.com/graph/api/resources/virtualeventwebinar and
https://learn.microsoft.com/graph/api/resources/virtualeventregistration
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from airflow_provider_teams_registration.emulator.http.messages import GraphRequest
from airflow_provider_teams_registration.emulator.store.registration import REGISTERED, Registration
from airflow_provider_teams_registration.emulator.store.seeded import TENANT_ID
from airflow_provider_teams_registration.emulator.store.webinar import Question, Webinar

_TYPE = "#microsoft.graph.virtualEventRegistration"


def webinar_context(request: GraphRequest, what: str) -> str:
    """Return the ``@odata.context`` of a resource below webinars."""
    return f"{request.root}/{request.version}/$metadata#solutions/virtualEvents/webinars{what}"


def webinar_body(webinar: Webinar) -> dict[str, Any]:
    """Return the body of a webinar."""
    return {
        "id": webinar.id,
        "status": webinar.status,
        "displayName": webinar.display_name,
        "description": webinar.description,
        "startDateTime": webinar.start,
        "endDateTime": webinar.end,
        "audience": webinar.audience,
        "coOrganizers": list(webinar.co_organizers),
        "settings": webinar.settings or {"isAttendeeEmailNotificationEnabled": False},
        "createdBy": {"application": None, "device": None, "user": _organizer(webinar)},
    }


def _organizer(webinar: Webinar) -> dict[str, Any]:
    # Graph declares a plain identity here. Without the type, a generated client cannot read the tenant.
    kind = "#microsoft.graph.communicationsUserIdentity"
    return {"@odata.type": kind, "id": webinar.organizer_id, "displayName": "Organizer", "tenantId": TENANT_ID}


def configuration_body(request: GraphRequest, webinar: Webinar) -> dict[str, Any]:
    """Return the body of a webinar's registration configuration."""
    return {
        "@odata.context": webinar_context(request, "/registrationConfiguration/$entity"),
        "@odata.type": "#microsoft.graph.virtualEventWebinarRegistrationConfiguration",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, webinar.id)),
        "registrationWebUrl": f"https://events.teams.microsoft.com/event/{webinar.id}",
        "capacity": webinar.capacity,
        "isWaitlistEnabled": webinar.is_waitlist_enabled,
        "isManualApprovalEnabled": webinar.is_manual_approval_enabled,
    }


def question_body(question: Question) -> dict[str, Any]:
    """Return the body of one question."""
    common = {"id": question.id, "displayName": question.display_name, "isRequired": question.is_required}
    if question.label is not None:
        kind = f"{_TYPE}PredefinedQuestion"
        return {"@odata.type": kind, **common, "label": question.label}
    return {
        "@odata.type": f"{_TYPE}CustomQuestion",
        **common,
        "answerInputType": question.answer_input_type,
        "answerChoices": list(question.answer_choices),
    }


def session_body(webinar: Webinar, join_web_url: str | None) -> dict[str, Any]:
    """Return the body of a webinar's only session, with the join link of the person who reads it."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, webinar.id)),
        "subject": webinar.display_name,
        "startDateTime": webinar.start,
        "endDateTime": webinar.end,
        "joinWebUrl": join_web_url,
        "chatInfo": {"threadId": webinar.thread_id},
    }


def registration_session_body(webinar: Webinar, one: Registration) -> dict[str, Any]:
    """Return the body of the session below a registration. It has the person's own link once they have a seat."""
    return {**session_body(webinar, one.join_web_url if one.status == REGISTERED else None), "chatInfo": None}


def registration_body(webinar: Webinar, one: Registration, *, with_wordings: bool) -> dict[str, Any]:
    """
    Return the body of a registration. It holds no link.

    :param webinar: the webinar.
    :param one: the registration.
    :param with_wordings: whether each answer comes with the text of its question.
    """
    has_external = one.referrer is not None or one.external_registration_id is not None
    external = {"referrer": one.referrer, "registrationId": one.external_registration_id}
    asked = {question.id: question.display_name for question in webinar.questions if with_wordings}
    return {
        "id": one.id,
        "userId": one.user_id,
        "firstName": one.first_name,
        "lastName": one.last_name,
        "email": one.email,
        "status": one.status,
        "registrationDateTime": one.registered_on,
        "cancelationDateTime": one.canceled_on,
        "preferredTimezone": one.preferred_timezone,
        "preferredLanguage": one.preferred_language,
        "registrationQuestionAnswers": [_answer_body(answer, asked) for answer in one.answers],
        "externalRegistrationInformation": external if has_external else None,
    }


def _answer_body(answer: Mapping[str, Any], asked: Mapping[str, str]) -> dict[str, Any]:
    return {
        "questionId": answer["questionId"],
        "displayName": asked.get(answer["questionId"]),
        "value": answer.get("value"),
        "booleanValue": answer.get("booleanValue"),
        "multiChoiceValues": answer.get("multiChoiceValues") or [],
    }
