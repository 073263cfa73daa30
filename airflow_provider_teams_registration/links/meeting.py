"""The link from a task to its meeting in Teams."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink

from airflow_provider_teams_registration.hooks.masking import mask_secret

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, TaskInstanceKey

log = logging.getLogger(__name__)

MEETING_LINK_KEY = "meeting_link"


class MeetingLink(BaseOperatorLink):
    """Opens the meeting, as its organizer does. The link waits in XCom, where the task left it."""

    name = "Teams meeting"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Return the link of a finished task, or nothing where Graph gave none."""
        from airflow.providers.common.compat.sdk import XCom

        if getattr(operator, "webinar_id", None):
            # Airflow would log that there is none as an error.
            return ""
        return XCom.get_value(key=MEETING_LINK_KEY, ti_key=ti_key) or ""


def push_meeting_link(context: Context, link: str) -> None:
    """
    Leave the meeting's link in XCom. That it does not get there fails nothing: by then people are enrolled.

    :param context: the task's context.
    :param link: the link, a credential.
    """
    # Airflow writes extra links into its debug log.
    mask_secret(link)
    try:
        context["ti"].xcom_push(key=MEETING_LINK_KEY, value=link)
    except Exception as error:
        # The text may hold what was to be stored.
        log.warning("The meeting's link did not reach XCom (%s).", type(error).__name__)
