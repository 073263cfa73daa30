"""Cancel people: read the rows in portions, run each portion, and report the outcomes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.report import Report
from airflow_provider_teams_registration.core.state import DEFAULT_SETTLE_AFTER, Goal
from airflow_provider_teams_registration.enrollment.ending import is_failure
from airflow_provider_teams_registration.enrollment.progress import Progress
from airflow_provider_teams_registration.enrollment.runner import EnrollmentRunner
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.events.base import InvalidRow, Registrant
from airflow_provider_teams_registration.events.nesting import without_deep_values
from airflow_provider_teams_registration.events.problems import problem_of
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.graph.write_quota import WriteQuota

if TYPE_CHECKING:
    from airflow_provider_teams_registration.events.base import Event
    from airflow_provider_teams_registration.ledger.base import Ledger

CANCELLED = frozenset({Outcome.CANCELLED})
_ROWS_AT_ONCE = 1000


def cancel(
    event: Event,
    rows: Iterable[Any],
    *,
    ledger: Ledger,
    stop: threading.Event | None = None,
    settle_after: float = DEFAULT_SETTLE_AFTER,
) -> Report:
    """
    Cancel each person. To cancel a person again does no harm, so a retry may call this function with the same rows.

    After the first request, this function raises nothing: the report holds the outcomes and the error that ended the
    run early.

    :param event: the event.
    :param rows: dicts of columns and values, or plain ids (for a webinar, ids or e-mail addresses). The function reads
        1,000 at a time.
    :param ledger: the ledger, which records people as cancelled, so that a later run may enroll them again.
    :param stop: an event that another thread sets to end the run early.
    :param settle_after: how many seconds an enrollment may take to show on the event. If, by the ledger, a run sent a
        person or found them on the event less than that many seconds ago, and the event does not show them, this
        function waits until that time is over. With 0 it waits for nobody. Default 120.
    :return: one enrollment per row, with the outcome ``cancelled`` if the person is off the event.
    :raises TeamsRegistrationError: nobody was cancelled, because the event or the ledger cannot be read. Later than in
        the first 1,000 rows, this error is in the report.
    """
    ledger.start_attempt(event.id)
    if isinstance(event.rate_limiter, WriteQuota):
        ledger.share_quota(event.rate_limiter)
    report = Report(success_outcomes=CANCELLED)
    options = SendingOptions(settle_after=settle_after)
    progress = Progress(len(rows) if isinstance(rows, Sequence) else None, options.progress_every)
    runner = EnrollmentRunner(event, ledger, options, stop or threading.Event(), progress, Goal.CANCEL)
    iterator = iter(rows)
    seen: set[str] = set()
    position = 0
    while given := list(islice(iterator, _ROWS_AT_ONCE)):
        may_raise = not position and not runner.has_begun
        some, failure = _read(event, given, position, seen)
        if failure is not None and may_raise:
            raise failure
        report.aborted_by = report.aborted_by or failure
        position += len(given)
        if report.aborted_by is None:
            done, report.aborted_by = runner.run(some.registrants)
            if is_failure(report.aborted_by) and may_raise and not runner.has_begun:
                raise report.aborted_by
        else:
            done = runner.outcomes_without_sending(some.registrants)
        report.add(_one_for_each_row([*some.unread, *done]), some.repeated)
    return report


@dataclass
class _Portion:
    """
    Rows that were read.

    :ivar registrants: the people to cancel. A row may mean several.
    :ivar unread: rows that mean nobody, or of which nobody can tell whom they mean.
    :ivar repeated: how many rows mean only people of earlier rows.
    """

    registrants: list[Registrant] = field(default_factory=list)
    unread: list[Enrollment] = field(default_factory=list)
    repeated: int = 0


def _read(
    event: Event, given: Sequence[Any], after: int, seen: set[str]
) -> tuple[_Portion, TeamsRegistrationError | None]:
    """Read rows, which follow ``after`` others. Add the people whom they mean to ``seen``."""
    failure: TeamsRegistrationError | None = None
    read = [without_deep_values(one if isinstance(one, Mapping) else {"id": one}) for one in given]
    keys: Sequence[list[str] | InvalidRow | TeamsRegistrationError]
    try:
        keys = event.resolve_keys([row for row, _ in read])
    except TeamsRegistrationError as error:
        # People who are off already must not be forgotten.
        failure = error
        keys = [error] * len(given)
    portion = _Portion()
    for position, ((row, too_deep), found) in enumerate(zip(read, keys, strict=True), start=after + 1):
        named = too_deep or found
        if isinstance(named, InvalidRow):
            portion.unread.append(_unread(position, row, Outcome.INVALID, Problem(str(named))))
        elif isinstance(named, TeamsRegistrationError):
            outcome = Outcome.NOT_SENT if named.transient else Outcome.REJECTED
            portion.unread.append(_unread(position, row, outcome, problem_of(named)))
        else:
            new = [key for key in named if key not in seen]
            seen.update(new)
            portion.repeated += not new
            portion.registrants += [Registrant(position, row, key, None) for key in new]
    return portion, failure


def _unread(position: int, row: Mapping[str, Any], outcome: Outcome, why: Problem) -> Enrollment:
    return Enrollment(position, row, outcome, error=why.text, reason=why.reason, transient=why.is_transient)


def _one_for_each_row(enrollments: Iterable[Enrollment]) -> list[Enrollment]:
    """Return, for a row that means several people, one who is not off the event, if there is one."""
    by_row: dict[int, Enrollment] = {}
    for one in enrollments:
        if one.position not in by_row or by_row[one.position].outcome is Outcome.CANCELLED:
            by_row[one.position] = one
    return [by_row[position] for position in sorted(by_row)]
