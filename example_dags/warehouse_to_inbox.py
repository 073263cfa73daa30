"""
From a warehouse to a join link in every inbox, in classic operators.

Attendees come from a SQL warehouse, are enrolled in a Teams online meeting, and each is mailed their own link. Set the
Airflow Variables ``teams_meeting_id`` and ``teams_organizer_id``, and the connections ``warehouse`` (any SQL database
that lets tables be made), ``teams_registration_default`` and ``smtp_default``.

The warehouse also keeps the ledger, so the DAG may run again and again. The next run enrolls and mails whoever is new.
Those whom an earlier run enrolled come back as ``already_enrolled``, with the same link, and are not mailed again. If a
run fails before its mails went out, clear it instead of starting another: in its own run they still are ``enrolled``.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from airflow.providers.common.compat.sdk import DAG, AirflowSkipException
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
    """One person's mail. Only those whom this run enrolled get one; the tasks of the others show as skipped."""
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


with DAG(
    "warehouse_to_inbox",
    description="Attendees from a warehouse, enrolled in a Teams meeting, each mailed their own join link",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    tags=["teams-registration", "example"],
):
    attendees = SQLExecuteQueryOperator(
        task_id="attendees",
        conn_id="warehouse",
        sql="SELECT id, first_name, email FROM attendees ORDER BY signed_up_at",
        handler=as_dicts,
    )
    enroll = EnrollRegistrantOperator(
        task_id="enroll",
        meeting_id="{{ var.value.teams_meeting_id }}",
        organizer_id="{{ var.value.teams_organizer_id }}",
        registrants=attendees.output,
        ledger_conn_id="warehouse",
        max_rejected="10%",
    )
    JoinLinkEmail.partial(
        task_id="mail", from_email="events@example.org", subject="Your link to our event", retries=2
    ).expand_kwargs(enroll.output.map(mail_for))
