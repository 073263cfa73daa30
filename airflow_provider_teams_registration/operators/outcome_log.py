"""What the log and the ledger are told about the outcomes of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_teams_registration.core.report import Report, count_registrants
from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.ledger.base import Ledger
from airflow_provider_teams_registration.ledger.mail import MailLedger


def log_outcomes(log: Any, report: Report, max_rejected: MaxRejected, ledger: Ledger, *, is_fine: bool) -> None:
    """
    Log the counts, and a warning for each thing that a successful task hides.

    :param log: the task's logger.
    :param report: the outcomes of the run.
    :param max_rejected: how many refused registrants the task tolerates.
    :param ledger: the ledger, which decides what brings missing links.
    :param is_fine: whether the task succeeds.
    """
    if is_fine and report.refused:
        log.warning("Tolerated by max_rejected=%s: %s.", max_rejected, report.error_summary())
    if is_fine and report.links_withheld:
        log.warning(
            "%s may join, and the connection lacks the permission to read their links. Grant the permission that the "
            "column error names. %s.",
            count_registrants(report.links_withheld),
            _when_links_come(ledger),
        )
    if report.changed:
        log.warning(
            "%s rows changed since their people were enrolled. The operator sent nobody again.", f"{report.changed:,}"
        )
    log.info("%s.", report.summary_line())


def record_counts(log: Any, ledger: Ledger | MailLedger, summary: Mapping[str, Any]) -> None:
    """
    Record in the ledger how the attempt ended. A ledger that is out of reach fails no task that did its work.

    :param log: the task's logger.
    :param ledger: the ledger.
    :param summary: the counts.
    """
    try:
        ledger.finish_attempt(summary)
    except TeamsRegistrationError as error:
        log.warning("The counts did not reach the ledger: %s", error)


def _when_links_come(ledger: Ledger) -> str:
    if ledger.is_shared:
        return "The next run then returns these people as 'enrolled', with their links"
    if ledger.is_durable:
        return "Then clear this task: it returns these people as 'enrolled', with their links"
    return "Then run the task again: it returns these people as 'already_enrolled', with their links"
