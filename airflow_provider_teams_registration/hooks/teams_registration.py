"""The hook: from an Airflow connection to Microsoft Graph and its events."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.hooks.connection import read_connection
from airflow_provider_teams_registration.hooks.connection_fields import (
    CONNECTION_FIELDS,
    HIDDEN_FIELDS,
    PLACEHOLDERS,
    RELABELING,
)
from airflow_provider_teams_registration.hooks.masking import mask_secret
from airflow_provider_teams_registration.hooks.missing_connection import missing_connection
from airflow_provider_teams_registration.hooks.rotation import warn_of_rotation

if TYPE_CHECKING:
    from airflow_provider_teams_registration.doctor.finding import Finding
    from airflow_provider_teams_registration.events.base import Event
    from airflow_provider_teams_registration.events.reference import EventRef
    from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
    from airflow_provider_teams_registration.graph.session import GraphSession
    from airflow_provider_teams_registration.graph.settings import GraphSettings
    from airflow_provider_teams_registration.graph.webinar import Webinar


class TeamsRegistrationHook(BaseHook):
    """
    Give access to the Teams events of Microsoft Graph.

    The hook reads the connection and calls Graph only when the first call needs it.

    .. seealso::
        - https://learn.microsoft.com/graph/api/resources/externalmeetingregistrant?view=graph-rest-beta
        - https://learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy

    .. code-block:: python

        hook = TeamsRegistrationHook()
        meeting = hook.online_meeting("MSpkYzE3...", organizer_id="dc17674c-...")
        meeting.open_registration("everyone")
        print(sum(1 for _ in meeting.registrants()))

    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``.
    :ivar newest_refresh_token: the newer refresh token that Entra returned during this run, a secret. None if Entra
        returned none. The connection still holds the old token. To keep the newer one, store it yourself.
    """

    conn_name_attr = "conn_id"
    default_conn_name = "teams_registration_default"
    conn_type = "teams_registration"
    hook_name = "Microsoft Teams Registration"

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.newest_refresh_token: str | None = None

    @cached_property
    def settings(self) -> GraphSettings:
        """
        The settings of the connection.

        :raises SettingsError: there is no such connection, or a field is missing or cannot be right.
        """
        if not self.conn_id:
            raise SettingsError("conn_id is empty; name an Airflow connection.")
        try:
            connection = self.get_connection(self.conn_id)
        except AirflowNotFoundException:
            raise missing_connection(self.conn_id) from None
        return read_connection(connection)

    @cached_property
    def session(self) -> GraphSession:
        """
        The authorized session, one per hook. It sends nothing before its first call.

        :raises SettingsError: there is no such connection, or a field is missing or cannot be right.
        """
        from airflow_provider_teams_registration.graph.session import GraphSession

        return GraphSession(self.settings, self._keep_refresh_token)

    def stop(self) -> None:
        """
        End every wait of the session, and make it send nothing more. Running requests end within ``timeout``.

        Call it from another thread or from a signal handler. The session stays stopped.
        """
        session: GraphSession | None = vars(self).get("session")
        if session is not None:
            session.stop.set()

    def get_conn(self) -> GraphSession:
        """Return :attr:`session`."""
        return self.session

    def online_meeting(self, meeting_id: str, organizer_id: str | None = None) -> OnlineMeeting:
        """
        Return an online meeting. It can open, read and close its registration, and enroll, list and cancel registrants.

        :param meeting_id: the meeting's ``id`` in Graph (not its join URL nor its number).
        :param organizer_id: object id of the organizer. None is the signed-in user. An application must name it.
        """
        from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting

        return OnlineMeeting(self.session, meeting_id, organizer_id)

    def webinar(self, webinar_id: str) -> Webinar:
        """
        Return a webinar. It can be read and published, and it can register, look up and cancel people.

        :param webinar_id: the webinar's ``id`` in Graph.
        """
        from airflow_provider_teams_registration.graph.webinar import Webinar

        return Webinar(self.session, webinar_id)

    def event(self, reference: EventRef, **form: str | None) -> Event:
        """
        Return an event of any kind, as the runner uses it.

        :param reference: the event.
        :param form: defaults for columns that a webinar's row leaves out: ``preferred_timezone``,
            ``preferred_language``, ``referrer``.
        """
        return reference.event(self.session, **form)

    def check(
        self,
        reference: EventRef | None = None,
        *,
        needs_attendance: bool = False,
        ledger_conn_id: str | None = None,
        ledger_table: str | None = None,
        **event: str | None,
    ) -> list[Finding]:
        """
        Check the connection, an event and a ledger, as ``teams-registration doctor`` does. It only reads.

        :param reference: the event, instead of ``event``.
        :param needs_attendance: whether a missing permission for attendance counts. Default False.
        :param ledger_conn_id: Airflow connection to the ledger's database; None checks no ledger.
        :param ledger_table: the ledger's table; None is the one that operators take by default.
        :param event: at most one of ``webinar_id``, ``meeting_id``, ``join_web_url``, ``join_meeting_id``, ``event_id``
            (of the calendar) and ``webinar_name``; and ``organizer_id``. None checks no event.
        :return: what each check found, in their order. Whatever goes wrong is a finding.
        :raises ValueError: the event is named in two ways.
        """
        from airflow_provider_teams_registration.doctor.event_query import EventQuery
        from airflow_provider_teams_registration.events.id_checks import ORGANIZER
        from airflow_provider_teams_registration.hooks.check import run_checks

        if reference is not None:
            named = {ORGANIZER: reference.organizer} if reference.organizer else {}
            event = {reference.kind.argument: reference.id, **named, **event}
        return run_checks(
            self,
            EventQuery(**event),
            needs_attendance=needs_attendance,
            ledger_conn_id=ledger_conn_id,
            ledger_table=ledger_table,
        )

    def test_connection(self) -> tuple[bool, str]:
        """
        Sign in anew, and name the identity and its permissions.

        :return: whether a permission could enroll somebody, and a sentence: the identity and its permissions, or the
            problem.
        """
        from airflow_provider_teams_registration.hooks.check import connection_test

        return connection_test(self)

    def _keep_refresh_token(self, refresh_token: str) -> None:
        mask_secret(refresh_token)
        self.newest_refresh_token = refresh_token
        warn_of_rotation(
            self.log,
            self.conn_id,
            serves="the rest of this run",
            kept_in="; or, in a task of your own, store TeamsRegistrationHook.newest_refresh_token where the "
            "connection comes from",
        )

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the form's labels (Airflow before 3.2; newer ones read the provider info)."""
        return {"hidden_fields": list(HIDDEN_FIELDS), "relabeling": RELABELING, "placeholders": PLACEHOLDERS}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's own fields (Airflow before 3.2; newer ones read the provider info)."""
        from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
        from flask_babel import lazy_gettext
        from wtforms import BooleanField, PasswordField, StringField
        from wtforms.validators import AnyOf, Optional

        # Airflow 2 drops a connection type whose form has a field of another class, such as one for decimal numbers.
        kinds = {"boolean": BooleanField, "number": StringField, "string": StringField}
        widgets = {}
        for name, field in CONNECTION_FIELDS.items():
            options: dict[str, Any] = {"description": field.description, "default": field.default}
            if field.kind != "boolean":
                options["widget"] = BS3PasswordFieldWidget() if field.is_secret else BS3TextFieldWidget()
            if field.choices:
                options["validators"] = [Optional(), AnyOf(field.choices)]
            kind = PasswordField if field.is_secret else kinds[field.kind]
            widgets[name] = kind(lazy_gettext(field.label), **options)
        return widgets
