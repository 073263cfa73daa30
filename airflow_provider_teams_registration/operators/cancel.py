"""Take people off a Teams event."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, failures_for_airflow
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.enrolling import DEFAULT_LEDGER_TABLE, SUMMARY_KEY
from airflow_provider_teams_registration.operators.one_event import refuse_two_events
from airflow_provider_teams_registration.operators.rows import (
    HoldsRegistrants,
    RegistrantRows,
    hold_rendered,
    returned_rows,
)
from airflow_provider_teams_registration.operators.storable import refuse_unstorable

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class CancelRegistrantOperator(HoldsRegistrants, BaseOperator):
    """
    Take people off an online meeting or a webinar. Whoever is off already counts as taken off.

    XCom ``return_value`` holds one dict per registrant: the input row with ``outcome`` (``cancelled`` where all is
    well), ``join_web_url`` (always None) and ``error``; XCom ``summary`` holds the counts.

    .. seealso::
        https://learn.microsoft.com/graph/api/externalmeetingregistrant-delete?view=graph-rest-beta and
        https://learn.microsoft.com/graph/api/virtualeventregistration-cancel

    :param registrants: the people: a list of dicts (or of plain ids), one dict, what the operator that enrolls
        returned, or a template or XComArg for such. A meeting takes ``id``; a webinar ``email``, or the ``id`` they
        were enrolled with. (templated)
    :param meeting_id: the online meeting's ``id`` in Graph. (templated)
    :param webinar_id: or the webinar's. (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user. (templated)
    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``. (templated)
    :param max_rejected: how many refusals the task tolerates: a number, or a per cent such as ``"5%"``. (templated)
    :param ledger_conn_id: Airflow connection to the ledger's database, so that those who were taken off are enrolled
        anew when they come up again. Name the same as for enrolling. (templated)
    :param ledger_table: the ledger's table. (templated)
    :raises PermanentFailure: somebody could not be taken off, or the event or connection cannot work.
    :raises TransientFailure: the service was unreachable, in trouble or throttling.
    """

    template_fields: Sequence[str] = (
        "registrants",
        "meeting_id",
        "webinar_id",
        "organizer_id",
        "conn_id",
        "max_rejected",
        "ledger_conn_id",
        "ledger_table",
    )
    ui_color = "#e3e0f7"

    def __init__(
        self,
        *,
        registrants: Any,
        meeting_id: str | None = None,
        webinar_id: str | None = None,
        organizer_id: str | None = None,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        max_rejected: int | str = 0,
        ledger_conn_id: str | None = None,
        ledger_table: str = DEFAULT_LEDGER_TABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.registrants = registrants
        self.meeting_id = meeting_id
        self.webinar_id = webinar_id
        self.organizer_id = organizer_id
        self.conn_id = conn_id
        self.max_rejected = max_rejected
        self.ledger_conn_id = ledger_conn_id
        self.ledger_table = ledger_table
        self._stop: threading.Event | None = None
        if (meeting_id is None) == (webinar_id is None):
            refuse_two_events(meeting_id, webinar_id)

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Take everybody off, push summary and rows, and fail where somebody is still on."""
        from airflow_provider_teams_registration.enrollment.cancel import cancel
        from airflow_provider_teams_registration.hooks.ledger import open_ledger
        from airflow_provider_teams_registration.operators.complaint import complaint

        held = hold_rendered(self.registrants)
        if not isinstance(held, RegistrantRows):
            raise PermanentFailure(held.why or "registrants is neither a list of dicts nor of ids.")
        self._stop = threading.Event()
        try:
            refuse_two_events(self.meeting_id, self.webinar_id)
            rows = returned_rows(held.rows)
            refuse_unstorable(rows)
            max_rejected = MaxRejected.read(self.max_rejected)
            ledger = open_ledger(context, self.ledger_conn_id, self.ledger_table)
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
        hook = TeamsRegistrationHook(self.conn_id)
        try:
            with failures_for_airflow():
                event = hook.event(
                    meeting_id=self.meeting_id or None,
                    webinar_id=self.webinar_id or None,
                    organizer_id=self.organizer_id or None,
                )
                report = cancel(event, rows, ledger=ledger, stop=self._stop)
                ledger.finish(report.summary())
        finally:
            ledger.close()
            hook.session.close()
        context["ti"].xcom_push(key=SUMMARY_KEY, value=report.summary())
        self.log.info("%s.", report.sentence())
        # To cancel again is to cancel once: a retry is always safe.
        failure = complaint(report, max_rejected, is_durable=True, is_pushed=self.do_xcom_push)
        if failure is not None and self.do_xcom_push:
            # In Airflow 3 it brings the models of the database along.
            from airflow.providers.common.compat.sdk import XCOM_RETURN_KEY

            context["ti"].xcom_push(key=XCOM_RETURN_KEY, value=report.rows())
        if failure is not None:
            raise failure
        return report.rows()

    def on_kill(self) -> None:
        """Try nobody again."""
        if self._stop is not None:
            self._stop.set()
