"""Wait until an event is open for registrants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseSensorOperator, PokeReturnValue, conf

from airflow_provider_teams_registration.hooks.failures import PermanentFailure, failures_for_airflow
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.one_event import refuse_two_events

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class RegistrationOpenSensor(BaseSensorOperator):
    """
    Wait until an online meeting is open for registrants, and to the audience that is expected, or until a webinar is
    published.

    Of a meeting "not found" means "not yet", and so does "draft" of a webinar. "Forbidden", "canceled", and whatever
    else waiting cannot mend, fails the task at once. A service in trouble is asked again at the next turn. XCom
    ``return_value`` holds the registration, ``id`` and ``allowed_registrant``, or the webinar's ``id`` and ``status``.

    .. seealso::
        https://learn.microsoft.com/graph/api/externalmeetingregistration-get?view=graph-rest-beta and
        https://learn.microsoft.com/graph/api/virtualeventwebinar-get

    :param meeting_id: the online meeting's ``id`` in Graph. (templated)
    :param webinar_id: or the webinar's. (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user. (templated)
    :param allowed_registrant: the audience to wait for, ``everyone`` or ``organization``; None takes either. For
        meetings only. (templated)
    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``. (templated)
    :param deferrable: wait in the triggerer, without a worker slot. Default: ``[operators] default_deferrable``.
    :raises PermanentFailure: waiting longer changes nothing.
    """

    template_fields: Sequence[str] = ("meeting_id", "webinar_id", "organizer_id", "allowed_registrant", "conn_id")
    ui_color = "#e3e0f7"

    def __init__(
        self,
        *,
        meeting_id: str | None = None,
        webinar_id: str | None = None,
        organizer_id: str | None = None,
        allowed_registrant: str | None = None,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.meeting_id = meeting_id
        self.webinar_id = webinar_id
        self.organizer_id = organizer_id
        self.allowed_registrant = allowed_registrant
        self.conn_id = conn_id
        self.deferrable = deferrable
        if (meeting_id is None) == (webinar_id is None):
            refuse_two_events(meeting_id, webinar_id)

    def execute(self, context: Context) -> Any:
        """Wait here, or look once and leave the waiting to the triggerer."""
        self._check_arguments()
        if not self.deferrable:
            return super().execute(context)
        # The first look fails and skips as what the trigger finds.
        return self.resume_execution("look_or_defer", None, context)

    def look_or_defer(self, context: Context) -> Any:
        """Look once, and leave the waiting to the triggerer."""
        found = self.poke(context)
        if found:
            return found.xcom_value
        from airflow_provider_teams_registration.triggers.registration import RegistrationOpenTrigger

        return self.defer(
            trigger=RegistrationOpenTrigger(
                conn_id=self.conn_id,
                meeting_id=self.meeting_id or None,
                webinar_id=self.webinar_id or None,
                organizer_id=self.organizer_id or None,
                allowed_registrant=self.allowed_registrant or None,
                poll_interval=self.poke_interval,
            ),
            timeout=timedelta(seconds=self.timeout),
            method_name="execute_complete",
        )

    @cached_property
    def _hook(self) -> TeamsRegistrationHook:
        """One sign-in for all the looks of a task, none of which sits through a wait that the service asks for."""
        hook = TeamsRegistrationHook(self.conn_id)
        hook.session.pace.patience = 0
        return hook

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        with failures_for_airflow():
            found = self._look()
        return PokeReturnValue(found is not None, found)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, str]:
        """Return what the trigger found, or fail as it says."""
        if "failure" in event:
            raise PermanentFailure(event["failure"])
        registration: dict[str, str] = event["registration"]
        return registration

    def _look(self) -> dict[str, str] | None:
        from airflow_provider_teams_registration.triggers.registration import open_registration, published_webinar

        if self.webinar_id:
            return published_webinar(self._hook.webinar(self.webinar_id))
        meeting = self._hook.online_meeting(self.meeting_id or "", self.organizer_id or None)
        return open_registration(meeting, self.allowed_registrant or None)

    def _check_arguments(self) -> None:
        from airflow_provider_teams_registration.graph.online_meeting import AUDIENCES

        try:
            refuse_two_events(self.meeting_id, self.webinar_id)
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
        if self.webinar_id and self.allowed_registrant:
            raise PermanentFailure("allowed_registrant is for meetings; a webinar is open to whom its organizer says.")
        if self.allowed_registrant and self.allowed_registrant not in AUDIENCES:
            raise PermanentFailure(
                f"allowed_registrant is {self.allowed_registrant!r}; it must be one of {', '.join(AUDIENCES)}, or None."
            )
