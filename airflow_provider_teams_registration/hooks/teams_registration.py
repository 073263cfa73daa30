"""The hook: from an Airflow connection to Microsoft Graph and its events."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_provider_teams_registration.graph.errors import SettingsError, TeamsRegistrationError
from airflow_provider_teams_registration.hooks.connection import CONNECTION_FIELDS, read_connection
from airflow_provider_teams_registration.hooks.masking import mask_secret

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.meeting_event import MeetingEvent
    from airflow_provider_teams_registration.enrollment.webinar_event import WebinarEvent
    from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
    from airflow_provider_teams_registration.graph.session import GraphSession
    from airflow_provider_teams_registration.graph.settings import GraphSettings
    from airflow_provider_teams_registration.graph.webinar import Webinar


_NO_ROLES = (
    "none; grant OnlineMeetings.ReadWrite.All, or for webinars VirtualEvent.Read.All and "
    "VirtualEventRegistration-Anon.ReadWrite.All, and consent to it"
)


class TeamsRegistrationHook(BaseHook):
    """
    Microsoft Graph for people who register others for Teams events.

    The connection is read and Graph is reached when the first call needs it, not before.

    .. seealso::
        - https://learn.microsoft.com/graph/api/resources/externalmeetingregistrant?view=graph-rest-beta
        - https://learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy

    .. code-block:: python

        hook = TeamsRegistrationHook()
        meeting = hook.online_meeting("MSpkYzE3...", organizer_id="dc17674c-...")
        meeting.open_registration("everyone")
        print(sum(1 for _ in meeting.registrants()))

    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``.
    :ivar newest_refresh_token: what Entra rotated the refresh token to during this run, a secret; None where it did
        not. The connection still holds the old one: store this one where the connection comes from to keep it.
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
        The connection, read.

        :raises SettingsError: there is no such connection, or a field is missing or cannot be right.
        """
        try:
            connection = self.get_connection(self.conn_id)
        except AirflowNotFoundException:
            raise SettingsError(f"conn_id is {self.conn_id!r}, and Airflow knows no such connection.") from None
        return read_connection(connection)

    @cached_property
    def session(self) -> GraphSession:
        """
        The authorised session, one per hook; nothing goes out before its first call.

        :raises SettingsError: there is no such connection, or a field is missing or cannot be right.
        """
        from airflow_provider_teams_registration.graph.session import GraphSession

        return GraphSession(self.settings, self._keep_refresh_token)

    def get_conn(self) -> GraphSession:
        """Return :attr:`session`."""
        return self.session

    def online_meeting(self, meeting_id: str, organizer_id: str | None = None) -> OnlineMeeting:
        """
        Return an online meeting, to open, read and close its registration and to enroll, list and cancel registrants.

        :param meeting_id: the meeting's ``id`` in Graph (not its join URL nor its number).
        :param organizer_id: object id of the organizer; None is the signed-in user, which an application is not.
        """
        from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting

        return OnlineMeeting(self.session, meeting_id, organizer_id)

    def webinar(self, webinar_id: str) -> Webinar:
        """
        Return a webinar, to read and publish it and to register, look up and cancel people.

        :param webinar_id: the webinar's ``id`` in Graph.
        """
        from airflow_provider_teams_registration.graph.webinar import Webinar

        return Webinar(self.session, webinar_id)

    def event(
        self,
        *,
        meeting_id: str | None = None,
        webinar_id: str | None = None,
        organizer_id: str | None = None,
        **form: str | None,
    ) -> MeetingEvent | WebinarEvent:
        """
        Return an event as people are enrolled in it.

        :param meeting_id: the online meeting's ``id`` in Graph.
        :param webinar_id: the webinar's ``id`` in Graph; one of the two.
        :param organizer_id: object id of the meeting's organizer; None is the signed-in user.
        :param form: what a webinar's rows may leave out: ``preferred_timezone``, ``preferred_language``, ``referrer``.
        """
        if webinar_id:
            from airflow_provider_teams_registration.enrollment.webinar_event import WebinarEvent
            from airflow_provider_teams_registration.graph.allowance import PacedWrites

            pace = PacedWrites(self.session.pace, self.settings.write_limit, self.settings.write_window)
            return WebinarEvent(self.webinar(webinar_id), pace, **form)
        from airflow_provider_teams_registration.enrollment.meeting_event import MeetingEvent

        return MeetingEvent(self.online_meeting(meeting_id or "", organizer_id), self.session.pace)

    def test_connection(self) -> tuple[bool, str]:
        """Sign in, and say as whom and with which permissions; or what stands in the way."""
        try:
            token = self.session.token()
        except TeamsRegistrationError as error:
            return False, str(error)
        except Exception as error:
            # The UI shows what is returned and hides what is raised.
            return False, f"The connection {self.conn_id!r} cannot be read ({type(error).__name__})."
        if token.is_delegated:
            return True, f"Signed in as a user (delegated token). Scopes: {', '.join(sorted(token.scopes))}."
        roles = ", ".join(sorted(token.roles)) or _NO_ROLES
        return True, f"Signed in as the application (application token). Roles: {roles}."

    def _keep_refresh_token(self, refresh_token: str) -> None:
        mask_secret(refresh_token)
        self.newest_refresh_token = refresh_token
        self.log.warning(
            "Entra has rotated the refresh token of connection %r. The new one serves the rest of this run and is "
            "forgotten then. Sign in again with 'teams-registration refresh-token' before the old one runs out; or, in "
            "a task of your own, store TeamsRegistrationHook.newest_refresh_token where the connection comes from.",
            self.conn_id,
        )

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the form's labels (Airflow before 3.2; newer ones read the provider info)."""
        from airflow_provider_teams_registration.provider_info import HIDDEN_FIELDS, PLACEHOLDERS, RELABELING

        return {"hidden_fields": HIDDEN_FIELDS, "relabeling": RELABELING, "placeholders": PLACEHOLDERS}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's own fields (Airflow before 3.2; newer ones read the provider info)."""
        from flask_appbuilder.fieldwidgets import BS3PasswordFieldWidget, BS3TextFieldWidget
        from flask_babel import lazy_gettext
        from wtforms import BooleanField, FloatField, PasswordField, StringField
        from wtforms.validators import AnyOf, Optional

        kinds = {"boolean": BooleanField, "number": FloatField, "string": StringField}
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
