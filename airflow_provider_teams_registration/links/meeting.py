"""The link from a task to its meeting in Teams."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink

from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError
from airflow_provider_teams_registration.hooks.masking import mask_secret

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, TaskInstanceKey

    from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting

log = logging.getLogger(__name__)

MEETING_LINK_KEY = "meeting_link"


class MeetingLink(BaseOperatorLink):
    """Opens the meeting, as its organizer does. The link waits in XCom, where the task left it."""

    name = "Teams meeting"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Return the link of a finished task, or nothing where Graph gave none."""
        from airflow.providers.common.compat.sdk import XCom

        return XCom.get_value(key=MEETING_LINK_KEY, ti_key=ti_key) or ""


def push_meeting_link(context: Context, meeting: OnlineMeeting) -> None:
    """
    Leave the meeting's link in XCom. A meeting that may not be read has none, which fails nothing.

    :param context: the task's context.
    :param meeting: the meeting.
    """
    try:
        link = meeting.join_web_url()
    except TeamsRegistrationError as error:
        log.debug("No link to the meeting: %s", error)
        return
    if link:
        # Airflow writes extra links into its debug log.
        mask_secret(link)
        context["ti"].xcom_push(key=MEETING_LINK_KEY, value=link)
