"""The failure of a task whose outcomes are not what was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_teams_registration.core.report import Report
from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
from airflow_provider_teams_registration.exceptions import LedgerFailure, TeamsRegistrationError
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure


def task_failure(
    report: Report,
    max_rejected: MaxRejected,
    *,
    is_durable: bool,
    links_are_readable: bool = False,
    is_pushed: bool = True,
    missing_in_xcom: str = "",
) -> PermanentFailure | TransientFailure | None:
    """
    Return the failure that the outcomes call for, or None if they are what was asked for.

    :param report: the outcomes of all people.
    :param max_rejected: how many refused people the task tolerates.
    :param is_durable: whether the ledger is durable, so that a retry continues where this attempt ended.
    :param links_are_readable: whether the event shows a registrant's link after the enrollment, too.
    :param is_pushed: whether the rows are in XCom.
    :param missing_in_xcom: what did not reach XCom, where it is and what a retry does; empty if XCom has everything.
    """
    if is_as_asked(report, max_rejected, is_durable=is_durable):
        if not missing_in_xcom:
            return None
        message = f"{report.summary_line()}. {missing_in_xcom}"
    else:
        parts = [
            f"{report.summary_line()}{_limit_exceeded(report, max_rejected)}.",
            *_what_went_wrong(report),
            missing_in_xcom,
            "XCom holds all rows, or a reference to them." if is_pushed else "",
            *_advice(report, is_durable, links_are_readable),
        ]
        message = " ".join(filter(None, parts))
    if _retry_helps(report, is_durable, is_lost=bool(missing_in_xcom)):
        return TransientFailure(message, retry_after=_asked_for(report))
    return PermanentFailure(message)


def is_as_asked(report: Report, max_rejected: MaxRejected, *, is_durable: bool) -> bool:
    """
    Tell whether the outcomes are what was asked for.

    :param report: the outcomes of all people.
    :param max_rejected: how many refused people the task tolerates.
    :param is_durable: whether the ledger is durable, so that a retry continues where this attempt ended.
    """
    is_tolerated = max_rejected.tolerates(report.refused, of=report.total) and not (is_durable and report.transient)
    return is_tolerated and not (report.aborted_by or report.unknown or report.not_sent or report.links_missing)


def _limit_exceeded(report: Report, max_rejected: MaxRejected) -> str:
    """Name ``max_rejected`` only if it is why the task fails."""
    return "" if max_rejected.tolerates(report.refused, of=report.total) else f"; max_rejected is {max_rejected}"


def _what_went_wrong(report: Report) -> Iterator[str]:
    if what := report.error_summary().rstrip("."):
        yield f"{what}."


def _advice(report: Report, is_durable: bool, links_are_readable: bool) -> Iterator[str]:
    if report.aborted_by:
        yield _why_it_ended_early(report.aborted_by)
    if report.unknown and not is_durable:
        yield (
            "The answer about the people with the outcome 'unknown' was lost. Check whether they are on the event "
            "before you run the task again."
        )
    if report.links_missing and links_are_readable:
        yield "The next run reads the missing links again. To accept them, set on_missing_join_url='ignore'."
    elif report.links_missing:
        yield (
            "To give these people a new link, set on_missing_join_url='re_enroll'. A link that they already hold then "
            "stops working. To accept the missing links, set 'ignore'. With a ledger_conn_id, the next run has the "
            "links of this run."
        )


def _why_it_ended_early(error: BaseException) -> str:
    if isinstance(error, DeferRequested):
        return f"The task ended early, because Graph asked it to wait {error.seconds:.0f} s."
    if isinstance(error, TeamsRegistrationError):
        return f"The task ended early: {error}"
    # The text of any other error may contain personal data. The log has its traceback.
    return f"The task ended early with {type(error).__name__}."


def _asked_for(report: Report) -> float | None:
    """The seconds that Graph asked to wait, if it did."""
    seconds: float | None = getattr(report.aborted_by, "seconds", None) or getattr(
        report.aborted_by, "retry_after", None
    )
    return seconds


def _retry_helps(report: Report, is_durable: bool, is_lost: bool) -> bool:
    if isinstance(report.aborted_by, LedgerFailure) and not report.aborted_by.transient:
        # Until somebody repairs the ledger, the next attempt fails at the same point.
        return False
    if is_durable:
        return bool(report.transient or report.unknown or report.aborted_by or is_lost)
    # A retry knows nothing of this attempt, so it may follow only if nobody can be on the event yet.
    return bool(report.transient or is_lost) and not report.unknown and report.refused + report.not_sent == report.total
