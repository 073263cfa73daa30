"""Put people on a Teams event."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import XCOM_RETURN_KEY, BaseOperator, conf

from airflow_provider_teams_registration.enrollment.report import MaxRejected, Report
from airflow_provider_teams_registration.hooks.failures import (
    PermanentFailure,
    TransientFailure,
    failures_for_airflow,
)
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.links.meeting import MeetingLink, push_meeting_link
from airflow_provider_teams_registration.operators.rows import (
    RegistrantRows,
    hold_given,
    hold_rendered,
    refuse_unstorable,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

SUMMARY_KEY = "summary"


class EnrollRegistrantOperator(BaseOperator):
    """
    Enroll people in a Microsoft Teams event and return each one's own join link.

    Everybody who can be enrolled is, whoever else is refused. The rows go to XCom before the task fails, so nothing
    that was achieved is lost. XCom ``return_value`` holds one dict per registrant: the input row as it came, plus
    ``outcome``, ``join_web_url`` and ``error``; XCom ``summary`` holds the counts.

    .. seealso::
        https://learn.microsoft.com/graph/api/externalmeetingregistrant-post?view=graph-rest-beta

    .. code-block:: python

        enroll = EnrollRegistrantOperator(
            task_id="enroll",
            meeting_id="MSpkYzE3...",
            organizer_id="dc17674c-...",
            registrants=attendees.output,
        )

    :param meeting_id: the online meeting's ``id`` in Graph (not its join URL nor its number). (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user, which needs a connection
        with ``auth`` ``refresh_token``. (templated)
    :param webinar_id: reserved for webinars; refused by this version.
    :param registrants: the people: a list of dicts (or of plain ids), one dict, or a template or XComArg for such.
        Columns: ``id``, and for a registration of the organization ``tenant_id`` and ``user_id``. (templated)
    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``. (templated)
    :param max_rejected: how many refusals (outcomes ``invalid`` and ``rejected``) the task tolerates: a number, or a
        per cent of the input such as ``"5%"``. A lost answer (``unknown``) is never tolerated. Default 0. (templated)
    :param max_parallel_requests: how many calls, of up to 20 people each, may be under way at once. Default 4.
    :raises PermanentFailure: somebody was refused beyond ``max_rejected``, or the event or connection cannot work;
        the task fails without retries.
    :raises TransientFailure: the service was unreachable, in trouble or throttling; the task's retries apply.
    """

    template_fields: Sequence[str] = (
        "meeting_id",
        "webinar_id",
        "organizer_id",
        "registrants",
        "conn_id",
        "max_rejected",
    )
    operator_extra_links = (MeetingLink(),)
    ui_color = "#e3e0f7"

    def __init__(
        self,
        *,
        meeting_id: str | None = None,
        webinar_id: str | None = None,
        organizer_id: str | None = None,
        registrants: Any,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        max_rejected: int | str = 0,
        max_parallel_requests: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.meeting_id = meeting_id
        self.webinar_id = webinar_id
        self.organizer_id = organizer_id
        self.registrants = registrants
        self.conn_id = conn_id
        self.max_rejected = max_rejected
        self.max_parallel_requests = max_parallel_requests
        self._stop: threading.Event | None = None
        if (meeting_id is None) == (webinar_id is None):
            _the_meeting(meeting_id, webinar_id)
        if not isinstance(max_parallel_requests, int) or max_parallel_requests < 1:
            raise ValueError(f"max_parallel_requests is {max_parallel_requests!r}; it must be a whole number from 1.")
        if isinstance(max_rejected, int | float) or (isinstance(max_rejected, str) and "{" not in max_rejected):
            MaxRejected.read(max_rejected)

    @property
    def registrants(self) -> Any:
        """The people, as they were given or, once rendered, as :class:`RegistrantRows`."""
        return self._registrants

    @registrants.setter
    def registrants(self, value: Any) -> None:
        # The first word is the author's and may be a template; what follows is what Airflow rendered it to.
        was_given = hasattr(self, "_registrants")
        self._registrants = hold_rendered(value) if was_given else hold_given(value)

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Enroll everybody, push summary and rows, and fail where the outcome is not what was asked for."""
        max_rejected, meeting_id, rows = self._arguments()
        if context["ti"].map_index < 0:
            self._refuse_unmappable(len(rows))
        report = self._enroll(context, meeting_id, rows) if rows else Report([])
        context["ti"].xcom_push(key=SUMMARY_KEY, value=report.summary())
        self.log.info("%s.", report.sentence())
        complaint = _complaint(report, max_rejected)
        if complaint is not None:
            if self.do_xcom_push:
                context["ti"].xcom_push(key=XCOM_RETURN_KEY, value=report.rows())
            raise complaint
        if report.refused:
            self.log.warning("Tolerated by max_rejected=%s: %s.", max_rejected, report.complaint())
        return report.rows()

    def on_kill(self) -> None:
        """End the sending, so that the rows of those who are enrolled by now still reach XCom."""
        if self._stop is not None:
            self._stop.set()

    def _arguments(self) -> tuple[MaxRejected, str, Sequence[Any]]:
        """Read what templates may have rendered to."""
        try:
            meeting_id = _the_meeting(self.meeting_id, self.webinar_id)
            rows = _rows(self.registrants)
            refuse_unstorable(rows)
            return MaxRejected.read(self.max_rejected), meeting_id, rows
        except ValueError as error:
            raise PermanentFailure(str(error)) from None

    def _enroll(self, context: Context, meeting_id: str, rows: Sequence[Any]) -> Report:
        from airflow_provider_teams_registration.enrollment.enroll import enroll

        self._stop = threading.Event()
        hook = TeamsRegistrationHook(self.conn_id)
        with failures_for_airflow():
            meeting = hook.online_meeting(meeting_id, self.organizer_id or None)
            push_meeting_link(context, meeting)
            try:
                return enroll(
                    meeting,
                    rows,
                    pace=hook.session.pace,
                    max_parallel_requests=self.max_parallel_requests,
                    stop=self._stop,
                )
            finally:
                hook.session.close()

    def _refuse_unmappable(self, rows: int) -> None:
        """Airflow would refuse the push of the result only after everybody had been enrolled."""
        longest = conf.getint("core", "max_map_length", fallback=1024)
        if rows > longest and next(iter(self.iter_mapped_dependants()), None) is not None:
            raise PermanentFailure(
                f"registrants holds {rows:,} rows and a mapped task follows, but Airflow maps over {longest:,} at most "
                "([core] max_map_length). Nothing was sent. Enroll in several tasks (chunks), raise the limit, or read "
                "the rows in one task."
            )


def _the_meeting(meeting_id: str | None, webinar_id: str | None) -> str:
    if bool(meeting_id) == bool(webinar_id):
        raise ValueError(f"{'Both' if meeting_id else 'Neither'} of meeting_id and webinar_id given; give exactly one.")
    if not meeting_id:
        raise ValueError("webinar_id: this version enrolls in online meetings only; give meeting_id.")
    return meeting_id


def _rows(registrants: Any) -> Sequence[Any]:
    held = hold_rendered(registrants)
    if isinstance(held, RegistrantRows):
        return held.rows
    raise ValueError(
        "registrants is neither a list of dicts nor of ids. A template must render to a JSON list: use the tojson "
        "filter, or render_template_as_native_obj=True on the DAG."
    )


def _complaint(report: Report, max_rejected: MaxRejected) -> PermanentFailure | TransientFailure | None:
    """The failure that the outcomes call for, or None where they are what was asked for."""
    refused, unknown = report.refused, report.unknown
    cut_short = report.cut_short
    if not cut_short and not unknown and max_rejected.tolerates(len(refused), of=len(report.enrollments)):
        return None
    said = f"{report.sentence()}; max_rejected is {max_rejected}. {report.complaint()}. The rows of all are in XCom."
    if cut_short:
        said += f" The task was cut short by {type(cut_short).__name__}."
    if unknown:
        said += " 'unknown' was sent and its answer lost: look whether they are on the list before they are sent again."
    # A retry sends everybody again, so it may only follow where nobody can be on the list yet.
    may_be_enrolled = unknown or len(refused) < len(report.enrollments)
    retry_helps = not may_be_enrolled and any(one.transient for one in refused)
    return TransientFailure(said) if retry_helps else PermanentFailure(said)
