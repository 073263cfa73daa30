"""
Webinars and registrations as Graph writes them in JSON.

Service pages: https://learn.microsoft.com/graph/api/resources/virtualeventwebinar and
https://learn.microsoft.com/graph/api/resources/virtualeventregistration
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from airflow_provider_teams_registration.emulator.exchange import GraphRequest
from airflow_provider_teams_registration.emulator.registration import REGISTERED, Registration
from airflow_provider_teams_registration.emulator.seeded import TENANT_ID
from airflow_provider_teams_registration.emulator.webinar import Question, Webinar

_TYPE = "#microsoft.graph.virtualEventRegistration"


def webinar_context(request: GraphRequest, what: str) -> str:
    """Return the ``@odata.context`` of something below webinars."""
    return f"{request.root}/{request.version}/$metadata#solutions/virtualEvents/webinars{what}"


def webinar_body(webinar: Webinar) -> dict[str, Any]:
    """Return a webinar."""
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
        "createdBy": {"user": {"id": webinar.organizer_id, "tenantId": TENANT_ID, "displayName": "Organizer"}},
    }


def configuration_body(request: GraphRequest, webinar: Webinar) -> dict[str, Any]:
    """Return the configuration of a webinar's registration."""
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
    """Return one question."""
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
    """Return the one session of a webinar, with a link of whoever reads it."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, webinar.id)),
        "subject": webinar.display_name,
        "startDateTime": webinar.start,
        "endDateTime": webinar.end,
        "joinWebUrl": join_web_url,
    }


def registration_session_body(webinar: Webinar, one: Registration) -> dict[str, Any]:
    """Return the session as one person's registration leads to it: with their own link once they have a seat."""
    return session_body(webinar, one.join_web_url if one.status == REGISTERED else None)


def registration_body(request: GraphRequest, webinar: Webinar, one: Registration) -> dict[str, Any]:
    """Return a registration; there is no link in it."""
    has_external = one.referrer is not None or one.external_registration_id is not None
    external = {"referrer": one.referrer, "registrationId": one.external_registration_id}
    # Only beta writes the questions' wording beside the answers.
    asked = {question.id: question.display_name for question in webinar.questions if request.version == "beta"}
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
