"""Fetch the registration status of people on a webinar. This changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_teams_registration.core.outcome import RESULT_COLUMNS, Enrollment, Outcome
from airflow_provider_teams_registration.core.registration import RemoteRegistration
from airflow_provider_teams_registration.core.report import Report
from airflow_provider_teams_registration.events.base import InvalidRow, Registrant
from airflow_provider_teams_registration.events.nesting import without_deep_values
from airflow_provider_teams_registration.events.webinar.event import WebinarEvent
from airflow_provider_teams_registration.events.webinar.identity import UnknownId
from airflow_provider_teams_registration.exceptions import BadRequest, Forbidden, NotFound, TeamsRegistrationError
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_bodies import CANCELED

log = logging.getLogger(__name__)

_WAITING = frozenset({Outcome.WAITLISTED, Outcome.PENDING_APPROVAL})
LINK_PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between the reads of a link that Graph refuses. It may refuse a new link at first."""
_NOT_REGISTERED = "not registered for the webinar"


@dataclass(frozen=True)
class StatusReport:
    """
    The registration status of some people.

    :param report: a row for each person, with their status as the outcome.
    :param is_waiting: whether somebody is on the waitlist or waits for approval.
    :param link_pending: whether the link of an enrolled person is not there yet. False if Graph refuses the link.
    :param is_anybody_absent: whether the webinar does not show somebody. A new registration may show late.
    """

    report: Report
    is_waiting: bool
    link_pending: bool
    is_anybody_absent: bool


def fetch_status(
    event: WebinarEvent,
    webinar: Webinar,
    rows: Sequence[Mapping[str, Any]],
    *,
    link_pauses: Sequence[float] = LINK_PAUSES,
) -> StatusReport:
    """
    Fetch the registration status of people.

    :param event: the webinar, as the runner uses it.
    :param webinar: the same webinar, as the Graph client reads it.
    :param rows: the people. Columns that an enrolling task added are ignored.
    :param link_pauses: seconds between the reads, as long as only refused links are missing.
    :raises TeamsRegistrationError: Graph refuses to read the webinar, or to list the registrations that some rows need.
    """
    rows = [{column: value for column, value in row.items() if column not in RESULT_COLUMNS} for row in rows]
    read = [without_deep_values(row) for row in rows]
    rows = [row for row, _ in read]
    named = [too_deep or one for (_, too_deep), one in zip(read, event.resolve_keys(rows), strict=True)]
    refusal = next((one.refusal for one in named if isinstance(one, UnknownId) and one.refusal), None)
    if refusal is not None:
        refusal.advise(f"{refusal.advice} Or name e-mail addresses: only ids need the list of registrations.".lstrip())
        raise refusal
    # If a person has several registrations, the first active one counts.
    keys = [one if isinstance(one, InvalidRow) else one[0] for one in named]
    people = [Registrant(0, {}, key, None) for key in dict.fromkeys(keys) if isinstance(key, str)]
    found, inconclusive = _find(event, people, link_pauses)
    found |= _cancelled(webinar, {one.key for one in people} - set(found))
    found |= {key: _inconclusive(why) for key, why in inconclusive.items() if key not in found}
    report = Report(
        [
            _enrollment(position, row, key, found)
            for position, (row, key) in enumerate(zip(rows, keys, strict=True), start=1)
        ]
    )
    return StatusReport(
        report,
        is_waiting=any(one.outcome in _WAITING for one in found.values()),
        link_pending=any(one.link_pending and not one.error for one in found.values()),
        is_anybody_absent=any(
            isinstance(key, UnknownId) or (isinstance(key, str) and (key not in found or key in inconclusive))
            for key in keys
        ),
    )


def _find(
    event: WebinarEvent, people: Sequence[Registrant], link_pauses: Sequence[float]
) -> tuple[dict[str, RemoteRegistration], Mapping[str, TeamsRegistrationError]]:
    """
    Find people. If only refused links are missing, read several times, because Graph may refuse a new link at first.

    :return: the registrations by key, and why the lookup is inconclusive for people who were not found.
    """
    pauses = iter(link_pauses)
    while True:
        seen = event.find(people)
        found = {key: registrations[0] for key, registrations in seen.registrations.items()}
        awaited = [one for one in found.values() if one.outcome in _WAITING or one.link_pending]
        pause = next(pauses, None)
        if pause is None or not awaited or not all(one.error for one in awaited):
            return found, seen.inconclusive
        event.rate_limiter.stop.wait(pause)


def _inconclusive(why: TeamsRegistrationError) -> RemoteRegistration:
    return RemoteRegistration(Outcome.UNKNOWN, error=f"not found, but possibly registered: {why}")


def _cancelled(webinar: Webinar, emails: Collection[str]) -> dict[str, RemoteRegistration]:
    """Return the people whose registration was cancelled."""
    if not emails:
        return {}
    listed = webinar.registrations()
    try:
        there = [one.email for one in listed if one.email in emails and one.status == CANCELED]
    except (BadRequest, Forbidden, NotFound):
        log.info(
            "Graph does not let this connection list the registrations. People who were taken off are reported as not "
            "registered."
        )
        return {}
    return dict.fromkeys(there, RemoteRegistration(Outcome.CANCELLED, error="taken off the webinar"))


def _enrollment(
    position: int, row: Mapping[str, Any], key: str | InvalidRow, found: Mapping[str, RemoteRegistration]
) -> Enrollment:
    if isinstance(key, InvalidRow):
        return Enrollment(position, row, Outcome.INVALID, error=str(key))
    shown = found.get(key) or RemoteRegistration(Outcome.REJECTED, error=_NOT_REGISTERED)
    return Enrollment(position, row, shown.outcome, join_web_url=shown.join_web_url, error=shown.error)
