"""Wait until an event is open for registrants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, failures_for_airflow
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.event_task import EVENT_FIELDS, EventTask
from airflow_provider_teams_registration.operators.killable import StopsOnKill

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class RegistrationOpenSensor(EventTask, StopsOnKill, BaseSensorOperator):
    """
    Wait until an online meeting is open for registrants, or until a webinar is published.

    For a meeting, the sensor treats HTTP 404 as "not open yet". For a webinar, it treats the status ``draft`` the same
    way. If Graph fails, the sensor asks again at the next poke. It fails at once, without retries, if waiting cannot
    help: for example after HTTP 403 or for a cancelled webinar.

    XCom ``return_value`` holds ``id`` and ``allowed_registrant`` of a meeting's registration, or ``id`` and ``status``
    of a webinar. The sensor also takes every argument of Airflow's sensors, such as ``poke_interval``, ``timeout``,
    ``mode`` and ``soft_fail``.

    .. seealso::
        https://learn.microsoft.com/graph/api/externalmeetingregistration-get?view=graph-rest-beta and
        https://learn.microsoft.com/graph/api/virtualeventwebinar-get

    :param meeting_id: the online meeting's ``id`` in Graph, or its join URL. (templated)
    :param webinar_id: the webinar's ``id`` in Graph, instead of ``meeting_id``; or its join URL. (templated)
    :param organizer_id: object id of the meeting's organizer. None is the signed-in user. (templated)
    :param allowed_registrant: the audience to wait for, ``everyone`` or ``organization``. None accepts both. For
        meetings only. (templated)
    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``. (templated)
    :param deferrable: whether to wait in the triggerer, without a worker slot. Default:
        ``[operators] default_deferrable``.
    :raises PermanentFailure: waiting longer cannot help.
    """

    template_fields: Sequence[str] = (*EVENT_FIELDS, "allowed_registrant", "conn_id")
    ui_color = "#e3e0f7"

    allowed_registrant = TextArgument()
    conn_id = TextArgument(absent="")

    def __init__(
        self,
        *,
        allowed_registrant: str | None = None,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.allowed_registrant = allowed_registrant
        self.conn_id = conn_id
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Wait here, or look once and leave the waiting to the triggerer."""
        self._check_arguments()
        if not self.deferrable:
            return super().execute(context)
        # The first poke fails and skips in the same way as the trigger's result.
        return self.resume_execution("look_or_defer", None, context)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Continue after a deferral. After a timeout, skip if ``soft_fail`` is set, which Airflow 3.0 does not do."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowSensorTimeout as error:
            if self.soft_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    def look_or_defer(self, context: Context) -> Any:
        """Poke once, and defer if the event is not open."""
        found = self.poke(context)
        if found:
            return found.xcom_value
        from airflow_provider_teams_registration.triggers.registration import RegistrationOpenTrigger

        return self.defer(
            trigger=RegistrationOpenTrigger(
                conn_id=self.conn_id,
                allowed_registrant=self.allowed_registrant,
                poll_interval=self.poke_interval,
                **self._event_arguments(),
            ),
            timeout=timedelta(seconds=self.timeout),
            method_name="execute_complete",
        )

    @cached_property
    def _hook(self) -> TeamsRegistrationHook:
        """The hook, which signs in once for all pokes. A poke never waits for a ``Retry-After``."""
        hook = self.new_hook()
        hook.session.rate_limiter.max_wait = 0
        return hook

    def poke(self, context: Context) -> PokeReturnValue:
        """Read the event once."""
        with failures_for_airflow():
            found = self._look()
        return PokeReturnValue(found is not None, found)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, str]:
        """Return the trigger's result, or raise its failure."""
        if "failure" in event:
            raise PermanentFailure(event["failure"])
        registration: dict[str, str] = event["registration"]
        return registration

    def _look(self) -> dict[str, str] | None:
        session = self._hook.session
        return self.find_event(session).look_if_open(session, self.allowed_registrant)

    def _event_arguments(self) -> dict[str, str | None]:
        """Return the event for the trigger, which takes no link."""
        named = self.named_event()
        return {name: getattr(self, name) for name in EVENT_FIELDS} | {
            named.kind.argument: self.found_id() or named.value
        }

    def _check_arguments(self) -> None:
        from airflow_provider_teams_registration.graph.online_meeting_bodies import AUDIENCES

        kind = self.named_event().kind
        if self.allowed_registrant and not kind.takes_audience:
            raise PermanentFailure(
                f"allowed_registrant is given and the event is a {kind.name}, whose organizer decides who can "
                "register. Leave allowed_registrant out."
            )
        if self.allowed_registrant and self.allowed_registrant not in AUDIENCES:
            raise PermanentFailure(
                f"allowed_registrant is {self.allowed_registrant!r}. It must be one of {', '.join(AUDIENCES)}, or None."
            )
