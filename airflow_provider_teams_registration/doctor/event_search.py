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
from airflow_provider_teams_registration.exceptions import Forbidden, SettingsError, TeamsRegistrationError
from airflow_provider_teams_registration.graph import event_search
from airflow_provider_teams_registration.graph.session import GraphSession

Search = Callable[[GraphSession, str, str | None], str]


def find_event(examination: Examination, query: EventQuery) -> tuple[Finding | None, str | None]:
    """
    Find the event's id.

    :param examination: the examination.
    :param query: the event.
    :return: the finding, None if the user named the id; and the id, None if no event was found.
    """
    ways: tuple[tuple[Search, str | None, Operation], ...] = (
        (event_search.meeting_by_join_web_url, query.join_web_url, READ_MEETING),
        (event_search.meeting_by_join_meeting_id, query.join_meeting_id, READ_MEETING),
        (event_search.meeting_by_calendar_event, query.event_id, READ_CALENDAR),
        (event_search.webinar_by_name, query.webinar_name, READ_WEBINAR),
    )
    for search, value, operation in ways:
        if value is not None:
            return _search(examination, query, search, value, operation)
    return None, query.webinar_id or query.meeting_id


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
