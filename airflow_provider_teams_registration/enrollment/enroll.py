"""The loop that puts people on an event: validate, send in paced batches, report."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.enrollment.registrant import read_registrants
from airflow_provider_teams_registration.enrollment.report import Report
from airflow_provider_teams_registration.enrollment.sending import Sending

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
    from airflow_provider_teams_registration.graph.pace import Pace


def enroll(
    event: OnlineMeeting,
    rows: Iterable[Any],
    *,
    pace: Pace,
    max_parallel_requests: int = 4,
    stop: threading.Event | None = None,
) -> Report:
    """
    Put people on an event, each once; one bad row never stops the others.

    Nothing is sent where nobody is left after validation. A write is sent again only where it was certainly not
    executed (throttled, or no connection came about); a lost answer becomes the outcome ``unknown``. From the first
    write on nothing is raised, whatever happens: the report says who is enrolled and what cut it short.

    :param event: the event.
    :param rows: dicts of column and value, or plain ids.
    :param pace: the pace of the event's session.
    :param max_parallel_requests: how many calls may be under way at once.
    :param stop: set from outside to end the sending early.
    :return: one enrollment per registrant, in input order.
    :raises TeamsRegistrationError: before anything was sent: the event cannot be read, or is not open.
    """
    given = list(rows)
    if not given:
        return Report([])
    registrants = read_registrants(given, event.registration().allowed_registrant)
    sending = Sending(event, pace, registrants.valid, max_parallel_requests, stop or threading.Event())
    sent, cut_short = sending.run()
    everybody = sorted([*registrants.invalid, *sent], key=lambda enrollment: enrollment.position)
    return Report(everybody, registrants.repeated, cut_short)
