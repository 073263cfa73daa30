"""Put people on a Teams event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.hooks.failures import PermanentFailure
from airflow_provider_teams_registration.operators.enrolling import EnrollingOperator
from airflow_provider_teams_registration.xcom.masked_rows import (
    MaskedRegistrants,
    RegistrantRows,
    mask_rendered,
    returned_rows,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class EnrollRegistrantOperator(MaskedRegistrants, EnrollingOperator):
    """
    Enroll people in a Microsoft Teams event and return each one's own join link.

    The operator enrolls everybody whom Graph accepts, even if Graph refuses others. It pushes the rows to XCom before
    the task fails, so no result is lost. XCom ``return_value`` holds one dict per registrant: the input row unchanged,
    plus ``outcome``, ``join_web_url`` and ``error``; XCom ``summary`` holds the counts.

    .. seealso::
        https://learn.microsoft.com/graph/api/externalmeetingregistrant-post?view=graph-rest-beta

    .. code-block:: python

        enroll = EnrollRegistrantOperator(
            task_id="enroll",
            webinar_id="f4b39f1c-...",
            registrants=attendees.output,
            preferred_timezone="Europe/Rome",
            preferred_language="en-us",
            ledger_conn_id="warehouse",
        )

    :param registrants: the people: a list of dicts (or of plain ids), one dict, or a template or XComArg for such.
        Lists within the list are flattened, and None in it is nobody. A webinar takes the columns ``email``,
        ``first_name``, ``last_name`` and the answers to the form. An online meeting takes ``id``, and for a
        registration of the organization ``tenant_id`` and ``user_id``. (templated)

    The other arguments, and the errors, are those of
    :class:`~airflow_provider_teams_registration.operators.enrolling.EnrollingOperator`.
    """

    template_fields: Sequence[str] = (*EnrollingOperator.template_fields, "registrants")

    def __init__(self, *, registrants: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.registrants = registrants

    def execute(self, context: Context) -> Any:
        """Enroll everybody, push summary and rows, and fail where the outcome is not what was asked for."""
        held = mask_rendered(self.registrants)
        if not isinstance(held, RegistrantRows):
            raise PermanentFailure(
                held.why
                or "registrants is neither a list of dicts nor of ids. A template must render to a JSON list: use the "
                "tojson filter, or render_template_as_native_obj=True on the DAG."
            )
        return self.enroll_rows(context, returned_rows(held.rows))
