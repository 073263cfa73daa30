"""Give an application the permissions of one event (resource-specific consent)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_teams_registration.events.kinds import WEBINAR
from airflow_provider_teams_registration.exceptions import AnswerLost
from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure, failures_for_airflow
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.event_task import check_rendered_ids, check_written_ids, find_id
from airflow_provider_teams_registration.operators.killable import StopsOnKill
from airflow_provider_teams_registration.xcom.join_link import EventIdArgument, JoinLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class ConsentForEventOperator(StopsOnKill, BaseOperator):
    """
    Install a Teams app in the chat of a webinar, which gives the app's Entra application the webinar's own permissions.

    ``teams-registration teams-app`` makes the app's package. A webinar whose chat has the app stays as it is.

    Nobody has tried this on a real tenant. Whether Graph installs apps in the chats of webinars is documented nowhere.

    .. seealso::
        https://learn.microsoft.com/graph/api/chat-post-installedapps

    :param teams_app_id: the app's id in its manifest, which the command prints, or in the organization's catalog.
        (templated)
    :param webinar_id: the webinar's ``id`` in Graph, or its join URL. (templated)
    :param chat_id: or the id of the webinar's chat, if the connection may not read the webinar. (templated)
    :param conn_id: the Airflow connection, which must be allowed to install apps. (templated)
    :raises PermanentFailure: Graph refuses the installation, or there is no such app or webinar.
    :raises TransientFailure: Graph was unreachable, was failing or throttled the task.
    """

    template_fields: Sequence[str] = ("teams_app_id", "webinar_id", "chat_id", "conn_id")
    ui_color = "#e3e0f7"

    teams_app_id = TextArgument(absent="")
    webinar_id = EventIdArgument()
    chat_id = EventIdArgument()
    conn_id = TextArgument(absent="")

    def __init__(
        self,
        *,
        teams_app_id: str,
        webinar_id: str | None = None,
        chat_id: str | None = None,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.teams_app_id = teams_app_id
        self.webinar_id = webinar_id
        self.chat_id = chat_id
        self.conn_id = conn_id
        check_written_ids(webinar_id=self.webinar_id)

    def execute(self, context: Context) -> list[str]:
        """Install the app, and return the names of the permissions that it asks for."""
        from airflow_provider_teams_registration.graph.teams_app import app_of_catalog, chat_of_webinar, install

        if bool(self.webinar_id) == bool(self.chat_id):
            raise PermanentFailure("Give exactly one of webinar_id and chat_id.")
        if isinstance(self.chat_id, JoinLink):
            raise PermanentFailure("chat_id is a link. It takes the chat's id; webinar_id takes a join URL.")
        check_rendered_ids(webinar_id=self.webinar_id)
        with failures_for_airflow():
            session = self.new_hook().session
            app = app_of_catalog(session, self.teams_app_id)
            if not app.permissions:
                raise PermanentFailure(
                    "The Teams app asks for no permission of an event. Make its package with 'teams-registration "
                    "teams-app', and upload it."
                )
            chat_id = self.chat_id or chat_of_webinar(session, find_id(session, WEBINAR, self.webinar_id))
            try:
                is_new = install(session, chat_id, app)
            except AnswerLost as error:
                raise TransientFailure(str(error)) from None
        permissions = [name for name, _ in app.permissions]
        self.log.info(
            "The event's chat %s. Application %s has: %s.",
            "has the app now" if is_new else "had the app already",
            app.client_id or "(Graph does not say which)",
            ", ".join(permissions),
        )
        return permissions
