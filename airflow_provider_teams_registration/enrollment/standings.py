"""How people stand on a webinar: a look at everybody, which changes nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_teams_registration.enrollment.event import InvalidRow, Registrant, Standing
from airflow_provider_teams_registration.enrollment.outcome import RESULT_COLUMNS, Enrollment, Outcome
from airflow_provider_teams_registration.enrollment.report import Report
from airflow_provider_teams_registration.enrollment.webinar_event import WebinarEvent
from airflow_provider_teams_registration.enrollment.webinar_named import UnknownId
from airflow_provider_teams_registration.graph.errors import BadRequest, Forbidden, NotFound
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_bodies import CANCELED

log = logging.getLogger(__name__)

_WAITING = frozenset({Outcome.WAITLISTED, Outcome.PENDING_APPROVAL})
_BETWEEN_LOOKS = (1.0, 2.0, 4.0, 8.0)
_NOT_REGISTERED = "not registered for the webinar"


@dataclass(frozen=True)
class Look:
    """
    What a look found.

    :param report: everybody, as they stand.
    :param is_waiting: whether somebody is on the waitlist, or waits for approval.
    :param is_link_due: whether the link of somebody who is enrolled is missing only for now; not if it stays refused.
    :param is_anybody_absent: whether somebody does not show, which a new registration may not do for a while.
    """

    report: Report
    is_waiting: bool
    is_link_due: bool
    is_anybody_absent: bool


def look(event: WebinarEvent, webinar: Webinar, rows: Sequence[Mapping[str, Any]]) -> Look:
    """
    Look how people stand.

    :param event: the webinar, as people are enrolled in it.
    :param webinar: the same, as it lists those who were taken off.
    :param rows: the people; what an enrolling task said of them is left out.
    :raises TeamsRegistrationError: the webinar cannot be read, or of some rows not whom they mean.
    """
    rows = [{column: value for column, value in row.items() if column not in RESULT_COLUMNS} for row in rows]
    named = event.keys_to_cancel(rows)
    refusal = next((one.refusal for one in named if isinstance(one, UnknownId) and one.refusal), None)
    if refusal is not None:
        refusal.advise(f"{refusal.advice} Or name e-mail addresses: only ids need the list of registrations.".lstrip())
        raise refusal
    # Whoever has several registrations stands as the first that is active.
    keys = [one if isinstance(one, InvalidRow) else one[0] for one in named]
    people = [Registrant(0, {}, key, None) for key in dict.fromkeys(keys) if isinstance(key, str)]
    found = _find(event, people)
    found |= _taken_off(webinar, {one.key for one in people} - set(found))
    report = Report(
        [
            _enrollment(position, row, key, found)
            for position, (row, key) in enumerate(zip(rows, keys, strict=True), start=1)
        ]
    )
    return Look(
        report,
        is_waiting=any(one.outcome in _WAITING for one in found.values()),
        is_link_due=any(one.is_link_due and not one.error for one in found.values()),
        is_anybody_absent=any(
            isinstance(key, UnknownId) or (isinstance(key, str) and key not in found) for key in keys
        ),
    )


def _find(event: WebinarEvent, people: Sequence[Registrant]) -> dict[str, Standing]:
    """Find people; where nothing but refused links is in the way, several times: a new link may be refused at first."""
    pauses = iter(_BETWEEN_LOOKS)
    while True:
        found = {key: standings[0] for key, standings in event.find(people).standings.items()}
        awaited = [one for one in found.values() if one.outcome in _WAITING or one.is_link_due]
        pause = next(pauses, None)
        if pause is None or not awaited or not all(one.error for one in awaited):
            return found
        time.sleep(pause)


def _taken_off(webinar: Webinar, emails: Collection[str]) -> dict[str, Standing]:
    """Tell those who were taken off from those who never were on the webinar."""
    if not emails:
        return {}
    listed = webinar.registrations()
    try:
        there = [one.email for one in listed if one.email in emails and one.status == CANCELED]
    except (BadRequest, Forbidden, NotFound):
        log.info("The list of registrations may not be read: who was taken off counts as not registered.")
        return {}
    return dict.fromkeys(there, Standing(Outcome.CANCELLED, error="taken off the webinar"))


def _enrollment(
    position: int, row: Mapping[str, Any], key: str | InvalidRow, found: Mapping[str, Standing]
) -> Enrollment:
    if isinstance(key, InvalidRow):
        return Enrollment(position, row, Outcome.INVALID, error=str(key))
    standing = found.get(key) or Standing(Outcome.REJECTED, error=_NOT_REGISTERED)
    return Enrollment(position, row, standing.outcome, join_web_url=standing.join_web_url, error=standing.error)
