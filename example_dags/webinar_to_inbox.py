"""
From a warehouse to a join link in every inbox, for a webinar.

The same as ``warehouse_to_inbox`` but for the event: give ``webinar_id`` instead of ``meeting_id``, and the columns
that a webinar's form asks for. Set the Airflow Variable ``teams_webinar_id``, and the connections ``warehouse`` (any
SQL database that lets tables be made), ``teams_registration_default`` and ``smtp_default``.

Run it on a schedule: the next run enrolls and mails whoever is new, and whoever got in from the waitlist since.

Whoever got in is mailed, whoever else was refused: ``enroll`` tolerates every refusal, and ``nobody_was_refused`` fails
the run for it, and for people who are registered and whose links may not be read: the run after that is permitted mails
whom this DAG enrolled. What ``enroll`` never tolerates, such as an answer that was lost, is left to its retries. If it
fails in spite of them, clear it instead of starting another run: only in its own run its people still are ``enrolled``
and get their mails.

It needs the extra ``[sql]``, ``apache-airflow-providers-smtp`` and the provider of the warehouse's database.
``webinar_attendees`` has the columns ``id``, ``first_name``, ``last_name``, ``email`` and ``signed_up_at``.

Graph takes 15 writes in 30 seconds from an app, across everything. Where several such tasks may run at once, give them
a pool with one slot: ``pool="teams_webinars"``.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, AirflowSkipException, task
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.smtp.operators.smtp import EmailOperator

from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator


def as_dicts(cursor: Any) -> list[dict[str, Any]]:
    """Rows with their column names, which a plain result lacks."""
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


class JoinLinkEmail(EmailOperator):
    """Airflow stores and shows what template fields hold. A join link is a credential, so here none is one."""

    template_fields = ()


def mail_for(row: dict[str, Any]) -> dict[str, Any]:
    """One person's mail. Only those who got in during this run get one; the tasks of the others show as skipped."""
    if row["outcome"] != "enrolled" or not row["join_web_url"]:
        raise AirflowSkipException(row["outcome"])
    link = escape(row["join_web_url"])
    return {
        "to": row["email"],
        "html_content": f"""
            <p>Dear {escape(row["first_name"])},</p>
            <p>this is your own way in, please keep it to yourself: <a href="{link}">join</a></p>
        """,
    }


@task
def nobody_was_refused(*, ti: Any = None) -> None:
    """The summary holds reasons and counts, and names nobody."""
    summary = ti.xcom_pull(task_ids="enroll", key="summary")
    if {"invalid", "rejected"} & set(summary["outcomes"]):
        raise AirflowFailException(f"Refused: {summary['reasons']}")
    if summary["links_withheld"]:
        raise AirflowFailException(f"Links that may not be read: {summary['reasons']}")


with DAG(
    "webinar_to_inbox",
    description="Attendees from a warehouse, registered for a Teams webinar, each mailed their own join link",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    tags=["teams-registration", "example"],
):
    attendees = SQLExecuteQueryOperator(
        task_id="attendees",
        conn_id="warehouse",
        sql="SELECT id, first_name, last_name, email FROM webinar_attendees ORDER BY signed_up_at",
        handler=as_dicts,
    )
    enroll = EnrollRegistrantOperator(
        task_id="enroll",
        webinar_id="{{ var.value.teams_webinar_id }}",
        registrants=attendees.output,
        preferred_timezone="Europe/Rome",
        preferred_language="en-us",
        ledger_conn_id="warehouse",
        max_rejected="100%",
        retries=2,
    )
    JoinLinkEmail.partial(
        task_id="mail", from_email="events@example.org", subject="Your link to our webinar", retries=2
    ).expand_kwargs(enroll.output.map(mail_for))
    enroll >> nobody_was_refused()
