"""
Finding a webinar by a link.

Graph has no filter for it, so the sessions of the organizer's webinars are compared with the link.

Service pages: https://learn.microsoft.com/graph/api/virtualeventwebinar-getbyuseridandrole and
https://learn.microsoft.com/graph/api/virtualevent-list-sessions.
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.exceptions import NotFound, SettingsError, TeamsRegistrationError
from airflow_provider_teams_registration.graph.address import odata_string, segment
from airflow_provider_teams_registration.graph.batch import MAX_BATCH
from airflow_provider_teams_registration.graph.event_link import EventLink, read_event_link
from airflow_provider_teams_registration.graph.event_search import VERSION, explained, named
from airflow_provider_teams_registration.graph.meeting_info import meeting_number
from airflow_provider_teams_registration.graph.paging import is_last_page
from airflow_provider_teams_registration.graph.shapes import BatchRead, Unreadable, link_or_none, objects
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_bodies import WebinarInfo, read_webinar

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession

_BELOW = "/solutions/virtualEvents/webinars"
_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


def webinar_by_link(session: GraphSession, url: str, organizer_id: str | None = None) -> EventFacts:
    """
    Return the id of the webinar that a link leads to, and what it is.

    :param session: the authorized session.
    :param url: the webinar's own join URL, a registrant's, or the link of its registration page. A credential.
    :param organizer_id: object id of its organizer. By default the one that the link names, or else the signed-in
        user; an application then looks at the webinars of every organizer.
    :raises NotFound: there is no such webinar, or the application may not see it.
    :raises Forbidden: the connection may not list webinars.
    :raises SettingsError: the value is no such link.
    """
    with named(webinar_id=url):
        found = _webinar_of_link(session, url, organizer_id)
    return found.facts(found.id)


def webinar_by_join_web_url(session: GraphSession, join_web_url: str, organizer_id: str | None = None) -> str:
    """
    Return the id of the webinar that a link leads to.

    :param session: the authorized session.
    :param join_web_url: the link, as :func:`webinar_by_link` takes it. A credential.
    :param organizer_id: object id of its organizer, as :func:`webinar_by_link` takes it.
    :raises TeamsRegistrationError: as :func:`webinar_by_link` raises it.
    """
    with named(join_web_url=join_web_url, organizer_id=organizer_id):
        return _webinar_of_link(session, join_web_url, organizer_id).id


def _webinar_of_link(session: GraphSession, url: str, organizer_id: str | None) -> WebinarInfo:
    link = read_event_link(url)
    if link is None:
        raise SettingsError("The value is no link to a webinar.")
    if link.webinar_id is not None:
        return Webinar(session, link.webinar_id).read(partial(_read_named, webinar_id=link.webinar_id), "")
    organizer_id = organizer_id or link.organizer_id
    application = "VirtualEvent.Read.All, with an application access policy for the organizer"
    with explained(session, application=application, user="VirtualEvent.Read", organizer_id=organizer_id):
        return _find(session, link, organizer_id)


def _find(session: GraphSession, link: EventLink, organizer_id: str | None) -> WebinarInfo:
    listed = list(session.pages(VERSION, _list(session, organizer_id), read_webinar))
    # The latest first: people enroll for what lies ahead.
    listed.sort(key=lambda one: one.start or _LONG_AGO, reverse=True)
    unread: list[TeamsRegistrationError] = []
    for first in range(0, len(listed), MAX_BATCH):
        webinars = listed[first : first + MAX_BATCH]
        reader = partial(_has_session, link=link)
        reads = [BatchRead(f"{_BELOW}/{segment('webinar_id', one.id)}/sessions", reader) for one in webinars]
        answers = session.read_batch(VERSION, reads)
        for webinar, answer in zip(webinars, answers, strict=True):
            if isinstance(answer, TeamsRegistrationError):
                unread.append(answer)
            elif answer:
                return webinar
    # A session that was not read may be the one.
    if unread:
        raise unread[0]
    raise NotFound(
        404, "NotFound", "The link leads to no webinar of the organizer, or the application access policy hides it."
    )


def _list(session: GraphSession, organizer_id: str | None) -> str:
    if session.settings.signs_in_a_user:
        return f"{_BELOW}/getByUserRole(role='organizer')"
    if organizer_id is None:
        return _BELOW
    return f"{_BELOW}/getByUserIdAndRole(userId={odata_string(organizer_id)},role='organizer')"


def _read_named(body: Any, webinar_id: str) -> WebinarInfo:
    info = read_webinar(body)
    if info.id.lower() != webinar_id.lower():
        raise Unreadable("it is about another webinar")
    return info


def _has_session(body: Any, link: EventLink) -> bool:
    """Return whether a webinar has a session that a link leads to."""
    if any(link.leads_to(link_or_none(one, "joinWebUrl"), meeting_number(one)) for one in objects(body)):
        return True
    if not is_last_page(body):
        raise Unreadable("it lists some of the sessions, and not all")
    return False
