"""JSON schemas of the bodies that the emulated Graph reads and writes. The real Graph has further properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_teams_registration.emulator.graph_api.batch import MAX_BATCH

Schema = Mapping[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_YES_OR_NO: Schema = {"type": "boolean"}
_OBJECT: Schema = {"type": "object"}
_OBJECT_OR_NULL: Schema = {"type": ["object", "null"]}
_FULL_TEXT: Schema = {"type": "string", "pattern": r"^\S+$"}


def _object(required: str = "", **properties: Schema) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": required.split()} if required else {})}


def _list(schema: Schema) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def _page_of(schema: Schema) -> dict[str, Any]:
    link = {"@odata.nextLink": {"type": "string", "format": "uri"}}
    return _object("value", value=_list(schema), **link)


def _tagged(kind: str) -> dict[str, Any]:
    return {"@odata.type": {"type": "string", "enum": [f"#microsoft.graph.{kind}"]}}


_AUDIENCE: Schema = {"type": "string", "enum": ["everyone", "organization"]}
_MEETING = _object(id=_TEXT, subject=_TEXT, joinWebUrl=_TEXT, joinMeetingIdSettings=_OBJECT, participants=_OBJECT)
_REGISTRANT = _object(
    id=_TEXT,
    joinWebUrl=_TEXT_OR_NULL,
    tenantId=_TEXT_OR_NULL,
    userId=_TEXT_OR_NULL,
    **_tagged("externalMeetingRegistrant"),
)
_WEBINAR = _object(
    id=_TEXT,
    status={"type": "string", "enum": ["draft", "published", "canceled"]},
    displayName=_TEXT,
    description=_OBJECT_OR_NULL,
    startDateTime=_OBJECT,
    endDateTime=_OBJECT,
    audience=_AUDIENCE,
    coOrganizers=_list(_OBJECT),
    settings=_OBJECT,
    createdBy=_OBJECT,
)
_QUESTION = _object(
    id=_TEXT,
    displayName=_TEXT,
    isRequired=_YES_OR_NO,
    answerInputType=_TEXT,
    answerChoices=_list(_TEXT),
    label=_TEXT,
)
_SESSION = _object(id=_TEXT, subject=_TEXT, startDateTime=_OBJECT, endDateTime=_OBJECT, joinWebUrl=_TEXT_OR_NULL)
_ANSWER = _object(
    "questionId",
    questionId=_TEXT,
    displayName=_TEXT_OR_NULL,
    value=_TEXT_OR_NULL,
    booleanValue={"type": ["boolean", "null"]},
    multiChoiceValues=_list(_TEXT),
)
_EXTERNAL = _object(referrer=_TEXT_OR_NULL, registrationId={"type": ["string", "null"], "maxLength": 256})
_REGISTRATION = _object(
    id=_TEXT,
    userId=_TEXT_OR_NULL,
    firstName=_TEXT,
    lastName=_TEXT,
    email=_TEXT,
    status=_TEXT,
    registrationDateTime=_TEXT,
    cancelationDateTime=_TEXT_OR_NULL,
    preferredTimezone=_TEXT_OR_NULL,
    preferredLanguage=_TEXT_OR_NULL,
    registrationQuestionAnswers=_list(_ANSWER),
    externalRegistrationInformation={"anyOf": [_EXTERNAL, {"type": "null"}]},
)
_FORM = _object(
    "preferredTimezone preferredLanguage",
    firstName=_FULL_TEXT,
    lastName=_FULL_TEXT,
    email={"type": "string", "pattern": r"^[^@\s]+@[^@\s]+$"},
    preferredTimezone=_FULL_TEXT,
    preferredLanguage=_FULL_TEXT,
    registrationQuestionAnswers=_list(_ANSWER),
    externalRegistrationInformation=_EXTERNAL,
)
_PERMISSION_SET = _object(
    "resourceSpecificPermissions",
    resourceSpecificPermissions=_list(
        _object("permissionValue permissionType", permissionValue=_TEXT, permissionType=_TEXT)
    ),
)
_TEAMS_APP_DEFINITION = _object(
    teamsAppId=_TEXT,
    displayName=_TEXT,
    version=_TEXT,
    publishingState={"type": "string", "enum": ["submitted", "published", "rejected"]},
    authorization=_object(clientAppId=_TEXT, requiredPermissionSet=_PERMISSION_SET),
)
_TEAMS_APP = _object(
    "id",
    id=_TEXT,
    externalId=_TEXT,
    displayName=_TEXT,
    distributionMethod=_TEXT,
    appDefinitions=_list(_TEAMS_APP_DEFINITION),
)
_ITEM = _object(
    "id method url",
    id={"type": "string", "minLength": 1},
    method={"type": "string", "enum": ["GET", "POST", "PATCH", "PUT", "DELETE"]},
    url=_TEXT,
    headers={"type": "object", "additionalProperties": _TEXT},
    body={},
    dependsOn=_list(_TEXT),
)
_ITEM_ANSWER = _object("id status", id=_TEXT, status={"type": "integer"}, headers=_OBJECT, body={})

SCHEMAS: Mapping[str, Schema] = {
    "Error": _object("error", error=_object("code message", code=_TEXT, message=_TEXT, innerError=_OBJECT)),
    "Meeting": _MEETING,
    "Meetings": _page_of(_MEETING),
    "NewMeeting": _object(subject=_TEXT),
    "MeetingRegistration": _object(id=_TEXT, allowedRegistrant=_AUDIENCE, **_tagged("externalMeetingRegistration")),
    "NewMeetingRegistration": _object(
        "@odata.type allowedRegistrant", allowedRegistrant=_AUDIENCE, **_tagged("externalMeetingRegistration")
    ),
    "MeetingRegistrant": _REGISTRANT,
    "MeetingRegistrants": _page_of(_REGISTRANT),
    "NewMeetingRegistrant": _object(
        "@odata.type id",
        id={"type": "string", "minLength": 1},
        tenantId=_TEXT_OR_NULL,
        userId=_TEXT_OR_NULL,
        **_tagged("externalMeetingRegistrant"),
    ),
    "CalendarEvent": _object(id=_TEXT, subject=_TEXT, start=_OBJECT, end=_OBJECT, onlineMeeting=_OBJECT),
    "Webinar": _WEBINAR,
    "Webinars": _page_of(_WEBINAR),
    "WebinarProperties": _object(
        displayName=_TEXT,
        description=_OBJECT_OR_NULL,
        startDateTime=_OBJECT,
        endDateTime=_OBJECT,
        coOrganizers=_list(_OBJECT),
    ),
    "WebinarConfiguration": _object(
        id=_TEXT,
        registrationWebUrl=_TEXT,
        capacity={"type": ["integer", "null"]},
        isWaitlistEnabled=_YES_OR_NO,
        isManualApprovalEnabled=_YES_OR_NO,
    ),
    "WebinarQuestions": _page_of(_QUESTION),
    "WebinarSession": _SESSION,
    "WebinarSessions": _page_of(_SESSION),
    "WebinarRegistration": _REGISTRATION,
    "WebinarRegistrations": _page_of(_REGISTRATION),
    "NewWebinarRegistration": _FORM,
    "TeamsApp": _TEAMS_APP,
    "TeamsApps": _page_of(_TEAMS_APP),
    "TeamsAppPackage": {"type": "string", "format": "binary"},
    "NewTeamsAppInstallation": _object(
        "teamsApp@odata.bind consentedPermissionSet",
        consentedPermissionSet=_PERMISSION_SET,
        **{"teamsApp@odata.bind": {"type": "string", "format": "uri"}},
    ),
    "Batch": _object("requests", requests={**_list(_ITEM), "maxItems": MAX_BATCH}),
    "Count": {"type": "integer", "minimum": 0},
    "BatchAnswer": _object("responses", responses=_list(_ITEM_ANSWER)),
}
"""By name. The description prefixes each name with ``Graph``, because the admin API has schemas of the same names."""


def is_list(name: str) -> bool:
    """Whether a schema describes a list."""
    return "value" in SCHEMAS[name].get("properties", {})
