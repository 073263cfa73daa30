"""The failure that a report calls for."""

from __future__ import annotations

from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.enrollment.report import Report
from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure


def complaint(
    report: Report,
    max_rejected: MaxRejected,
    *,
    is_durable: bool,
    hands_links_out_once: bool = True,
    is_pushed: bool = True,
) -> PermanentFailure | TransientFailure | None:
    """
    Return the failure that the outcomes call for, or None where they are what was asked for.

    :param report: what became of everybody.
    :param max_rejected: how many refusals are tolerated.
    :param is_durable: whether the ledger lasts, so that a retry goes on where this attempt ended.
    :param hands_links_out_once: whether a link can be had only in the answer to the enrollment.
    :param is_pushed: whether the rows are in XCom.
    """
    is_tolerated = max_rejected.tolerates(report.refused, of=report.total) and not (is_durable and report.transient)
    if is_tolerated and not (report.cut_short or report.unknown or report.links_missing):
        return None
    what = report.complaint().rstrip(".")
    said = f"{report.sentence()}; max_rejected is {max_rejected}. {what}."
    if is_pushed:
        said += " XCom has the rows of all, or where they are."
    if report.cut_short:
        # Of others the text may hold what was sent; the log says where they broke down.
        why = str(report.cut_short) if isinstance(report.cut_short, TeamsRegistrationError) else ""
        said += f" The task was cut short by {type(report.cut_short).__name__}. {why}".rstrip()
    if report.unknown and not is_durable:
        said += " 'unknown' was sent and its answer lost: look whether they are on the list before they are sent again."
    if report.links_missing and not hands_links_out_once:
        said += " on_missing_join_url='ignore' accepts them without their links; the next run reads the links again."
    elif report.links_missing:
        said += (
            " Whose link is missing gets one with on_missing_join_url='re_enroll', which ends the link they may hold; "
            "'ignore' accepts it. With a ledger_conn_id the links of a run are at hand in the next one."
        )
    if _retry_helps(report, is_durable):
        return TransientFailure(said, retry_after=_asked_for(report))
    return PermanentFailure(said)


def _asked_for(report: Report) -> float | None:
    """The seconds that the service asked to wait, if it did."""
    seconds: float | None = getattr(report.cut_short, "seconds", None) or getattr(report.cut_short, "retry_after", None)
    return seconds


def _retry_helps(report: Report, is_durable: bool) -> bool:
    if is_durable:
        return bool(report.transient or report.unknown or report.cut_short)
    # A retry knows nothing of this attempt, so it may only follow where nobody can be on the list yet.
    return report.transient > 0 and not report.unknown and report.refused == report.total
