"""The base of the operators that enroll people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.exceptions import Throttled
from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, failures_for_airflow
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.deferral import DefersEnrolling
from airflow_provider_teams_registration.operators.enrolling_arguments import check_arguments, read_outcomes
from airflow_provider_teams_registration.operators.event_task import EVENT_FIELDS, extra_links
from airflow_provider_teams_registration.operators.map_index import name_by_event
from airflow_provider_teams_registration.xcom.limits import check_result_fits

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.core.report import Report
    from airflow_provider_teams_registration.enrollment.result_buffer import ResultBuffer
    from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
    from airflow_provider_teams_registration.ledger.base import Ledger

DEFAULT_LEDGER_TABLE = "teams_registration_ledger"
SUCCESS = ("enrolled", "already_enrolled", "waitlisted", "pending_approval")


class EnrollingOperator(DefersEnrolling):
    """
    Enroll rows in an event. A subclass says where the rows come from.

    :param meeting_id: the online meeting's ``id`` in Graph, or its join URL, which the task looks up once. (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user, which needs a connection
        with ``auth`` ``refresh_token``. (templated)
    :param webinar_id: a webinar's ``id`` in Graph, instead of ``meeting_id``; or its join URL, or the link of its
        registration page. To look a link up, the connection must be allowed to list webinars. (templated)
    :param preferred_timezone: time zone of a webinar's registrants whose row names none; an IANA or a Windows name.
        (templated)
    :param preferred_language: language of those whose row names none, such as ``en-us``. (templated)
    :param referrer: what the webinar's report says of where they come from. (templated)
    :param success_outcomes: which outcomes are fine; others count as refused. Default ``enrolled``,
        ``already_enrolled``, ``waitlisted`` and ``pending_approval``.
    :param conn_id: the Airflow connection, of type ``teams_registration`` or ``msgraph``. (templated)
    :param max_rejected: how many refusals (outcomes that are not in ``success_outcomes``) the task tolerates: a number,
        or a per cent of the input such as ``"5%"``. ``unknown`` and ``not_sent`` are never tolerated, nor is a refusal
        that a retry may mend. Default 0. (templated)
    :param max_parallel_requests: how many calls, of up to 20 people each, may be under way at once. Default 8.
    :param ledger_conn_id: Airflow connection to a SQL database for the ledger, which makes re-runs no-ops across DAG
        runs and DAGs. None, the default, takes Airflow's task state store (3.3+), which serves the retries of the task,
        or else the process's memory. Without it Airflow runs one instance of the task at a time, unless
        ``max_active_tis_per_dag`` says otherwise or the task is mapped; and the task reads the event once more at its
        end, and fails if another task enrolled the same people meanwhile. (templated)
    :param ledger_table: the ledger's table, created on first use. Default ``teams_registration_ledger``. (templated)
    :param store_join_urls: whether the ledger keeps links. Without them a re-run cannot return them. Default True.
    :param on_missing_join_url: what to do about people who are on the event already and whose link cannot be read:
        ``fail`` the task once all others are enrolled (the default), ``ignore``, or ``re_enroll`` them, which gives
        them a new link. The old link stops working. A webinar's registrants are never enrolled again for that.
    :param settle_after: seconds until a person who was sent without an answer and does not show on the event counts as
        not enrolled and is sent again. Default 120.
    :param xcom_limit: up to how many rows go to XCom. Beyond it XCom holds a reference for ``read_enrollments``, and
        ``ledger_conn_id`` is needed. Default 1,000.
    :param deferrable: whether long waits free the worker slot. It needs a durable ledger. After a deferral, the task
        does not read a webinar's form again or, with ``ledger_conn_id``, who is on the event. It sends nobody again
        whom Graph refused. Airflow renders ``registrants`` again: new people are looked up and sent, and the task
        returns the rows of the last rendering. Default: ``[operators] default_deferrable``.
    :param defer_over: seconds of a wait that the service asks for (``Retry-After``) beyond which the task frees its
        slot. Default 45. The wait until the write quota of webinars (15 in 30 seconds) opens again frees it from 10
        seconds on, or from ``defer_over`` if that is less; the task asks to be resumed as much earlier as its own
        resumes have taken.
    :raises PermanentFailure: somebody was refused beyond ``max_rejected``, or the event or connection cannot work;
        the task fails without retries.
    :raises TransientFailure: Graph was unreachable, was failing or throttled the task; the task's retries apply.
    """

    template_fields: Sequence[str] = (
        *EVENT_FIELDS,
        "preferred_timezone",
        "preferred_language",
        "referrer",
        "conn_id",
        "max_rejected",
        "ledger_conn_id",
        "ledger_table",
    )
    operator_extra_links = property(extra_links)
    own_link: str | None = None
    ui_color = "#e3e0f7"

    preferred_timezone = TextArgument()
    preferred_language = TextArgument()
    referrer = TextArgument()
    conn_id = TextArgument(absent="")

    def __init__(
        self,
        *,
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
        check_arguments(self)
        if ledger_conn_id is None and getattr(self, "max_active_tis_per_dag", None) is None:
            # Two of its instances that do not see one another would enroll the same people twice.
            self.max_active_tis_per_dag = 1

    def enroll_rows(self, context: Context, rows: Iterable[Any]) -> Any:
        """
        Enroll rows, push the summary, and fail where the outcome is not what was asked for.

        :param context: the task's context.
        :param rows: dicts of column and value, or plain ids; read as they are needed.
        :return: the rows with what became of them, or a reference where they are more than ``xcom_limit``.
        """
        from airflow_provider_teams_registration.enrollment.result_buffer import ResultBuffer
        from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
        from airflow_provider_teams_registration.hooks.ledger import open_ledger

        self.begin_pushing()
        self.own_link = None
        # Refuse the event before the ledger opens.
        self.named_event()
        if not self.ledger_conn_id and self._deferred_by is None:
            self.log.info(
                "Without ledger_conn_id this task does not see what other tasks and DAG runs send. It reads the event "
                "once more at its end and fails if somebody is on it twice; a ledger_conn_id prevents that."
            )
        try:
            max_rejected = MaxRejected.read(self.max_rejected)
            ledger = open_ledger(context, self.ledger_conn_id, self.ledger_table, store_join_urls=self.store_join_urls)
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
        try:
            rows, is_long = check_result_fits(
                rows,
                self.xcom_limit,
                has_room_elsewhere=ledger.row_store is not None and self.store_join_urls,
                is_mapped_over=context["ti"].map_index < 0
                and next(iter(self.iter_mapped_dependants()), None) is not None,
            )
            # However few of the rows are people, XCom holds none of a long input.
            results = ResultBuffer(0 if is_long else self.xcom_limit, ledger.row_store)
            report = self._enroll(context, rows, ledger, results)
            if isinstance(report.aborted_by, DeferRequested) and self.deferrable and self.is_durable_for(ledger):
                self.log.info("%s so far.", report.summary_line())
                self.keep_input(ledger, None if is_long else rows)
                self.postpone(report.aborted_by, ledger.attempt)
            return self.conclude(context, report, max_rejected, ledger, results)
        finally:
            ledger.close()

    def _enroll(self, context: Context, rows: Iterable[Any], ledger: Ledger, results: ResultBuffer) -> Report:
        from airflow_provider_teams_registration.core.report import Report
        from airflow_provider_teams_registration.enrollment.enroll import enroll
        from airflow_provider_teams_registration.enrollment.resumption import Resumption
        from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested

        if isinstance(rows, Sequence) and not rows:
            return Report(keep=results.add)
        hook = self.new_hook()
        with failures_for_airflow():
            event = hook.event(
                self.find_or_stop(hook),
                preferred_timezone=self.preferred_timezone,
                preferred_language=self.preferred_language,
                referrer=self.referrer,
            )
            options = self._sending_options(ledger)
            if options.defer_over is not None:
                hook.session.rate_limiter.max_wait = options.defer_over
            try:
                return enroll(
                    event,
                    rows,
                    ledger=ledger,
                    options=options,
                    stop=hook.session.stop,
                    keep=results.add,
                    success_outcomes=read_outcomes(self.success_outcomes),
                    resumption=Resumption(self._deferred_by),
                )
            except Throttled as error:
                # Graph asked for a wait before the task sent anybody.
                if options.defer_over is None or (error.retry_after or 0) <= options.defer_over:
                    raise
                return Report(aborted_by=DeferRequested(error.retry_after or 0))
            except BaseException:
                hook.stop()
                raise
            finally:
                self._push_own_link(context, event.own_link)
                name_by_event(context, event.facts)
                # What is still read in the background keeps no task from ending.
                hook.stop()
                hook.session.close()

    def _sending_options(self, ledger: Ledger) -> SendingOptions:
        from airflow_provider_teams_registration.core.quota import WORTH_DEFERRING
        from airflow_provider_teams_registration.core.state import OnMissingJoinUrl
        from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions

        # Without a durable ledger, the task would start over after a deferral.
        may_defer = self.deferrable and self.is_durable_for(ledger)
        return SendingOptions(
            max_parallel_requests=self.max_parallel_requests,
            on_missing_join_url=OnMissingJoinUrl(self.on_missing_join_url),
            settle_after=self.settle_after,
            finds_double_enrollments=not ledger.is_shared,
            defer_over=self.defer_over if may_defer else None,
            defer_quota_over=min(self.defer_over, WORTH_DEFERRING) if may_defer else None,
        )

    def _push_own_link(self, context: Context, link: str | None) -> None:
        for button in self.operator_extra_links if link else ():
            self.own_link = link
            button.push(context, link)
