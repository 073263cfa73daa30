"""The loop that puts people on an event: validate, recall, settle, send in paced batches, report."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.enrollment.memory_ledger import MemoryLedger
from airflow_provider_teams_registration.enrollment.outcome import SUCCESS_OUTCOMES
from airflow_provider_teams_registration.enrollment.progress import Progress
from airflow_provider_teams_registration.enrollment.registrant import RegistrantReader
from airflow_provider_teams_registration.enrollment.report import Report, count_registrants
from airflow_provider_teams_registration.enrollment.sending import Sending
from airflow_provider_teams_registration.enrollment.sending_options import Postponed, SendingOptions
from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.event import Event
    from airflow_provider_teams_registration.enrollment.ledger import Ledger
    from airflow_provider_teams_registration.enrollment.outcome import Enrollment, Outcome

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 4000


def enroll(
    event: Event,
    rows: Iterable[Any],
    *,
    ledger: Ledger | None = None,
    options: SendingOptions | None = None,
    stop: threading.Event | None = None,
    keep: Callable[[Sequence[Enrollment]], None] | None = None,
    success_outcomes: Collection[Outcome] = SUCCESS_OUTCOMES,
) -> Report:
    """
    Put people on an event, each once; one bad row never stops the others.

    To retry, to resume after a crash or to go on after a wait is to call this again with the same ledger. A write is
    sent again only where it was certainly not executed, or where reading proved that it never landed. From the first
    write on nothing is raised, whatever happens: the report says who is enrolled and what cut it short.

    :param event: the event.
    :param rows: dicts of column and value, or plain ids; read as they are needed, 4,000 at a time.
    :param ledger: what earlier attempts are known from; one in memory by default. It is closed by whoever made it.
    :param options: how people are sent.
    :param stop: set from outside to end the sending early.
    :param keep: takes each 4,000 rows' enrollments, in input order; by default the report keeps them all.
    :param success_outcomes: which outcomes are fine.
    :return: the counts, and one enrollment per registrant in input order unless ``keep`` took them.
    :raises TeamsRegistrationError: before anything was sent: the event or the ledger cannot be read, or the
        registration is not open.
    """
    iterator = iter(rows)
    first = list(islice(iterator, ROWS_AT_ONCE))
    report = Report(keep=keep, success_outcomes=success_outcomes)
    if not first:
        return report
    with closing(event):
        event.prepare()
        ledger = ledger or MemoryLedger()
        ledger.begin(event.id)
        total = len(rows) if isinstance(rows, Sequence) else None
        _foretell(event, total)
        options = options or SendingOptions()
        sending = Sending(event, ledger, options, stop or threading.Event(), Progress(total))
        portions = chain([first], iter(lambda: list(islice(iterator, ROWS_AT_ONCE)), []))
        _send_portions(sending, RegistrantReader(event.read), portions, report, options.defer_over is not None)
    return report


def _send_portions(
    sending: Sending, reader: RegistrantReader, portions: Iterable[Sequence[Any]], report: Report, will_go_on: bool
) -> None:
    try:
        for some in portions:
            if isinstance(report.cut_short, Postponed) and will_go_on:
                # The run accounts for everybody then.
                break
            registrants = reader.read(some)
            if report.cut_short is None:
                sent, report.cut_short = sending.run(registrants.valid)
                if isinstance(report.cut_short, TeamsRegistrationError) and not sending.has_begun:
                    raise report.cut_short
            else:
                sent = sending.leave(registrants.valid)
            enrollments = sorted([*registrants.invalid, *sent], key=lambda enrollment: enrollment.position)
            _add(report, enrollments, registrants.repeated)
    except BaseException as error:
        if not sending.has_begun:
            raise
        report.cut_short = report.cut_short or error


def _add(report: Report, enrollments: Sequence[Enrollment], repeated: int) -> None:
    try:
        report.add(enrollments, repeated)
    except TeamsRegistrationError as error:
        # They are counted; it is their rows that found no place.
        report.cut_short = report.cut_short or error


def _foretell(event: Event, registrants: int | None) -> None:
    """Say how long a list will take, where the service's allowance makes it long."""
    seconds = event.pace.estimate(registrants or 0)
    if seconds:
        log.info(
            "%s at the pace the service allows: about %s.",
            count_registrants(registrants or 0),
            timedelta(seconds=round(seconds)),
        )
