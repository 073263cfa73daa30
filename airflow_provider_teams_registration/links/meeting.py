"""The button on a task that opens its meeting in Teams."""

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
    """Opens the meeting, as its organizer does. The task stores the link in XCom, under ``meeting_link``."""

    name = "Teams meeting"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Return the link of a finished task; an empty text if Graph returned none."""
        if hasattr(operator, "own_link"):
            # Airflow 3 asks in the worker. Looking for an XCom that is not there would log an error.
            return operator.own_link or ""
        from airflow.providers.common.compat.sdk import XCom

        return XCom.get_value(key=MEETING_LINK_KEY, ti_key=ti_key) or ""

    @staticmethod
    def push(context: Context, link: str) -> None:
        """
        Store the meeting's link in XCom. A failure is only logged, because people are already enrolled.

        :param context: the task's context.
        :param link: the link, a credential.
        """
        # Airflow writes extra links into its debug log.
        mask_secret(link)
        try:
            context["ti"].xcom_push(key=MEETING_LINK_KEY, value=link)
        except Exception as error:
            # The error's text may hold the link.
            log.warning("The meeting's link did not reach XCom (%s).", type(error).__name__)
