"""Enroll people: read the rows in portions, run each portion, and report the outcomes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.double_enrollments import ReturnedLinks
from airflow_provider_teams_registration.core.outcome import SUCCESS_OUTCOMES
from airflow_provider_teams_registration.core.report import Report, count_registrants
from airflow_provider_teams_registration.enrollment.double_enrollments import find_double_enrollments
from airflow_provider_teams_registration.enrollment.ending import is_failure
from airflow_provider_teams_registration.enrollment.progress import Progress
from airflow_provider_teams_registration.enrollment.resumption import Resumption
from airflow_provider_teams_registration.enrollment.runner import EnrollmentRunner
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested, SendingOptions
from airflow_provider_teams_registration.events.registrant import RegistrantReader
from airflow_provider_teams_registration.exceptions import Fenced, TeamsRegistrationError
from airflow_provider_teams_registration.graph.write_quota import WriteQuota
from airflow_provider_teams_registration.ledger.memory import MemoryLedger

if TYPE_CHECKING:
    from airflow_provider_teams_registration.core.outcome import Enrollment, Outcome
    from airflow_provider_teams_registration.events.base import Event
    from airflow_provider_teams_registration.ledger.base import Ledger

log = logging.getLogger(__name__)


def enroll(
    event: Event,
    rows: Iterable[Any],
    *,
    ledger: Ledger | None = None,
    options: SendingOptions | None = None,
    stop: threading.Event | None = None,
    keep: Callable[[Sequence[Enrollment]], None] | None = None,
    success_outcomes: Collection[Outcome] = SUCCESS_OUTCOMES,
    resumption: Resumption | None = None,
) -> Report:
    """
    Enroll each person once. A bad row never stops the others.

    To retry, to resume after a crash or to continue after a wait, call this function again with the same ledger. It
    repeats a write only if Graph did not execute it, or if reads of the event prove that it had no effect. After the
    first write, this function raises nothing: the report holds the enrollments and the error that ended the run early.

    :param event: the event.
    :param rows: dicts of columns and values, or plain ids. The function reads ``options.rows_at_once`` at a time.
    :param ledger: the ledger; one in memory by default. The caller closes it.
    :param options: the options of the run.
    :param stop: an event that another thread sets to end the run early.
    :param keep: a function that takes the enrollments of the rows that are read at once, in input order. By default the
        report keeps them.
    :param success_outcomes: the outcomes that count as success.
    :param resumption: what the run knows if it goes on after a deferral. By default it is not one that does.
    :return: the counts and, without ``keep``, one enrollment per registrant in input order.
    :raises TeamsRegistrationError: nothing was sent, because the event or the ledger cannot be read or the registration
        is not open.
    """
    options = options or SendingOptions()
    iterator = iter(rows)
    first = list(islice(iterator, options.rows_at_once))
    report = Report(keep=keep, success_outcomes=success_outcomes)
    if not first:
        return report
    resumption = resumption or Resumption()
    with closing(event):
        ledger = ledger or MemoryLedger()
        # The ledger opens while Entra and Graph answer.
        ledger.open_early()
        resumption.begin(event, ledger)
        if isinstance(event.rate_limiter, WriteQuota):
            ledger.share_quota(event.rate_limiter)
        total = len(rows) if isinstance(rows, Sequence) else None
        _log_estimate(event, total)
        runner = EnrollmentRunner(
            event,
            ledger,
            options,
            stop or threading.Event(),
            Progress(total, options.progress_every),
            resumption=resumption,
        )
        portions = chain([first], iter(lambda: list(islice(iterator, options.rows_at_once)), []))
        returned = ReturnedLinks() if options.finds_double_enrollments else None
        _send_portions(runner, RegistrantReader(event.read), portions, report, options.defer_over is not None, returned)
        if isinstance(report.aborted_by, DeferRequested):
            resumption.leave(event, report.aborted_by)
        elif returned is not None and report.aborted_by is None:
            report.double_enrollments = find_double_enrollments(event, returned)
            _hold_fence(ledger, report)
        report.event = event.facts or resumption.facts
    return report


def _send_portions(
    runner: EnrollmentRunner,
    reader: RegistrantReader,
    portions: Iterable[Sequence[Any]],
    report: Report,
    will_go_on: bool,
    returned: ReturnedLinks | None,
) -> None:
    try:
        for some in portions:
            if isinstance(report.aborted_by, DeferRequested) and will_go_on:
                # The attempt that resumes returns a row for each of them.
                break
            registrants = reader.read(some)
            if report.aborted_by is None:
                sent, report.aborted_by = runner.run(registrants.valid)
                if is_failure(report.aborted_by) and not runner.has_begun:
                    raise report.aborted_by
            else:
                sent = runner.outcomes_without_sending(registrants.valid)
            enrollments = sorted([*registrants.invalid, *sent], key=lambda enrollment: enrollment.position)
            _add(report, enrollments, registrants.repeated)
            if returned is not None:
                returned.add(enrollments)
    except BaseException as error:
        if not runner.has_begun:
            raise
        report.aborted_by = report.aborted_by or error


def _hold_fence(ledger: Ledger, report: Report) -> None:
    """Leave the result to a newer attempt that has started during the last read."""
    try:
        ledger.write([])
    except Fenced as error:
        report.aborted_by = error
    except TeamsRegistrationError:
        log.debug("The ledger cannot be read any more.")


def _add(report: Report, enrollments: Sequence[Enrollment], repeated: int) -> None:
    try:
        report.add(enrollments, repeated)
    except TeamsRegistrationError as error:
        # The report has counted them. Only their rows could not be stored.
        report.aborted_by = report.aborted_by or error


def _log_estimate(event: Event, registrants: int | None) -> None:
    """Log how long the run will take, if the write quota makes it long."""
    seconds = event.rate_limiter.estimate(registrants or 0)
    if seconds:
        log.info(
            "%s will take about %s, because of the write quota for webinars.",
            count_registrants(registrants or 0),
            timedelta(seconds=round(seconds)),
        )
