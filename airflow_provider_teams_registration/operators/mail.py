"""Mail each person of an event their own join link."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure, failures_for_airflow
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.enrolling import DEFAULT_LEDGER_TABLE
from airflow_provider_teams_registration.operators.event_task import EVENT_FIELDS, EventTask
from airflow_provider_teams_registration.operators.killable import StopsOnKill
from airflow_provider_teams_registration.operators.mail_arguments import check_mail_arguments
from airflow_provider_teams_registration.operators.mail_event import read_facts
from airflow_provider_teams_registration.operators.mail_failure import aborted, missing_mails
from airflow_provider_teams_registration.operators.mail_rows import given_rows, rows_to_mail, upstream_tasks
from airflow_provider_teams_registration.xcom.masked_rows import MaskedRegistrants
from airflow_provider_teams_registration.xcom.push import PushesRows

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.core.event_facts import EventFacts
    from airflow_provider_teams_registration.ledger.mail import MailLedger
    from airflow_provider_teams_registration.mail.report import MailReport


class MailJoinLinksOperator(MaskedRegistrants, EventTask, StopsOnKill, PushesRows):
    """
    Mail each person their own join link, once, with an entry for their calendar.

    Before the first mail, the task checks the whole list: each link is on https, belongs to one person and is the one
    that the ledger has for this person. If a link may not be the right person's, nobody is mailed.

    The task notes each mail in the ledger before and after it sends it. A retry, a clear or another run mails nobody
    again. If the task is killed, the one person being mailed may get a second mail, with the same ``Message-ID``.

    .. code-block:: python

        mail = MailJoinLinksOperator(
            task_id="mail",
            registrants=enroll.output,
            ledger_conn_id="warehouse",
            from_email="Events <events@example.org>",
        )

    Templates may name ``row`` (the person's row), ``name``, ``join_web_url``, ``is_update`` and ``event`` with
    ``title``, ``start``, ``end``, ``time_zone``, ``when``, ``organizer_name`` and ``organizer_email``. Times are in the
    time zone of the row's ``preferred_timezone``, or else in the event's own. The templates are rendered per person
    inside the task, so Airflow stores and shows nothing of them. A template argument that ends in ``.txt``, ``.html``
    or ``.jinja`` is the name of a file in the DAG's folder or its ``template_searchpath``.

    XCom ``return_value`` and ``summary`` hold counts, without personal data.

    :param registrants: the people: what a task that enrolls or a ``RegistrantStatusSensor`` returned (rows or a
        reference), a page of it, or the rows of a ``CancelRegistrantOperator``, who are mailed that they were taken
        off. With ``ledger_conn_id``, also the rows that were enrolled, which the ledger completes. (templated)
    :param webinar_id: the webinar's ``id`` in Graph. None, the default, takes the event of the task whose rows
        ``registrants`` are. (templated)
    :param meeting_id: or the online meeting's. Both also take a join URL. (templated)
    :param organizer_id: object id of the meeting's organizer, to read the meeting; None is the signed-in user.
        (templated)
    :param event: facts of the event that replace those that Graph tells: a dict with any of ``title``, ``start`` and
        ``end`` (ISO 8601 with a time zone), ``time_zone``, ``organizer_name`` and ``organizer_email``. (templated)
    :param subject: Jinja template of the subject.
    :param text: Jinja template of the plain text. Without ``text`` and ``html``, the package's own templates are used.
    :param html: Jinja template of the HTML, escaped by default. If only ``text`` is given, there is no HTML.
    :param waitlist_subject: the subject for people on the waitlist.
    :param waitlist_text: the text for people on the waitlist. Without it and ``waitlist_html``, they are not mailed.
    :param waitlist_html: the HTML for people on the waitlist.
    :param cancel_subject: the subject for people who were taken off.
    :param cancel_text: the text for people who were taken off.
    :param cancel_html: the HTML for people who were taken off.
    :param smtp_conn_id: the Airflow connection of type ``smtp``. Default ``smtp_default``. (templated)
    :param from_email: the address to send from, with or without a name. Default: ``from_email`` of the connection, or
        its login. (templated)
    :param rate: how many mails a minute go out at most. Default: no limit.
    :param again: the people to mail again: nobody (None, the default), people whose link or event time changed since
        (``"changed"``), or everybody whom this run has not mailed yet (``"all"``).
    :param verify_links: whether each link is also compared with the one that the webinar shows now. Default False.
    :param calendar: whether mails hold a calendar entry. Default True. Switch it off if Teams mails invitations itself.
    :param max_rejected: how many people may end without a mail that they should have: a number, or a per cent such as
        ``"5%"``. Default 0. (templated)
    :param wait_for_rows: seconds to wait for rows that XCom does not hold yet: a task that is marked failed while it
        sends hands its rows over a little later. Default 15.
    :param email_column: the column with the address. Default ``email``.
    :param name_columns: the columns with the name. Default ``first_name`` and ``last_name``.
    :param conn_id: the Airflow connection to Graph, which is used only to read the event. (templated)
    :param ledger_conn_id: Airflow connection to the ledger's database. Name the same as for enrolling. None takes the
        task state store (Airflow 3.3+), which serves the retries and clears of this task, or else the process's memory.
        (templated)
    :param ledger_table: the ledger's table. (templated)
    :raises PermanentFailure: a link may not be the right person's, a template or an argument cannot be right, or people
        beyond ``max_rejected`` have no mail.
    :raises TransientFailure: the mail server, the ledger or Graph was out of reach or asked to wait.
    """

    template_fields: Sequence[str] = (
        "registrants",
        *EVENT_FIELDS,
        "event",
        "smtp_conn_id",
        "from_email",
        "max_rejected",
        "conn_id",
        "ledger_conn_id",
        "ledger_table",
    )
    ui_color = "#e3e0f7"
    is_event_optional = True

    smtp_conn_id = TextArgument(absent="")
    from_email = TextArgument()
    conn_id = TextArgument(absent="")
    ledger_conn_id = TextArgument()
    ledger_table = TextArgument(absent="")

    def __init__(
        self,
        *,
        registrants: Any,
        event: Mapping[str, Any] | None = None,
        subject: str | None = None,
        text: str | None = None,
        html: str | None = None,
        waitlist_subject: str | None = None,
        waitlist_text: str | None = None,
        waitlist_html: str | None = None,
        cancel_subject: str | None = None,
        cancel_text: str | None = None,
        cancel_html: str | None = None,
        smtp_conn_id: str = "smtp_default",
        from_email: str | None = None,
        rate: float | None = None,
        again: str | None = None,
        verify_links: bool = False,
        calendar: bool = True,
        max_rejected: int | str = 0,
        wait_for_rows: float = 15.0,
        email_column: str = "email",
        name_columns: Sequence[str] = ("first_name", "last_name"),
        conn_id: str = TeamsRegistrationHook.default_conn_name,
        ledger_conn_id: str | None = None,
        ledger_table: str = DEFAULT_LEDGER_TABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rows_of = upstream_tasks(registrants)
        self.registrants = registrants
        self.event = event
        self.subject = subject
        self.text = text
        self.html = html
        self.waitlist_subject = waitlist_subject
        self.waitlist_text = waitlist_text
        self.waitlist_html = waitlist_html
        self.cancel_subject = cancel_subject
        self.cancel_text = cancel_text
        self.cancel_html = cancel_html
        self.smtp_conn_id = smtp_conn_id
        self.from_email = from_email
        self.rate = rate
        self.again = again
        self.verify_links = verify_links
        self.calendar = calendar
        self.max_rejected = max_rejected
        self.wait_for_rows = wait_for_rows
        self.email_column = email_column
        self.name_columns = name_columns
        self.conn_id = conn_id
        self.ledger_conn_id = ledger_conn_id
        self.ledger_table = ledger_table
        check_mail_arguments(self)

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the list, mail everybody who has no mail yet, and fail where somebody should have one and has none."""
        from airflow_provider_teams_registration.hooks.ledger import open_mail_ledger
        from airflow_provider_teams_registration.mail.report import MailReport

        self.begin_pushing()
        self._stop_in_use = threading.Event()
        report = MailReport()
        given = given_rows(self, context, self._stop_in_use)
        try:
            max_rejected = MaxRejected.read(self.max_rejected)
            ledger = open_mail_ledger(context, self.ledger_conn_id, self.ledger_table)
        except ValueError as error:
            raise PermanentFailure(str(error)) from None
        try:
            failure = self._run(context, given, ledger, report)
        finally:
            ledger.close()
        self.push_summary(context, report.summary())
        self.log.info("%s.", report.summary_line())
        failure = failure or missing_mails(
            report, max_rejected, is_durable=ledger.is_durable, is_without_rows=given is None
        )
        if failure is not None:
            raise failure
        if report.refused:
            self.log.warning("Tolerated by max_rejected=%s: %s.", max_rejected, report.error_summary())
        return report.summary()

    def on_kill(self) -> None:
        """End the waits, and mail nobody more."""
        super().on_kill()
        stop: threading.Event | None = vars(self).get("_stop_in_use")
        if stop is not None:
            stop.set()

    def _run(
        self, context: Context, given: list[Any] | None, ledger: MailLedger, report: MailReport
    ) -> PermanentFailure | TransientFailure | None:
        """Mail everybody. Return the failure that ended it, if one did."""
        from airflow_provider_teams_registration.mail.job import run_job
        from airflow_provider_teams_registration.mail.templating import TemplateProblem
        from airflow_provider_teams_registration.operators.mail_job import mail_job, show_links
        from airflow_provider_teams_registration.operators.outcome_log import record_counts

        with failures_for_airflow():
            facts = read_facts(self, context, given or [])
            event = EventRef.of(facts)
            job, connect = mail_job(self, facts)
            ledger.start_attempt(job.event)
            self._tell(facts, ledger)
            rows = rows_to_mail(self, given, event, ledger)
        try:
            run_job(job, rows, ledger, connect, report, show_links=show_links(self, event), stop=self._stop_in_use)
            return None
        except TemplateProblem as error:
            return PermanentFailure(f"Nobody was mailed. {error}")
        except TeamsRegistrationError as error:
            return aborted(error, report, is_durable=ledger.is_durable)
        finally:
            record_counts(self.log, ledger, report.summary())

    def _tell(self, facts: EventFacts, ledger: MailLedger) -> None:
        self.log.info("Mailing the links to %s.", facts.sentence())
        if not ledger.is_durable:
            self.log.warning(
                "No durable ledger notes who was mailed: a retry or a clear of this task may mail people again. Once "
                "a mail went out, a failure skips the retries. Name a ledger_conn_id to change this."
            )


def mail_join_links(registrants: Any, *, task_id: str = "mail_join_links", **arguments: Any) -> Any:
    """
    Mail each person their own join link, in a DAG that is written in TaskFlow.

    .. code-block:: python

        mail_join_links(enroll.output, ledger_conn_id="warehouse", from_email="events@example.org")

    :param registrants: the people, as :class:`MailJoinLinksOperator` takes them.
    :param task_id: the task's id.
    :param arguments: the other arguments of :class:`MailJoinLinksOperator`.
    :return: the counts, for other tasks to take.
    """
    return MailJoinLinksOperator(task_id=task_id, registrants=registrants, **arguments).output
