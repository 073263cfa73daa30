"""
From a warehouse to a join link in every inbox, in classic operators.

Attendees come from a SQL warehouse, are enrolled in a Teams online meeting, and each is mailed their own link. Set the
Airflow Variables ``teams_meeting_id`` and ``teams_organizer_id``, and the connections ``warehouse`` (any SQL database
that lets tables be made), ``teams_registration_default`` and ``smtp_default``.

The warehouse also keeps the ledger, so the DAG may run again and again. Each run enrolls the people who are new, and
mails everybody who is enrolled and has no mail yet. ``mail`` also runs if ``enroll`` fails, because the ledger knows
who was enrolled before that.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.providers.common.compat.sdk import DAG
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator


def as_dicts(cursor: Any) -> list[dict[str, Any]]:
    """Rows with their column names, which a plain result lacks."""
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


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
    MailJoinLinksOperator(
        task_id="mail",
        registrants=enroll.output,
        ledger_conn_id="warehouse",
        from_email="events@example.org",
        max_rejected="10%",
        trigger_rule="all_done",
        retries=2,
    )
