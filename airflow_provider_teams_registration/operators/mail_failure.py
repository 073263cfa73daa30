"""The failure that the outcomes of a mailing call for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure

if TYPE_CHECKING:
    from airflow_provider_teams_registration.mail.report import MailReport


def aborted(
    error: TeamsRegistrationError, report: MailReport, *, is_durable: bool
) -> PermanentFailure | TransientFailure:
    """
    Return the failure for an error that ended the mailing.

    :param error: the error.
    :param report: what came of everybody before it.
    :param is_durable: whether the ledger is durable, so that a retry mails nobody again.
    """
    said = str(error)
    if report.sent:
        said = f"{said} Before that: {report.summary_line()}."
    if error.transient and (is_durable or not report.sent):
        return TransientFailure(said, error.retry_after)
    if error.transient:
        said = f"{said} No durable ledger notes who was mailed, so the retries are skipped."
    return PermanentFailure(said)


def missing_mails(
    report: MailReport, max_rejected: MaxRejected, *, is_durable: bool, is_without_rows: bool
) -> PermanentFailure | TransientFailure | None:
    """
    Return the failure that the outcomes call for, or None where everybody has the mail that they should have.

    :param report: what came of everybody.
    :param max_rejected: how many people may end without a mail that they should have.
    :param is_durable: whether the ledger is durable, so that a retry mails nobody again.
    :param is_without_rows: whether XCom had no rows, so that only people of the ledger were mailed.
    """
    is_tolerated = max_rejected.tolerates(report.refused, of=report.total)
    if is_tolerated and not (report.unknown or report.later or is_without_rows):
        return None
    limit_exceeded = "" if is_tolerated else f"; max_rejected is {max_rejected}"
    parts = [f"{report.summary_line()}{limit_exceeded}.", report.error_summary()]
    if report.later:
        parts.append("A retry mails those who are left." if is_durable else "")
    if is_without_rows:
        parts.append("XCom holds no rows of the task that enrolls; only people of the ledger were mailed.")
    said = " ".join(part for part in parts if part)
    if report.later and (is_durable or not report.sent):
        return TransientFailure(said)
    return PermanentFailure(said)
