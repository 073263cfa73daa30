"""Take people off a Teams event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.exceptions import Fenced
from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, failures_for_airflow
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.enrolling import DEFAULT_LEDGER_TABLE
from airflow_provider_teams_registration.operators.enrolling_arguments import refuse_wrong_seconds
from airflow_provider_teams_registration.operators.event_task import EVENT_FIELDS, EventTask, facts_or_id
from airflow_provider_teams_registration.operators.killable import StopsOnKill
from airflow_provider_teams_registration.xcom.masked_rows import (
    MaskedRegistrants,
    RegistrantRows,
    mask_rendered,
    returned_rows,
)
from airflow_provider_teams_registration.xcom.push import PushesRows, missing_in_xcom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class CancelRegistrantOperator(MaskedRegistrants, EventTask, StopsOnKill, PushesRows):
    """
    Take people off an online meeting or a webinar. People who are not on it count as taken off.

    If, by the ledger, a task sent a person or found them on the event less than ``settle_after`` seconds ago, and the
    event does not show them, the task waits until that time is over, because they may show late. A person whom the task
    did not reach is ``not_sent``.

    XCom ``return_value`` holds one dict per registrant: the input row with ``outcome`` (``cancelled`` where all is
    well), ``join_web_url`` (always None) and ``error``; XCom ``summary`` holds the counts and the event.

    .. seealso::
        https://learn.microsoft.com/graph/api/externalmeetingregistrant-delete?view=graph-rest-beta and
        https://learn.microsoft.com/graph/api/virtualeventregistration-cancel

    :param registrants: the people: a list of dicts (or of plain ids), one dict, what the operator that enrolls
        returned, or a template or XComArg for such. A meeting takes ``id``; a webinar ``email``, or the ``id`` they
        were enrolled with. (templated)
    :param meeting_id: the online meeting's ``id`` in Graph, or its join URL. (templated)
    :param webinar_id: or the webinar's. (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user. (templated)
    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``. (templated)
    :param max_rejected: how many refusals the task tolerates: a number, or a per cent such as ``"5%"``. (templated)
    :param ledger_conn_id: Airflow connection to the ledger's database, so that those who were taken off are enrolled
        anew when they come up again. Name the same as for enrolling. (templated)
    :param ledger_table: the ledger's table. (templated)
    :param settle_after: how many seconds an enrollment may take to show on the event. Give the same as for enrolling.
        With 0 the task waits for nobody who may show late. Default 120.
    :raises PermanentFailure: somebody could not be taken off, or the event or connection cannot work.
    :raises TransientFailure: Graph was unreachable, was failing or throttled the task.
    """

    template_fields: Sequence[str] = (
        "registrants",
        *EVENT_FIELDS,
        "conn_id",
        "max_rejected",
        "ledger_conn_id",
        "ledger_table",
    )
    ui_color = "#e3e0f7"

    conn_id = TextArgument(absent="")
    ledger_conn_id = TextArgument()
    ledger_table = TextArgument(absent="")

    def __init__(
        self,
        *,
        registrants: Any,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        max_rejected: int | str = 0,
        ledger_conn_id: str | None = None,
        ledger_table: str = DEFAULT_LEDGER_TABLE,
        settle_after: float = 120.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.registrants = registrants
        self.conn_id = conn_id
        self.max_rejected = max_rejected
        self.ledger_conn_id = ledger_conn_id
        self.ledger_table = ledger_table
        self.settle_after = settle_after
        refuse_wrong_seconds("settle_after", settle_after)

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Take everybody off, push summary and rows, and fail where somebody is still on."""
        from airflow_provider_teams_registration.enrollment.cancel import cancel
        from airflow_provider_teams_registration.hooks.ledger import open_ledger
        from airflow_provider_teams_registration.operators.outcome_log import record_counts
        from airflow_provider_teams_registration.operators.task_failure import is_as_asked, task_failure
        from airflow_provider_teams_registration.xcom.serializable import check_serializable

        self.begin_pushing()
        # Refuse the event before the ledger opens.
        self.named_event()
        held = mask_rendered(self.registrants)
        if not isinstance(held, RegistrantRows):
            raise PermanentFailure(held.why or "registrants is neither a list of dicts nor of ids.")
        try:
            rows = returned_rows(held.rows)
            check_serializable(rows)
            max_rejected = MaxRejected.read(self.max_rejected)
            ledger = open_ledger(context, self.ledger_conn_id, self.ledger_table)
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
        hook = self.new_hook()
        try:
            with failures_for_airflow():
                reference = self.find_event(hook.session)
                event = hook.event(reference)
                report = cancel(event, rows, ledger=ledger, stop=hook.session.stop, settle_after=self.settle_after)
                report.event = facts_or_id(reference, hook.session)
                record_counts(self.log, ledger, report.summary())
        finally:
            ledger.close()
            hook.session.close()
        if isinstance(report.aborted_by, Fenced):
            raise PermanentFailure(str(report.aborted_by))
        rows, summary = report.rows(), report.summary()
        summary_lost = self.push_summary(context, summary)
        self.log.info("%s.", report.summary_line())
        # Cancelling is idempotent, so a retry is always safe.
        will_fail = bool(summary_lost) or not is_as_asked(report, max_rejected, is_durable=True)
        rows_lost = self.push_rows(context, rows, will_fail=will_fail)
        lost = missing_in_xcom(rows_lost, summary_lost)
        if lost:
            lost += " People who were taken off stay off. A retry cancels them once more and returns the same rows."
        is_pushed = self.do_xcom_push and not rows_lost
        failure = task_failure(report, max_rejected, is_durable=True, is_pushed=is_pushed, missing_in_xcom=lost)
        if failure is not None:
            raise failure
        return rows
