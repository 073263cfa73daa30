"""Check the set-up before the season: connection, event and ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure
from airflow_provider_teams_registration.operators.event_search import SEARCH_FIELDS, SEARCHES, EventSearchTask
from airflow_provider_teams_registration.xcom.join_link import EventIdArgument, unmasked

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_IDS = ("webinar_id", "meeting_id")
_EVENT = (*_IDS, *SEARCHES)
"""The arguments that name an event."""


class CheckSetupOperator(EventSearchTask):
    """
    Check that people can be enrolled: connection, sign-in, permissions, event, ledger. It only reads.

    XCom ``return_value`` holds the findings, a list of dicts of ``check``, ``verdict`` (``fine``, ``missing`` or
    ``cannot be told``), ``sentence``, ``remedy`` and ``required``. It is pushed where the task fails, too.

    .. code-block:: python

        CheckSetupOperator(task_id="check", webinar_id="9de4b8fa-...@6a6b9d5b-...", ledger_conn_id="warehouse")

    .. seealso::
        https://learn.microsoft.com/graph/permissions-reference

    At most one of ``webinar_id``, ``meeting_id``, ``join_web_url``, ``join_meeting_id``, ``event_id`` and
    ``webinar_name`` is given. Without any of them, no event is checked.

    :param webinar_id: the webinar's ``id`` in Graph, or its join URL. (templated)
    :param meeting_id: or the online meeting's. (templated)
    :param needs_attendance: whether a missing permission to read attendance counts. Default False.
    :param ledger_conn_id: Airflow connection to the ledger's database; None checks no ledger. (templated)
    :param ledger_table: the ledger's table; None is the one that the operators take by default. (templated)
    :raises PermanentFailure: something is missing; the message says what, and what to do.
    :raises TransientFailure: Graph was unreachable or was failing.
    """

    template_fields: Sequence[str] = (*_IDS, *SEARCH_FIELDS, "ledger_conn_id", "ledger_table")
    ui_color = "#e3e0f7"

    webinar_id = EventIdArgument()
    meeting_id = EventIdArgument()
    ledger_conn_id = TextArgument()
    ledger_table = TextArgument()

    def __init__(
        self,
        *,
        webinar_id: str | None = None,
        meeting_id: str | None = None,
        needs_attendance: bool = False,
        ledger_conn_id: str | None = None,
        ledger_table: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.webinar_id = webinar_id
        self.meeting_id = meeting_id
        # A template that renders to nothing must not leave the event unchecked.
        self._named = [name for name in _EVENT if getattr(self, name) is not None]
        self.needs_attendance = needs_attendance
        self.ledger_conn_id = ledger_conn_id
        self.ledger_table = ledger_table

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Check, push the findings, and fail where something is missing."""
        from airflow_provider_teams_registration.doctor.finding import exit_status
        from airflow_provider_teams_registration.doctor.report import as_text

        event = {name: unmasked(getattr(self, name)) or None for name in _IDS} | self.search_values()
        if self._named and not any(event.values()):
            raise PermanentFailure(f"{self._named[0]} is empty; name the event to check, or leave the argument out.")
        try:
            findings = self.new_hook().check(
                **event,
                organizer_id=self.organizer_id,
                needs_attendance=self.needs_attendance,
                ledger_conn_id=self.ledger_conn_id,
                ledger_table=self.ledger_table,
            )
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
        self.log.info("What was found:\n%s", as_text(findings))
        rows = [one.as_json() for one in findings]
        if exit_status(findings) == 0:
            return rows
        if self.do_xcom_push:
            context["ti"].xcom_push(key="return_value", value=rows)
        missing = [f"{one.check}: {one.sentence} {one.remedy}" for one in findings if one.stands_in_the_way]
        if missing:
            raise PermanentFailure("Something is missing. " + " ".join(missing))
        raise TransientFailure(" ".join(one.sentence for one in findings if one.is_interrupted))
