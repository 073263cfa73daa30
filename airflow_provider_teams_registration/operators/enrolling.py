"""What every operator that enrolls people has in common, wherever its rows come from."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import BaseOperator, conf, timezone

from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError, Throttled
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, failures_for_airflow
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.links.meeting import MeetingLink, push_meeting_link
from airflow_provider_teams_registration.operators.enrolling_arguments import check_arguments, read_outcomes
from airflow_provider_teams_registration.operators.one_event import refuse_two_events
from airflow_provider_teams_registration.operators.room_for_rows import refuse_what_cannot_be_returned

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.enrollment.ledger import Ledger
    from airflow_provider_teams_registration.enrollment.report import Report
    from airflow_provider_teams_registration.enrollment.results import Results
    from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
    from airflow_provider_teams_registration.enrollment.sql_ledger import SqlLedger

SUMMARY_KEY = "summary"
DEFAULT_LEDGER_TABLE = "teams_registration_ledger"
SUCCESS = ("enrolled", "already_enrolled", "waitlisted", "pending_approval")


class EnrollingOperator(BaseOperator):
    """
    Enrolls rows in an event; what the rows are is the subclass's.

    :param meeting_id: the online meeting's ``id`` in Graph (not its join URL nor its number). (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user, which needs a connection
        with ``auth`` ``refresh_token``. (templated)
    :param webinar_id: a webinar's ``id`` in Graph, instead of ``meeting_id``. (templated)
    :param preferred_timezone: time zone of a webinar's registrants whose row names none; an IANA or a Windows name.
        (templated)
    :param preferred_language: language of those whose row names none, such as ``en-us``. (templated)
    :param referrer: what the webinar's report says of where they come from. (templated)
    :param success_outcomes: which outcomes are fine; others count as refused. Default ``enrolled``,
        ``already_enrolled``, ``waitlisted`` and ``pending_approval``.
    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``. (templated)
    :param max_rejected: how many refusals (outcomes that are not in ``success_outcomes``) the task tolerates: a number,
        or a per cent of the input such as ``"5%"``. A lost answer (``unknown``) is never tolerated. Default 0.
        (templated)
    :param max_parallel_requests: how many calls, of up to 20 people each, may be under way at once. Default 8.
    :param ledger_conn_id: Airflow connection to a SQL database for the ledger, which makes re-runs no-ops across DAG
        runs and DAGs. None, the default, takes Airflow's task state store (3.3+), which serves the retries of the task,
        or else the process's memory. (templated)
    :param ledger_table: the ledger's table, created on first use. Default ``teams_registration_ledger``. (templated)
    :param store_join_urls: whether the ledger keeps links. Without them a re-run cannot return them. Default True.
    :param on_missing_join_url: what to do about people who are on the event already and whose link cannot be read:
        ``fail`` the task once all others are enrolled (the default), ``ignore``, or ``re_enroll`` them, which gives
        them a new link and ends the one they hold; nobody is taken off a webinar for that.
    :param settle_after: seconds until a person who was sent without an answer and does not show on the event counts as
        not enrolled and is sent again. Default 120.
    :param xcom_limit: up to how many rows go to XCom. Beyond it XCom holds a reference for ``read_enrollments``, and
        ``ledger_conn_id`` is needed. Default 1,000.
    :param deferrable: whether a wait that the service imposes frees the worker slot. It needs a ledger that lasts.
        Default: ``[operators] default_deferrable``.
    :param defer_over: seconds of waiting beyond which it does. Default 45, which is longer than the pace of webinars
        makes anybody wait.
    :raises PermanentFailure: somebody was refused beyond ``max_rejected``, or the event or connection cannot work;
        the task fails without retries.
    :raises TransientFailure: the service was unreachable, in trouble or throttling; the task's retries apply.
    """

    template_fields: Sequence[str] = (
        "meeting_id",
        "webinar_id",
        "organizer_id",
        "preferred_timezone",
        "preferred_language",
        "referrer",
        "conn_id",
        "max_rejected",
        "ledger_conn_id",
        "ledger_table",
    )
    operator_extra_links = (MeetingLink(),)
    ui_color = "#e3e0f7"

    def __init__(
        self,
        *,
        meeting_id: str | None = None,
        webinar_id: str | None = None,
        organizer_id: str | None = None,
        preferred_timezone: str | None = None,
        preferred_language: str | None = None,
        referrer: str | None = None,
        success_outcomes: Sequence[str] = SUCCESS,
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        max_rejected: int | str = 0,
        max_parallel_requests: int = 8,
        ledger_conn_id: str | None = None,
        ledger_table: str = DEFAULT_LEDGER_TABLE,
        store_join_urls: bool = True,
        on_missing_join_url: str = "fail",
        settle_after: float = 120.0,
        xcom_limit: int = 1000,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        defer_over: float = 45.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.meeting_id = meeting_id
        self.webinar_id = webinar_id
        self.organizer_id = organizer_id
        self.preferred_timezone = preferred_timezone
        self.preferred_language = preferred_language
        self.referrer = referrer
        self.success_outcomes = success_outcomes
        self.conn_id = conn_id
        self.max_rejected = max_rejected
        self.max_parallel_requests = max_parallel_requests
        self.ledger_conn_id = ledger_conn_id
        self.ledger_table = ledger_table
        self.store_join_urls = store_join_urls
        self.on_missing_join_url = on_missing_join_url
        self.settle_after = settle_after
        self.xcom_limit = xcom_limit
        self.deferrable = deferrable
        self.defer_over = defer_over
        self._stop: threading.Event | None = None
        check_arguments(self)

    def resume(self, context: Context, event: Any = None) -> Any:
        """Go on after a wait: the ledger knows who is through, so this is the same once more."""
        return self.execute(context)

    def on_kill(self) -> None:
        """End the sending, so that the rows of those who are enrolled by now still reach XCom."""
        if self._stop is not None:
            self._stop.set()

    def enroll_rows(self, context: Context, rows: Iterable[Any]) -> Any:
        """
        Enroll rows, push the summary, and fail where the outcome is not what was asked for.

        :param context: the task's context.
        :param rows: dicts of column and value, or plain ids; read as they are needed.
        :return: the rows with what became of them, or a reference where they are more than ``xcom_limit``.
        """
        from airflow_provider_teams_registration.enrollment.results import Results
        from airflow_provider_teams_registration.hooks.ledger import open_ledger

        try:
            refuse_two_events(self.meeting_id, self.webinar_id)
            max_rejected = MaxRejected.read(self.max_rejected)
            ledger = open_ledger(context, self.ledger_conn_id, self.ledger_table, store_join_urls=self.store_join_urls)
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
        # Only a ledger in SQL is shared, and only it has room for rows.
        sql_ledger = cast("SqlLedger", ledger) if ledger.is_shared else None
        try:
            rows, is_long = refuse_what_cannot_be_returned(
                rows,
                self.xcom_limit,
                has_room_elsewhere=sql_ledger is not None and self.store_join_urls,
                is_mapped_over=context["ti"].map_index < 0
                and next(iter(self.iter_mapped_dependants()), None) is not None,
            )
            # However few of the rows are people, XCom holds none of a long input.
            results = Results(0 if is_long else self.xcom_limit, sql_ledger)
            report = self._enroll(context, rows, ledger, results)
            return self._conclude(context, report, max_rejected, ledger, results)
        finally:
            ledger.close()

    def _enroll(self, context: Context, rows: Iterable[Any], ledger: Ledger, results: Results) -> Report:
        from airflow_provider_teams_registration.enrollment.enroll import enroll
        from airflow_provider_teams_registration.enrollment.report import Report
        from airflow_provider_teams_registration.enrollment.sending_options import Postponed

        if isinstance(rows, Sequence) and not rows:
            return Report(keep=results.keep)
        self._stop = threading.Event()
        hook = TeamsRegistrationHook(self.conn_id)
        with failures_for_airflow():
            event = hook.event(
                meeting_id=self.meeting_id or None,
                webinar_id=self.webinar_id or None,
                organizer_id=self.organizer_id or None,
                preferred_timezone=self.preferred_timezone or None,
                preferred_language=self.preferred_language or None,
                referrer=self.referrer or None,
            )
            options = self._sending_options(ledger)
            if options.defer_over is not None:
                hook.session.pace.patience = options.defer_over
            try:
                return enroll(
                    event,
                    rows,
                    ledger=ledger,
                    options=options,
                    stop=self._stop,
                    keep=results.keep,
                    success_outcomes=read_outcomes(self.success_outcomes),
                )
            except Throttled as error:
                # Asked for patience before anybody was sent.
                if options.defer_over is None or (error.retry_after or 0) <= options.defer_over:
                    raise
                return Report(cut_short=Postponed(error.retry_after or 0))
            finally:
                if link := event.own_link:
                    push_meeting_link(context, link)
                hook.session.close()

    def _sending_options(self, ledger: Ledger) -> SendingOptions:
        from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
        from airflow_provider_teams_registration.enrollment.settling import OnMissingJoinUrl

        return SendingOptions(
            max_parallel_requests=self.max_parallel_requests,
            on_missing_join_url=OnMissingJoinUrl(self.on_missing_join_url),
            settle_after=self.settle_after,
            # Without a ledger that lasts, going on after a deferral would be starting over.
            defer_over=self.defer_over if self.deferrable and self._is_durable(ledger) else None,
        )

    def _conclude(
        self, context: Context, report: Report, max_rejected: MaxRejected, ledger: Ledger, results: Results
    ) -> Any:
        from airflow_provider_teams_registration.enrollment.ledger import FencedOff
        from airflow_provider_teams_registration.enrollment.sending_options import Postponed
        from airflow_provider_teams_registration.operators.complaint import complaint
        from airflow_provider_teams_registration.read_enrollments import reference

        if isinstance(report.cut_short, FencedOff):
            raise PermanentFailure(str(report.cut_short))
        if isinstance(report.cut_short, Postponed) and self.deferrable and self._is_durable(ledger):
            self.log.info("%s so far.", report.sentence())
            self._postpone(report.cut_short.seconds)
        summary = report.summary()
        context["ti"].xcom_push(key=SUMMARY_KEY, value=summary)
        self._note(ledger, summary)
        value: Any = results.rows
        if value is None:
            value = reference(self.ledger_conn_id, self.ledger_table, ledger, summary)
        failure = complaint(
            report,
            max_rejected,
            is_durable=self._is_durable(ledger),
            hands_links_out_once=not self.webinar_id,
            is_pushed=self.do_xcom_push,
        )
        if failure is not None and self.do_xcom_push:
            # In Airflow 3 it brings the models of the database along.
            from airflow.providers.common.compat.sdk import XCOM_RETURN_KEY

            context["ti"].xcom_push(key=XCOM_RETURN_KEY, value=value)
        self._tell(report, max_rejected, ledger, is_fine=failure is None)
        if failure is not None:
            raise failure
        return value

    def _tell(self, report: Report, max_rejected: MaxRejected, ledger: Ledger, *, is_fine: bool) -> None:
        from airflow_provider_teams_registration.enrollment.report import count_registrants

        if is_fine and report.refused:
            self.log.warning("Tolerated by max_rejected=%s: %s.", max_rejected, report.complaint())
        if is_fine and report.links_withheld:
            what = "%s may join and their links may not be read. Grant what the column error names. %s."
            self.log.warning(what, count_registrants(report.links_withheld), _when_links_come(ledger))
        if report.changed:
            self.log.warning("%s changed since they were enrolled; nobody was sent again.", f"{report.changed:,}")
        self.log.info("%s.", report.sentence())

    def _is_durable(self, ledger: Ledger) -> bool:
        """Whether a later attempt has everything that this one achieved: a meeting's link is handed out only once."""
        return ledger.is_durable and (self.store_join_urls or bool(self.webinar_id))

    def _note(self, ledger: Ledger, summary: dict[str, Any]) -> None:
        try:
            ledger.finish(summary)
        except TeamsRegistrationError as error:
            self.log.warning("The counts did not reach the ledger: %s", error)

    def _postpone(self, seconds: float) -> None:
        try:
            from airflow.providers.standard.triggers.temporal import DateTimeTrigger
        except ImportError:
            from airflow.triggers.temporal import DateTimeTrigger

        self.log.info("The service asks for %.0f s of patience: deferred.", seconds)
        self.defer(trigger=DateTimeTrigger(moment=timezone.utcnow() + timedelta(seconds=seconds)), method_name="resume")


def _when_links_come(ledger: Ledger) -> str:
    if ledger.is_shared:
        return "Whom this ledger has as enrolled is 'enrolled', with the link, in the next run then"
    if ledger.is_durable:
        return "Clear this task then: whom it enrolled is 'enrolled', with the link"
    return "Run this again then: they are 'already_enrolled', with the link"
