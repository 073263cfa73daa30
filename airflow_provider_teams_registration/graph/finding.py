"""
Finding an event's id by what people know of it.

Service pages: https://learn.microsoft.com/graph/api/onlinemeeting-get, https://learn.microsoft.com/graph/api/event-get
and https://learn.microsoft.com/graph/api/virtualeventwebinar-getbyuseridandrole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from airflow_provider_teams_registration.graph.address import odata_string, segment
from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.errors import (
    Forbidden,
    NotFound,
    SettingsError,
    TeamsRegistrationError,
)
from airflow_provider_teams_registration.graph.webinar_bodies import CANCELED, read_webinar

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession

VERSION = "v1.0"
_SAFE = "'%()"
_MEETUP_LINK = re.compile(r"(https://[^/]+/l/meetup-join/)([^/?]+)(/[^/?]*\?context=)(.+)")


def meeting_by_join_web_url(session: GraphSession, join_web_url: str, organizer_id: str | None = None) -> str:
    """
    Return the id of the online meeting that a link leads to.

    :param session: the authorised session.
    :param join_web_url: the meeting's own link, as its organizer has it; percent-encoded or not.
    :param organizer_id: object id of its organizer; None is the signed-in user.
    :raises NotFound: the organizer has no such meeting.
    """
    link = join_web_url if "%" in join_web_url else _encoded(join_web_url)
    return _only_meeting(session, organizer_id, [f"JoinWebUrl eq {odata_string(one)}" for one in (link, unquote(link))])


def meeting_by_join_meeting_id(session: GraphSession, join_meeting_id: str, organizer_id: str | None = None) -> str:
    """
    Return the id of the online meeting with the number that people type in to join.

    :param session: the authorised session.
    :param join_meeting_id: the number, with or without spaces.
    :param organizer_id: object id of its organizer; None is the signed-in user.
    :raises SettingsError: it is no number.
    :raises NotFound: the organizer has no such meeting.
    """
    number = re.sub(r"\s", "", str(join_meeting_id))
    if not number.isdecimal():
        raise SettingsError("join_meeting_id must be a number, such as '123 456 789 01'.")
    query = f"joinMeetingIdSettings/joinMeetingId eq {odata_string(number)}"
    return _only_meeting(session, organizer_id, [query])


def meeting_by_calendar_event(session: GraphSession, event_id: str, organizer_id: str | None = None) -> str:
    """
    Return the id of the online meeting that belongs to an event in its organizer's calendar.

    :param session: the authorised session.
    :param event_id: the calendar event's ``id``.
    :param organizer_id: object id of the organizer; None is the signed-in user.
    :raises NotFound: there is no such event, or it is no Teams meeting.
    """
    path = f"{_caller(session, organizer_id)}/events/{segment('event_id', event_id)}"
    with _explained(session, application="Calendars.Read, with admin consent", user="Calendars.Read"):
        event = session.read(VERSION, path)
    meeting = event.get("onlineMeeting")
    link = meeting.get("joinUrl") if isinstance(meeting, Mapping) else None
    if not link:
        raise NotFound(404, "NotFound", "The calendar event is no Teams meeting.")
    return meeting_by_join_web_url(session, str(link), organizer_id)


def webinar_by_name(session: GraphSession, display_name: str, organizer_id: str | None = None) -> str:
    """
    Return the id of an organizer's webinar.

    :param session: the authorised session.
    :param display_name: the webinar's name, as it is; cancelled ones do not count.
    :param organizer_id: object id of the organizer; None is the signed-in user.
    :raises NotFound: the organizer has no such webinar, or the application may not see it.
    :raises SettingsError: there are several.
    """
    if session.settings.signs_in_a_user:
        role = "getByUserRole(role='organizer')"
    elif organizer_id is None:
        raise SettingsError("organizer_id is missing: the connection signs in as an application.")
    else:
        role = f"getByUserIdAndRole(userId={odata_string(organizer_id)},role='organizer')"
    application = "VirtualEvent.Read.All, with an application access policy for the organizer"
    with _explained(session, application=application, user="VirtualEvent.Read"):
        listed = [read_webinar(item) for item in session.pages(VERSION, f"/solutions/virtualEvents/webinars/{role}")]
    found = [one.id for one in listed if one.display_name == display_name and one.status != CANCELED]
    return _only(found, "webinar of that name")


@contextmanager
def _explained(session: GraphSession, *, application: str, user: str) -> Iterator[None]:
    try:
        yield
    except Forbidden as error:
        who = f"user needs {user}" if session.settings.signs_in_a_user else f"application needs {application}"
        error.advise(f"Where this is about permissions: the {who}.")
        raise


def _encoded(link: str) -> str:
    """Encode a link that is shown readable: as Teams writes it, the thread and the context are encoded throughout."""
    parts = _MEETUP_LINK.fullmatch(link)
    if parts is None:
        return quote(link, safe=":/?=&%")
    before, thread, between, context = parts.groups()
    return f"{before}{quote(thread, safe='')}{between}{quote(context, safe='')}"


def _only_meeting(session: GraphSession, organizer_id: str | None, queries: Iterable[str]) -> str:
    found: list[str] = []
    for query in queries:
        path = f"{_caller(session, organizer_id)}/onlineMeetings?$filter={quote(query, safe=_SAFE)}"
        # As a batch item the link stays out of the address that HTTP libraries and proxies write into their logs.
        (answer,) = session.read_batch(VERSION, [BatchRequest("GET", path, sent=(query,))])
        if isinstance(answer, TeamsRegistrationError):
            raise answer
        found = [str(item.get("id")) for item in (answer or {}).get("value") or ()]
        if found:
            break
    return _only(found, "such online meeting")


def _only(found: list[str], what: str) -> str:
    if not found:
        raise NotFound(
            404, "NotFound", f"The organizer has no {what}, or the application access policy does not let it be seen."
        )
    if len(set(found)) > 1:
        raise SettingsError(f"The organizer has more than one {what}; name the event by its id.")
    return found[0]


def _caller(session: GraphSession, organizer_id: str | None) -> str:
    if organizer_id is not None:
        return f"/users/{segment('organizer_id', organizer_id)}"
    if session.settings.signs_in_a_user:
        return "/me"
    raise SettingsError("organizer_id is missing: the connection signs in as an application.")
