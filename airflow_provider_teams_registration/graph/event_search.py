"""
Finding an event's id by what people know of it.

Service pages: https://learn.microsoft.com/graph/api/onlinemeeting-get, https://learn.microsoft.com/graph/api/event-get
and https://learn.microsoft.com/graph/api/virtualeventwebinar-getbyuseridandrole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.exceptions import (
    AccessPolicyMissing,
    Forbidden,
    NotFound,
    SettingsError,
    TeamsRegistrationError,
    names_access_policy,
)
from airflow_provider_teams_registration.graph.address import odata_string, segment
from airflow_provider_teams_registration.graph.arguments import name_arguments
from airflow_provider_teams_registration.graph.event_link import EventLink, clean_link, read_event_link
from airflow_provider_teams_registration.graph.meeting_info import meeting_number, read_meeting
from airflow_provider_teams_registration.graph.paging import is_last_page
from airflow_provider_teams_registration.graph.shapes import (
    BatchRead,
    Unreadable,
    an_id,
    an_object,
    an_object_or_none,
    link_or_none,
    objects,
    text,
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

    :param session: the authorized session.
    :param join_web_url: the meeting's own link, as its organizer has it: long or short (``/meet/``), percent-encoded or
        not, wrapped by Safe Links or broken into lines.
    :param organizer_id: object id of its organizer; None is the signed-in user.
    :raises NotFound: the organizer has no such meeting.
    """
    with named(join_web_url=join_web_url, organizer_id=organizer_id), _finding_meetings(session, organizer_id):
        return _id_of(_meeting_of_link(session, join_web_url, organizer_id))


def meeting_by_link(session: GraphSession, url: str, organizer_id: str | None = None) -> EventFacts:
    """
    Return the id of the online meeting that a link leads to, and what it is.

    :param session: the authorized session.
    :param url: the link, as :func:`meeting_by_join_web_url` takes it. A credential.
    :param organizer_id: object id of its organizer; None is the signed-in user.
    :raises NotFound: the organizer has no such meeting.
    """
    with named(meeting_id=url, organizer_id=organizer_id), _finding_meetings(session, organizer_id):
        return _meeting_of_link(session, url, organizer_id)


def meeting_by_join_meeting_id(session: GraphSession, join_meeting_id: str, organizer_id: str | None = None) -> str:
    """
    Return the id of the online meeting with the number that people type in to join.

    :param session: the authorized session.
    :param join_meeting_id: the number, with or without spaces.
    :param organizer_id: object id of its organizer; None is the signed-in user.
    :raises SettingsError: it is no number.
    :raises NotFound: the organizer has no such meeting.
    """
    number = re.sub(r"\s", "", str(join_meeting_id))
    if not number.isdecimal():
        raise SettingsError("join_meeting_id must be a number, such as '123 456 789 01'.")
    query = _number_is(number)
    with named(join_meeting_id=number, organizer_id=organizer_id), _finding_meetings(session, organizer_id):
        return _id_of(_only_meeting(session, organizer_id, [query], EventLink("", meeting_number=number)))


def meeting_by_calendar_event(session: GraphSession, event_id: str, organizer_id: str | None = None) -> str:
    """
    Return the id of the online meeting that belongs to an event in its organizer's calendar.

    :param session: the authorized session.
    :param event_id: the calendar event's ``id``.
    :param organizer_id: object id of the organizer; None is the signed-in user.
    :raises NotFound: there is no such event, or it is no Teams meeting.
    """
    path = f"{_caller(session, organizer_id)}/events/{segment('event_id', event_id)}"
    with named(event_id=event_id, organizer_id=organizer_id):
        with explained(session, application="Calendars.Read, with admin consent", user="Calendars.Read"):
            link = session.read(VERSION, path, _read_link_of_event)
        if link is None:
            raise NotFound(404, "NotFound", "The calendar event is no Teams meeting.")
        with _finding_meetings(session, organizer_id):
            return _id_of(_meeting_of_link(session, link, organizer_id))


def webinar_by_name(session: GraphSession, display_name: str, organizer_id: str | None = None) -> str:
    """
    Return the id of an organizer's webinar.

    :param session: the authorized session.
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
    path = f"/solutions/virtualEvents/webinars/{role}"
    with named(webinar_name=display_name, organizer_id=organizer_id):
        with explained(session, application=application, user="VirtualEvent.Read", organizer_id=organizer_id):
            listed = list(session.pages(VERSION, path, read_webinar))
        found = [one.id for one in listed if one.display_name == display_name and one.status != CANCELED]
        return _only(found, "webinar of that name")


@contextmanager
def explained(session: GraphSession, *, application: str, user: str, organizer_id: str | None = None) -> Iterator[None]:
    """
    Add to a 403 within the block which permission the search needs.

    :param session: the authorized session.
    :param application: what an application needs.
    :param user: what a signed-in user needs.
    :param organizer_id: object id of the organizer, if it is known.
    """
    try:
        yield
    except Forbidden as error:
        if names_access_policy(error) and not session.settings.signs_in_a_user:
            raise AccessPolicyMissing(error, organizer_id=organizer_id, client_id=session.settings.client_id) from None
        who = f"user needs {user}" if session.settings.signs_in_a_user else f"application needs {application}"
        error.advise(f"Where this is about permissions: the {who}.")
        raise


def _finding_meetings(session: GraphSession, organizer_id: str | None) -> AbstractContextManager[None]:
    application = "OnlineMeetings.Read.All, with an application access policy for the organizer"
    return explained(session, application=application, user="OnlineMeetings.Read", organizer_id=organizer_id)


@contextmanager
def named(**arguments: str | None) -> Iterator[None]:
    """Add to a 404 within the block which arguments led to it. Their values are not quoted."""
    try:
        yield
    except NotFound as error:
        raise name_arguments(error, arguments) from None


def _encoded(link: str) -> str:
    """Encode a link that is shown readable: as Teams writes it, the thread and the context are encoded throughout."""
    parts = _MEETUP_LINK.fullmatch(link)
    if parts is None:
        return quote(link, safe=":/?=&%")
    before, thread, between, context = parts.groups()
    return f"{before}{quote(thread, safe='')}{between}{quote(context, safe='')}"


def _meeting_of_link(session: GraphSession, join_web_url: str, organizer_id: str | None) -> EventFacts:
    url = clean_link(join_web_url)
    link = url if "%" in url else _encoded(url)
    queries = [f"JoinWebUrl eq {odata_string(one)}" for one in dict.fromkeys((link, unquote(link)))]
    read = read_event_link(url)
    if read is not None and read.meeting_number is not None:
        # A short link holds the number that people type in to join.
        queries.append(_number_is(read.meeting_number))
    return _only_meeting(session, organizer_id, queries, read)


def _number_is(number: str) -> str:
    return f"joinMeetingIdSettings/joinMeetingId eq {odata_string(number)}"


def _only_meeting(
    session: GraphSession, organizer_id: str | None, queries: Iterable[str], link: EventLink | None
) -> EventFacts:
    found: list[EventFacts] = []
    for query in queries:
        path = f"{_caller(session, organizer_id)}/onlineMeetings?$filter={quote(query, safe=_SAFE)}"
        # As a batch item the link stays out of the address that HTTP libraries and proxies write into their logs.
        (answer,) = session.read_batch(VERSION, [BatchRead(path, partial(_read_meetings, link=link), sent=(query,))])
        if isinstance(answer, TeamsRegistrationError):
            raise answer
        found = answer
        if found:
            break
    meeting_id = _only([_id_of(one) for one in found], "such online meeting")
    return next(one for one in found if _id_of(one) == meeting_id)


def _read_meetings(body: Any, link: EventLink | None) -> list[EventFacts]:
    for item in objects(body):
        if link is not None and link.leads_elsewhere(link_or_none(item, "joinWebUrl"), meeting_number(item)):
            raise Unreadable("it holds another meeting than the one that was searched for")
    found = [read_meeting(item).facts(an_id(item)) for item in objects(body)]
    if not found and not is_last_page(body):
        raise Unreadable("it is an empty page, and not the last one")
    return found


def _id_of(facts: EventFacts) -> str:
    return facts.id or ""


def _read_link_of_event(body: Any) -> str | None:
    event = an_object(body)
    text(event, "id")
    return link_or_none(an_object_or_none(event, "onlineMeeting"), "joinUrl")


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
