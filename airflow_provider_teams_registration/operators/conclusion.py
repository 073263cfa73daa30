"""The end of a task that enrolled people: what it pushes, logs and returns, and whether it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure
from airflow_provider_teams_registration.operators.event_task import EventTask
from airflow_provider_teams_registration.operators.map_index import name_by_event
from airflow_provider_teams_registration.xcom.push import PushesRows, describe_retry, missing_in_xcom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.core.report import Report
    from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
    from airflow_provider_teams_registration.enrollment.result_buffer import ResultBuffer
    from airflow_provider_teams_registration.ledger.base import Ledger


class ConcludesEnrolling(EventTask, PushesRows):
    """
    A task that enrolls people and keeps them in a ledger.

    :ivar ledger_conn_id: Airflow connection to the ledger's database; None if the ledger is not in one.
    :ivar ledger_table: the ledger's table.
    :ivar store_join_urls: whether the ledger keeps links.
    """

    ledger_conn_id = TextArgument()
    ledger_table = TextArgument(absent="")
    store_join_urls: bool

    def conclude(
        self, context: Context, report: Report, max_rejected: MaxRejected, ledger: Ledger, results: ResultBuffer
    ) -> Any:
        """
        Push the summary and the rows of a run that is over, and fail where the outcome is not what was asked for.

        :param context: the task's context.
        :param report: the outcomes of all people.
        :param max_rejected: how many refused people the task tolerates.
        :param ledger: the ledger, whose attempt has started.
        :param results: the rows.
        :return: the rows, or a reference to them.
        """
        from airflow_provider_teams_registration.exceptions import Fenced
        from airflow_provider_teams_registration.operators.outcome_log import record_counts
        from airflow_provider_teams_registration.operators.task_failure import is_as_asked, task_failure
        from airflow_provider_teams_registration.read_enrollments import reference

        # An attempt that goes on after a deferral did not read the event again.
        name_by_event(context, report.event)
        if isinstance(report.aborted_by, Fenced):
            raise PermanentFailure(str(report.aborted_by))
        summary = report.summary()
        is_durable = self.is_durable_for(ledger)
        summary_lost = self.push_summary(context, summary)
        record_counts(self.log, ledger, summary)
        value: Any = results.rows
        is_reference = value is None
        if is_reference:
            value = reference(self.ledger_conn_id, self.ledger_table, ledger, summary)
        will_fail = bool(summary_lost or report.double_enrollments) or not is_as_asked(
            report, max_rejected, is_durable=is_durable
        )
        rows_lost = self.push_rows(context, value, will_fail=will_fail)
        lost = missing_in_xcom(rows_lost, summary_lost, is_reference=is_reference)
        failure = task_failure(
            report,
            max_rejected,
            is_durable=is_durable,
            links_are_readable=self.named_event().kind.links_are_readable,
            is_pushed=self.do_xcom_push and not rows_lost,
            missing_in_xcom=lost and f"{lost} {self._what_a_retry_does(report, ledger, is_too_much=bool(rows_lost))}",
        )
        if report.double_enrollments:
            failure = PermanentFailure(
                " ".join([str(failure or f"{report.summary_line()}."), report.double_enrollments.sentence()])
            )
        if failure is None and self.is_result_left_to_airflow:
            what_if = self._what_a_retry_does(report, ledger, is_too_much=False)
            self.log.info("The rows go back to Airflow, which puts them into XCom. If it cannot: %s", what_if)
        self._tell(report, max_rejected, ledger, is_fine=failure is None)
        if failure is not None:
            raise failure
        return value

    def is_durable_for(self, ledger: Ledger) -> bool:
        """
        Return whether a later attempt has all results of this one. Graph returns a meeting's link only once.

        :param ledger: the task's ledger.
        """
        return ledger.is_durable and (self.store_join_urls or self.named_event().kind.links_are_readable)

    def _tell(self, report: Report, max_rejected: MaxRejected, ledger: Ledger, *, is_fine: bool) -> None:
        from airflow_provider_teams_registration.operators.outcome_log import log_outcomes

        log_outcomes(self.log, report, max_rejected, ledger, is_fine=is_fine)

    def _what_a_retry_does(self, report: Report, ledger: Ledger, *, is_too_much: bool) -> str:
        place = "Airflow's task state store"
        if ledger.is_shared:
            place = f"table {self.ledger_table!r} of ledger_conn_id {self.ledger_conn_id!r}"
        return describe_retry(
            report,
            place if self.is_durable_for(ledger) else None,
            reads_links_again=self.named_event().kind.links_are_readable,
            has_room=ledger.row_store is not None,
            is_too_much=is_too_much,
        )
