"""One attempt of a task that mails, in a process of its own."""

from __future__ import annotations

import json
import os
import smtplib
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_teams_registration.core.event_facts import read_event_facts
from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected
from airflow_provider_teams_registration.hooks.ledger import open_mail_ledger
from airflow_provider_teams_registration.mail.job import run_job
from airflow_provider_teams_registration.mail.report import MailReport
from airflow_provider_teams_registration.mail.sender import SendingPace
from airflow_provider_teams_registration.operators.enrolling import DEFAULT_LEDGER_TABLE
from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator
from airflow_provider_teams_registration.operators.mail_failure import missing_mails
from airflow_provider_teams_registration.operators.mail_job import mail_job
from dev.crash_matrix.breakpoints import Breakpoints

_QUICK = SendingPace(pauses=(0.05, 0.05), reconnect_pause=0.05)


def watch_smtp(breakpoints: Breakpoints) -> None:
    """Put a point before and after each answer of the mail server, named after what it answers."""
    put, send, reply = smtplib.SMTP.putcmd, smtplib.SMTP.send, smtplib.SMTP.getreply
    last = ["greeting"]

    def watched_put(client: smtplib.SMTP, cmd: str, args: str = "") -> None:
        last[0] = cmd.upper()
        put(client, cmd, args)

    def watched_send(client: smtplib.SMTP, content: Any) -> None:
        if isinstance(content, bytes):
            # Commands are texts, and a mail's content is bytes.
            last[0] = "content"
        send(client, content)

    def watched_reply(client: smtplib.SMTP) -> tuple[int, bytes]:
        return breakpoints.around(f"SMTP {last[0]}", lambda: reply(client))

    smtplib.SMTP.putcmd = watched_put  # type: ignore[method-assign, assignment]
    smtplib.SMTP.send = watched_send  # type: ignore[method-assign, assignment]
    smtplib.SMTP.getreply = watched_reply  # type: ignore[method-assign, assignment]


def end_mailing(arguments: Mapping[str, Any], rows: Sequence[Any], context: Any, ti: Any) -> str:
    """Mail by the job, because the operator has no argument for how long to wait for a mail server that refuses."""
    given = dict(arguments)
    smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": given.pop("port")}
    smtp["extra"] = {"disable_ssl": True, "disable_tls": True, "from_email": "events@example.com"}
    os.environ["AIRFLOW_CONN_SMTP_DEFAULT"] = json.dumps(smtp)
    with DAG("crash_matrix"):
        operator = MailJoinLinksOperator(task_id="mail", registrants=[], **given)
    ledger = open_mail_ledger(context, operator.ledger_conn_id, DEFAULT_LEDGER_TABLE)
    report = MailReport()
    try:
        event = {"webinar_id": given["webinar_id"], **given["event"]}
        job, connect = mail_job(operator, read_event_facts(event))
        ledger.start_attempt(job.event)
        run_job(replace(job, pace=_QUICK), rows, ledger, connect, report)
        ledger.finish_attempt(report.summary())
        ti.xcom_push("summary", report.summary())
        failure = missing_mails(report, MaxRejected.read(0), is_durable=ledger.is_durable, is_without_rows=False)
        if failure is not None:
            raise failure
    except Exception as error:
        return f"{type(error).__name__}: {error} {traceback.format_exc()[-1500:]}"
    finally:
        ledger.close()
    return "success"
