"""
From a warehouse to a join link in every inbox, in TaskFlow.

The same as ``warehouse_to_inbox``, with the same Variables and connections. Here too the next run enrolls the
people who are new, and mails those who have no mail yet.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.providers.common.compat.sdk import BaseHook, dag, task

from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
from airflow_provider_teams_registration.operators.mail import mail_join_links


@dag(
    description="Attendees from a warehouse, enrolled in a Teams meeting, each mailed their own join link",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    tags=["teams-registration", "example"],
)
def warehouse_to_inbox_taskflow() -> None:
    # Airflow logs what a task returns unless it is told not to.
    @task(show_return_value_in_logs=False)
    def attendees() -> list[dict[str, Any]]:
        columns = ["id", "first_name", "email"]
        warehouse = BaseHook.get_hook("warehouse")
        rows = warehouse.get_records(f"SELECT {', '.join(columns)} FROM attendees ORDER BY signed_up_at")
        return [dict(zip(columns, row, strict=True)) for row in rows]

    enroll = EnrollRegistrantOperator(
        task_id="enroll",
        meeting_id="{{ var.value.teams_meeting_id }}",
        organizer_id="{{ var.value.teams_organizer_id }}",
        registrants=attendees(),
        ledger_conn_id="warehouse",
        max_rejected="10%",
    )
    mail_join_links(
        enroll.output,
        ledger_conn_id="warehouse",
        from_email="events@example.org",
        max_rejected="10%",
        trigger_rule="all_done",
        retries=2,
    )


warehouse_to_inbox_taskflow()
