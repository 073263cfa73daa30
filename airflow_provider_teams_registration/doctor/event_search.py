"""Check that the event can be found by what the user knows of it."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_teams_registration.doctor.event_query import EventQuery
from airflow_provider_teams_registration.doctor.examination import Examination
from airflow_provider_teams_registration.doctor.finding import Finding, fine, missing
from airflow_provider_teams_registration.doctor.permissions import (
    READ_CALENDAR,
    READ_MEETING,
    READ_WEBINAR,
    Operation,
)
from airflow_provider_teams_registration.events.id_checks import is_link_to
from airflow_provider_teams_registration.events.kinds import MEETING, WEBINAR, EventKind
from airflow_provider_teams_registration.exceptions import Forbidden, SettingsError, TeamsRegistrationError
from airflow_provider_teams_registration.graph import event_search
from airflow_provider_teams_registration.graph.session import GraphSession
from airflow_provider_teams_registration.graph.webinar_by_link import webinar_by_link

Search = Callable[[GraphSession, str, str | None], str]


def find_event(examination: Examination, query: EventQuery) -> tuple[Finding | None, str | None]:
    """
    Find the event's id.

    :param examination: the examination.
    :param query: the event.
    :return: the finding, None if the user named the id; and the id, None if no event was found.
    """
    webinar_id, webinar_link = _id_or_link(WEBINAR, query.webinar_id)
    meeting_id, meeting_link = _id_or_link(MEETING, query.meeting_id)
    ways: tuple[tuple[Search, str | None, Operation], ...] = (
        (_webinar_by_link, webinar_link, READ_WEBINAR),
        (_meeting_by_link, meeting_link, READ_MEETING),
        (event_search.meeting_by_join_web_url, query.join_web_url, READ_MEETING),
        (event_search.meeting_by_join_meeting_id, query.join_meeting_id, READ_MEETING),
        (event_search.meeting_by_calendar_event, query.event_id, READ_CALENDAR),
        (event_search.webinar_by_name, query.webinar_name, READ_WEBINAR),
    )
    for search, value, operation in ways:
        if value is not None:
            return _search(examination, query, search, value, operation)
    return None, webinar_id or meeting_id


def _id_or_link(kind: EventKind, value: str | None) -> tuple[str | None, str | None]:
    return (None, value) if is_link_to(kind, value) else (value, None)


def _webinar_by_link(session: GraphSession, url: str, organizer_id: str | None) -> str:
    return webinar_by_link(session, url, organizer_id).id or ""


def _meeting_by_link(session: GraphSession, url: str, organizer_id: str | None) -> str:
    return event_search.meeting_by_link(session, url, organizer_id).id or ""


def _search(
    examination: Examination, query: EventQuery, search: Search, value: str, operation: Operation
) -> tuple[Finding, str | None]:
    try:
        found = search(examination.session, value, query.organizer_id)
    except SettingsError as error:
        return missing("search", str(error), "Name the event by its id (--webinar-id or --meeting-id)."), None
    except TeamsRegistrationError as error:
        if operation is READ_CALENDAR and isinstance(error, Forbidden) and not examination.lacks(READ_CALENDAR):
            # The calendar was read; the meeting that its event leads to was not.
            operation = READ_MEETING
        return examination.refused("search", operation, error), None
    return fine("search", f"It was found; its id is {found}."), found
