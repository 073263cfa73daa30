"""Wait until people are off the waitlist, and approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
    timezone,
)

from airflow_provider_teams_registration.hooks.failures import (
    PermanentFailure,
    TransientFailure,
    failures_for_airflow,
)
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.rows import (
    HoldsRegistrants,
    RegistrantRows,
    hold_rendered,
    returned_rows,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.enrollment.webinar_event import WebinarEvent


_ABSENT_FOR = 60.0
"""Seconds from the first look until whoever does not show is not registered: a new registration may show late."""


class RegistrantStatusSensor(HoldsRegistrants, BaseSensorOperator):
    """
    Wait until none of some people is on a webinar's waitlist or waits for approval, and return everybody's row.

    XCom ``return_value`` holds one dict per row: the row with ``outcome``, ``join_web_url`` and ``error``, as from the
    operator that enrolls. ``enrolled`` have their own link: while it does not show yet, they are waited for, but not
    where the service refuses it. Others hold nobody up: who was refused by the organizer is ``declined``, who was taken
    off ``cancelled``, and who is not registered at all ``rejected``. As a new registration may show late, whoever does
    not show is looked for until a minute after the first look. A service in trouble is asked again at the next turn.

    .. seealso::
        https://learn.microsoft.com/graph/api/virtualeventregistration-get

    .. code-block:: python

        wait = RegistrantStatusSensor(
            task_id="wait", webinar_id="f4b39f1c-...", registrants=enroll.output, deferrable=True, timeout=86400
        )

    :param registrants: the people: what the operator that enrolls returned, or a list of dicts with ``email`` (or with
        the ``id`` they were enrolled with, where the list of registrations may be read), or a template or XComArg for
        such. (templated)
    :param webinar_id: the webinar's ``id`` in Graph. (templated)
    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``. (templated)
    :param deferrable: wait without a worker slot, but for the looks. What is left with the triggerer is a moment and
        nobody's row. Default: ``[operators] default_deferrable``.
    :raises PermanentFailure: waiting longer changes nothing.
    """

    template_fields: Sequence[str] = ("registrants", "webinar_id", "conn_id")
    ui_color = "#e3e0f7"

    def __init__(
        self,
        *,
        registrants: Any,
        webinar_id: str,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.registrants = registrants
        self.webinar_id = webinar_id
        self.conn_id = conn_id
        self.deferrable = deferrable
        self._first_look: datetime | None = None

    def execute(self, context: Context) -> Any:
        """Wait here, or look once and leave the waiting to the triggerer."""
        if not self.deferrable:
            now = timezone.utcnow()
            self._first_look = (_first_rescheduled(context, self.retries) or now) if self.reschedule else now
            return super().execute(context)
        deadline = timezone.utcnow() + timedelta(seconds=self.timeout)
        # The first look fails, skips and defers as all that follow.
        return self.resume_execution("look_again", {"event": {"deadline": deadline.isoformat()}}, context)

    def look_again(self, context: Context, event: dict[str, str]) -> Any:
        """Return the rows, or defer until the next look; rows come from XCom again each time."""
        last = datetime.fromisoformat(event["deadline"])
        self._first_look = last - timedelta(seconds=self.timeout)
        found = self.poke(context)
        if found:
            return found.xcom_value
        from airflow_provider_teams_registration.triggers.registrant import NextLookTrigger

        now = timezone.utcnow()
        if now >= last:
            raise AirflowSensorTimeout(f"Somebody is still waiting after {self.timeout:.0f} s.")
        pause = max(self.poke_interval, self._hook.session.pace.held())
        moment = min(now + timedelta(seconds=pause), last)
        return self.defer(
            trigger=NextLookTrigger(moment=moment.isoformat(), deadline=event["deadline"]), method_name="look_again"
        )

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        rows = self._rows()
        try:
            with failures_for_airflow():
                return self._look(rows)
        except TransientFailure as error:
            self.log.warning("The registrations could not be read: %s", error)
            return PokeReturnValue(False)

    def _rows(self) -> list[Mapping[str, Any]]:
        if not self.webinar_id:
            raise PermanentFailure("webinar_id is empty.")
        held = hold_rendered(self.registrants)
        if not isinstance(held, RegistrantRows):
            raise PermanentFailure(
                held.why or "registrants is neither a list of dicts nor what an enrolling task returned."
            )
        try:
            given = returned_rows(held.rows)
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
        return [row if isinstance(row, Mapping) else {"id": row} for row in given]

    @cached_property
    def _hook(self) -> TeamsRegistrationHook:
        """One sign-in for all the looks of a task, none of which sits through a wait that the service asks for."""
        hook = TeamsRegistrationHook(self.conn_id)
        hook.session.pace.patience = 0
        return hook

    @cached_property
    def _event(self) -> WebinarEvent:
        return cast("WebinarEvent", self._hook.event(webinar_id=self.webinar_id))

    def _look(self, rows: Sequence[Mapping[str, Any]]) -> PokeReturnValue:
        from airflow_provider_teams_registration.enrollment.standings import look
        from airflow_provider_teams_registration.graph.webinar_bodies import CANCELED

        webinar = self._hook.webinar(self.webinar_id)
        found = look(self._event, webinar, rows)
        self.log.info("%s.", found.report.sentence())
        if found.is_waiting and webinar.info().status == CANCELED:
            raise PermanentFailure("The webinar was cancelled: nobody gets in any more.")
        if found.is_waiting or found.is_link_due or (found.is_anybody_absent and not self._is_absence_final()):
            return PokeReturnValue(False)
        return PokeReturnValue(True, found.report.rows())

    def _is_absence_final(self) -> bool:
        now = timezone.utcnow()
        return bool((now - (self._first_look or now)).total_seconds() >= min(_ABSENT_FOR, self.timeout))


def _first_rescheduled(context: Context, retries: int | None) -> datetime | None:
    """Return when a sensor that was rescheduled began; None where it was not."""
    ti: Any = context["ti"]
    if hasattr(ti, "get_first_reschedule_date"):
        return cast("datetime | None", ti.get_first_reschedule_date(context))
    # Airflow 2, whose own sensors ask like this for their timeout.
    original_start = import_module("airflow.sensors.base")._orig_start_date
    first_try = (ti.max_tries or 0) - (retries or 0) + 1
    return cast("datetime | None", original_start(ti.dag_id, ti.task_id, ti.run_id, ti.map_index, first_try))
