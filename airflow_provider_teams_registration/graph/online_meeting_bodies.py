"""
The bodies of requests and answers about an online meeting with external registration (Graph beta).

Service pages: https://learn.microsoft.com/graph/api/resources/externalmeetingregistration?view=graph-rest-beta and
https://learn.microsoft.com/graph/api/resources/externalmeetingregistrant?view=graph-rest-beta.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.shapes import (
    an_object,
    link_or_none,
    text,
    text_or_none,
)

REGISTRATION_TYPE = "#microsoft.graph.externalMeetingRegistration"
REGISTRANT_TYPE = "#microsoft.graph.externalMeetingRegistrant"
AUDIENCES = ("everyone", "organization")


@dataclass(frozen=True)
class ExternalMeetingRegistration:
    """
    The registration of a meeting that is open for registrants.

    :param id: the id that Graph made.
    :param allowed_registrant: ``everyone`` or ``organization``.
    """

    id: str
    allowed_registrant: str


@dataclass(frozen=True)
class ExternalMeetingRegistrant:
    """
    One person on the meeting's list.

    :param id: the caller's own id, a text of any form.
    :param tenant_id: the person's tenant, if the audience is ``organization``.
    :param user_id: the person's Entra object id, if the audience is ``organization``.
    :param join_web_url: the person's own link, a credential. Graph returns it once, in the answer to the enrollment.
        The list of registrants does not hold it.
    """

    id: str
    tenant_id: str | None = None
    user_id: str | None = None
    join_web_url: str | None = field(default=None, repr=False)


def read_meeting_registration(body: Any) -> ExternalMeetingRegistration:
    """
    Read the body of a meeting's registration.

    :raises Unreadable: it is no such body.
    """
    registration = an_object(body)
    audience = text(registration, "allowedRegistrant")
    return ExternalMeetingRegistration(text_or_none(registration, "id") or "", audience)


def read_meeting_registrant(item: Any) -> ExternalMeetingRegistrant:
    """
    Read one item of the list of registrants.

    :raises Unreadable: it is no such item.
    """
    registrant = an_object(item)
    return ExternalMeetingRegistrant(
        id=text(registrant, "id"),
        tenant_id=text_or_none(registrant, "tenantId"),
        user_id=text_or_none(registrant, "userId"),
        join_web_url=link_or_none(registrant, "joinWebUrl"),
    )


def enrollment_request(path: str, registrant: ExternalMeetingRegistrant) -> BatchRequest:
    """
    Return the request that enrolls one person.

    :param path: path of the meeting's registrants.
    :param registrant: the person. Their ``join_web_url`` is not sent.
    """
    body = {"@odata.type": REGISTRANT_TYPE, "id": registrant.id}
    if registrant.tenant_id is not None:
        body["tenantId"] = registrant.tenant_id
    if registrant.user_id is not None:
        body["userId"] = registrant.user_id
    return BatchRequest("POST", path, body, sent=(registrant.id, registrant.tenant_id, registrant.user_id))
