"""A task that takes an event by what people know of it."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_teams_registration.events.id_checks import ORGANIZER
from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.killable import StopsOnKill
from airflow_provider_teams_registration.xcom.join_link import JoinLinkArgument, unmasked

SEARCHES = ("join_web_url", "join_meeting_id", "event_id", "webinar_name")
"""The arguments by which an event is found. At most one of them is given."""
SEARCH_FIELDS = (*SEARCHES, ORGANIZER, "conn_id")
"""The template fields of each :class:`EventSearchTask`."""


class EventSearchTask(StopsOnKill, BaseOperator):
    """
    A task that takes an event by what people know of it.

    :param join_web_url: a meeting's own link, as its organizer has it. It is a credential: Airflow stores and shows
        that there is one, and not which. (templated)
    :param join_meeting_id: or the number that people type in to join a meeting. (templated)
    :param event_id: or the ``id`` of the event in the organizer's calendar. (templated)
    :param webinar_name: or a webinar's name. (templated)
    :param organizer_id: object id of the organizer; None is the signed-in user. (templated)
    :param conn_id: the Airflow connection. (templated)
    """

    join_web_url = JoinLinkArgument()
    join_meeting_id = TextArgument()
    event_id = TextArgument()
    webinar_name = TextArgument()
    organizer_id = TextArgument()
    conn_id = TextArgument(absent="")

    def __init__(
        self,
        *,
        join_web_url: str | None = None,
        join_meeting_id: str | None = None,
        event_id: str | None = None,
        webinar_name: str | None = None,
        organizer_id: str | None = None,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.join_web_url = join_web_url
        self.join_meeting_id = join_meeting_id
        self.event_id = event_id
        self.webinar_name = webinar_name
        self.organizer_id = organizer_id
        self.conn_id = conn_id

    def search_values(self) -> dict[str, Any]:
        """Return the rendered values of :data:`SEARCHES` by their names, None if empty. One may be a credential."""
        return {name: unmasked(getattr(self, name)) or None for name in SEARCHES}
