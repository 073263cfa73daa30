"""The chain of checks: connection, sign-in, permissions, event, attendance, pace, ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.doctor.attendance import check_attendance
from airflow_provider_teams_registration.doctor.event_query import EventQuery, refuse_other_kind
from airflow_provider_teams_registration.doctor.event_search import find_event
from airflow_provider_teams_registration.doctor.examination import Examination
from airflow_provider_teams_registration.doctor.finding import Finding, Verdict, fine, missing
from airflow_provider_teams_registration.doctor.ledger import check_ledger
from airflow_provider_teams_registration.doctor.online_meeting import check_online_meeting
from airflow_provider_teams_registration.doctor.pace import check_pace
from airflow_provider_teams_registration.doctor.sign_in import (
    check_cloud,
    check_identity,
    check_permissions,
    check_sign_in,
)
from airflow_provider_teams_registration.doctor.webinar import check_webinar

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from airflow_provider_teams_registration.graph.session import GraphSession


def check(
    session: GraphSession,
    query: EventQuery,
    *,
    needs_attendance: bool = False,
    open_ledger: Callable[[], Engine] | None = None,
    ledger_table: str = "",
) -> Iterator[Finding]:
    """
    Check a connection, an event and a ledger. It only reads.

    :param session: the session.
    :param query: the event, if one is to be checked.
    :param needs_attendance: whether the attendance is required. Default False.
    :param open_ledger: returns the ledger's database; None where there is no ledger to check.
    :param ledger_table: the name of the ledger's table.
    :return: what each check found, in their order.
    """
    yield from _check_service(session, query, needs_attendance=needs_attendance)
    if open_ledger is not None:
        yield from check_ledger(open_ledger, ledger_table)


def check_connection(
    session: GraphSession, *, is_event_named: bool = False
) -> tuple[list[Finding], Examination | None]:
    """
    Check a connection: its cloud, the sign-in, who signs in, and the permissions.

    :param session: the session.
    :param is_event_named: whether an event is checked afterwards.
    :return: the findings; and the examination that further checks take part in, None where there is no token.
    """
    cloud = check_cloud(session)
    if cloud.verdict is Verdict.MISSING:
        return [cloud], None
    signed_in, examination = check_sign_in(session)
    if examination is None:
        return [cloud, signed_in], None
    permissions = check_permissions(examination, is_event_named=is_event_named)
    return [cloud, signed_in, check_identity(examination), *permissions], examination


def _check_service(session: GraphSession, query: EventQuery, *, needs_attendance: bool) -> Iterator[Finding]:
    found, examination = check_connection(session, is_event_named=query.is_named)
    yield from found
    if examination is None:
        return
    if query.is_named:
        yield from _check_event(examination, query, needs_attendance=needs_attendance)
    yield check_pace(session.settings)


def _check_event(examination: Examination, query: EventQuery, *, needs_attendance: bool) -> Iterator[Finding]:
    refused = refuse_other_kind(query) or _no_organizer(examination, query)
    if refused is not None:
        yield refused
        return
    examination.organizer_id = query.organizer_id
    search, event_id = find_event(examination, query)
    if search is not None:
        yield search
    if event_id is None:
        return
    if query.is_of_webinar:
        yield from check_webinar(examination, event_id)
    else:
        if query.organizer_id is not None:
            yield fine("organizer", f"The organizer is taken to be {query.organizer_id}.")
        yield from check_online_meeting(examination, event_id)
    yield check_attendance(
        examination,
        webinar_id=event_id if query.is_of_webinar else None,
        meeting_id=None if query.is_of_webinar else event_id,
        is_required=needs_attendance,
    )


def _no_organizer(examination: Examination, query: EventQuery) -> Finding | None:
    if examination.is_delegated or query.organizer_id is not None or query.webinar_id is not None:
        return None
    return missing(
        "organizer",
        "The connection signs in as an application, which must name the organizer.",
        'Name organizer_id (--organizer-id). (Get-MgUser -UserId "<what the organizer signs in with>").Id shows it.',
    )
