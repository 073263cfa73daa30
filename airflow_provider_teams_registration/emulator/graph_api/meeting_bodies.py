"""
The JSON bodies of online meetings, their registration and their registrants.

Service pages: https://learn.microsoft.com/graph/api/resources/onlinemeeting and
https://learn.microsoft.com/graph/api/resources/externalmeetingregistrant?view=graph-rest-beta
"""

from __future__ import annotations

from typing import Any

from airflow_provider_teams_registration.emulator.behaviour.spelling import listed
from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.http.messages import GraphRequest
from airflow_provider_teams_registration.emulator.store.meeting import Meeting, RegistrantRecord
from airflow_provider_teams_registration.emulator.store.seeded import TENANT_ID

REGISTRATION_TYPE = "#microsoft.graph.externalMeetingRegistration"
REGISTRANT_TYPE = "#microsoft.graph.externalMeetingRegistrant"


def user_context(request: GraphRequest, user_id: str, what: str) -> str:
    """Return the ``@odata.context`` of a user's resource. A key is written as OData text."""
    return f"{request.root}/{request.version}/$metadata#users({_key(user_id)})/{what}"


def registration_context(request: GraphRequest, meeting: Meeting, what: str) -> str:
    """Return the ``@odata.context`` of a meeting's registration, or of a resource below it."""
    return user_context(request, meeting.organizer_id, f"onlineMeetings({_key(meeting.id)})/registration{what}")


def meeting_body(meeting: Meeting) -> dict[str, Any]:
    """Return the body of a meeting."""
    return {
        "id": meeting.id,
        "subject": meeting.subject,
        "startDateTime": meeting.start,
        "endDateTime": meeting.end,
        "joinWebUrl": meeting.join_web_url,
        "joinMeetingIdSettings": {
            "joinMeetingId": meeting.join_meeting_id,
            "isPasscodeRequired": False,
            "passcode": None,
        },
        "participants": {"organizer": {"identity": {"user": {"id": meeting.organizer_id, "tenantId": TENANT_ID}}}},
    }


def registration_body(meeting: Meeting) -> dict[str, Any]:
    """Return the body of a meeting's registration."""
    return {
        "@odata.type": REGISTRATION_TYPE,
        "id": meeting.registration_id,
        "allowedRegistrant": meeting.allowed_registrant,
    }


def registrant_body(record: RegistrantRecord) -> dict[str, Any]:
    """Return the body of a registrant in the answer to their enrollment."""
    return {
        "@odata.type": REGISTRANT_TYPE,
        "id": record.id,
        "joinWebUrl": record.join_web_url,
        "tenantId": record.tenant_id,
        "userId": record.user_id,
    }


def read_registrant_body(record: RegistrantRecord, switches: Switches) -> dict[str, Any]:
    """Return the body of a registrant in reads, which omit the link and the identity unless a switch shows them."""
    hidden = {} if switches.list_shows_links else {"joinWebUrl": None}
    unnamed = {} if switches.list_shows_identities else {"tenantId": None, "userId": None}
    return {**registrant_body(record), **hidden, **unnamed, "id": listed(record.id, switches.listed_as)}


def _key(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
