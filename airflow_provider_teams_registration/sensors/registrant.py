"""Wait until people have left the waitlist and the approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
    timezone,
)

from airflow_provider_teams_registration.events.kinds import WEBINAR
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import (
    PermanentFailure,
    TransientFailure,
    failures_for_airflow,
)
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.event_task import (
    check_rendered_ids,
    check_written_ids,
    facts_or_id,
    find_id,
)
from airflow_provider_teams_registration.operators.killable import StopsOnKill
from airflow_provider_teams_registration.xcom.join_link import EventIdArgument, JoinLink
from airflow_provider_teams_registration.xcom.masked_rows import (
    MaskedRegistrants,
    RegistrantRows,
    mask_rendered,
    returned_rows,
)
from airflow_provider_teams_registration.xcom.push import PushesRows, missing_in_xcom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.core.report import Report
    from airflow_provider_teams_registration.events.webinar.event import WebinarEvent


class RegistrantStatusSensor(MaskedRegistrants, StopsOnKill, PushesRows, BaseSensorOperator):
    """
    Wait until no person of a list is on a webinar's waitlist or waits for approval, and return all rows.

    XCom ``return_value`` holds one dict per row: the row with ``outcome``, ``join_web_url`` and ``error``, as
    ``EnrollRegistrantOperator`` returns it. XCom ``summary`` holds the counts and the event. The sensor also waits for
    the link of an ``enrolled`` person, unless Graph refuses to show it.

    The sensor does not wait for other people. A person whom the organizer refused is ``declined``, a person who was
    taken off is ``cancelled``, and a person who is not registered is ``rejected``. Graph may show a new registration
    late, so the sensor looks for a missing person until one minute after the first poke. If Graph fails, the sensor
    asks again at the next poke.

    .. seealso::
        https://learn.microsoft.com/graph/api/virtualeventregistration-get

    .. code-block:: python

        wait = RegistrantStatusSensor(
            task_id="wait", webinar_id="f4b39f1c-...", registrants=enroll.output, deferrable=True, timeout=86400
        )

    :param registrants: the people: the result of ``EnrollRegistrantOperator``, a list of dicts with ``email``, or a
        template or XComArg for one of them. A dict may have the ``id`` that the person was enrolled with instead of
        ``email`` if the connection can read the list of registrations. (templated)
    :param webinar_id: the webinar's ``id`` in Graph, or its join URL. (templated)
    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``. (templated)
    :param deferrable: whether to wait in the triggerer between pokes, without a worker slot. The trigger holds two
        times, the webinar's id if a link was looked up, and no row. Default: ``[operators] default_deferrable``.
    :raises PermanentFailure: waiting longer cannot help.
    """

    absent_for: ClassVar[float] = 60.0
    """Seconds after the first poke until a person who does not show is not registered. Graph may show them late."""
    link_pauses: ClassVar[Sequence[float] | None] = None
    """Seconds between a poke's reads of links that Graph refuses. By default those of ``fetch_status``."""

    template_fields: Sequence[str] = ("registrants", "webinar_id", "conn_id")
    ui_color = "#e3e0f7"

    webinar_id = EventIdArgument(absent="")
    conn_id = TextArgument(absent="")

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
        self._found_id: str | None = None
        check_written_ids(webinar_id=self.webinar_id)

    def execute(self, context: Context) -> Any:
        """Wait in the worker, or poke once and defer."""
        if not self.deferrable:
            now = timezone.utcnow()
            self._first_look = (_first_rescheduled(context, self.retries) or now) if self.reschedule else now
            return super().execute(context)
        deadline = timezone.utcnow() + timedelta(seconds=self.timeout)
        # The first poke fails, skips and defers in the same way as the later ones.
        return self.resume_execution("look_again", {"event": {"deadline": deadline.isoformat()}}, context)

    def look_again(self, context: Context, event: dict[str, str]) -> Any:
        """Return the rows, or defer until the next poke. Each poke reads the rows from XCom again."""
        last = datetime.fromisoformat(event["deadline"])
        self._first_look = last - timedelta(seconds=self.timeout)
        self._found_id = event.get("webinar_id")
        found = self.poke(context)
        if found:
            return found.xcom_value
        from airflow_provider_teams_registration.triggers.registrant import NextLookTrigger

        now = timezone.utcnow()
        if now >= last:
            raise AirflowSensorTimeout(f"Somebody is still waiting after {self.timeout:.0f} s.")
        pause = max(self.poke_interval, self._hook.session.rate_limiter.backoff_remaining())
        moment = min(now + timedelta(seconds=pause), last)
        trigger = NextLookTrigger(moment=moment.isoformat(), deadline=event["deadline"], webinar_id=self._found_id)
        return self.defer(trigger=trigger, method_name="look_again")

    def poke(self, context: Context) -> PokeReturnValue:
        """Read the registrations once."""
        try:
            rows = self._rows()
            with failures_for_airflow():
                return self._look(context, rows)
        except TransientFailure as error:
            if self._hook.session.stop.is_set():
                raise
            self.log.warning("The registrations could not be read: %s", error)
            return PokeReturnValue(False)

    def _rows(self) -> list[Mapping[str, Any]]:
        if not self.webinar_id:
            raise PermanentFailure("webinar_id is empty.")
        check_rendered_ids(webinar_id=self.webinar_id)
        held = mask_rendered(self.registrants)
        if not isinstance(held, RegistrantRows):
            raise PermanentFailure(
                held.why or "registrants is neither a list of dicts nor what an enrolling task returned."
            )
        return [row if isinstance(row, Mapping) else {"id": row} for row in returned_rows(held.rows)]

    @cached_property
    def _hook(self) -> TeamsRegistrationHook:
        """The hook, which signs in once for all pokes. A poke never waits for a ``Retry-After``."""
        hook = self.new_hook()
        hook.session.rate_limiter.max_wait = 0
        return hook

    @cached_property
    def _event(self) -> WebinarEvent:
        return cast("WebinarEvent", self._hook.event(EventRef(WEBINAR, self._id())))

    def _id(self) -> str:
        """Return the webinar's id. If a link names the webinar, the first call looks the id up."""
        if not isinstance(self.webinar_id, JoinLink):
            return str(self.webinar_id)
        if self._found_id is None:
            self._found_id = str(find_id(self._hook.session, WEBINAR, self.webinar_id))
        return self._found_id

    def _look(self, context: Context, rows: Sequence[Mapping[str, Any]]) -> PokeReturnValue:
        from airflow_provider_teams_registration.enrollment.status import LINK_PAUSES, fetch_status
        from airflow_provider_teams_registration.graph.webinar_bodies import CANCELED

        webinar = self._hook.webinar(self._id())
        found = fetch_status(self._event, webinar, rows, link_pauses=self.link_pauses or LINK_PAUSES)
        self.log.info("%s.", found.report.summary_line())
        if found.is_waiting and webinar.info().status == CANCELED:
            raise PermanentFailure("The webinar was cancelled, so nobody can be admitted.")
        if found.is_waiting or found.link_pending or (found.is_anybody_absent and not self._is_absence_final()):
            return PokeReturnValue(False)
        self._push_summary(context, found.report)
        return PokeReturnValue(True, found.report.rows())

    def _push_summary(self, context: Context, report: Report) -> None:
        report.event = facts_or_id(EventRef(WEBINAR, self._id()), self._hook.session)
        lost = missing_in_xcom(None, self.push_summary(context, report.summary()))
        if lost:
            self.log.warning("%s", lost)

    def _is_absence_final(self) -> bool:
        now = timezone.utcnow()
        return bool((now - (self._first_look or now)).total_seconds() >= min(self.absent_for, self.timeout))


def _first_rescheduled(context: Context, retries: int | None) -> datetime | None:
    """Return the start of a rescheduled sensor. None if it was not rescheduled."""
    ti: Any = context["ti"]
    if hasattr(ti, "get_first_reschedule_date"):
        first = ti.get_first_reschedule_date(context)
        # Airflow 3.0 returns text if dag.test() runs the task.
        return timezone.parse(first) if isinstance(first, str) else cast("datetime | None", first)
    # The sensors of Airflow 2 compute their timeout in this way.
    original_start = import_module("airflow.sensors.base")._orig_start_date
    first_try = (ti.max_tries or 0) - (retries or 0) + 1
    return cast("datetime | None", original_start(ti.dag_id, ti.task_id, ti.run_id, ti.map_index, first_try))
