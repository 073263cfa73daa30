"""
From a warehouse to a join link in every inbox, in TaskFlow.

The same as ``warehouse_to_inbox``, with the same Variables and connections. Here too the next run enrolls and mails
whoever is new, and nobody else.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from airflow.providers.common.compat.sdk import BaseHook, dag, task

from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator


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

    @task
    def newly_enrolled(ti: Any = None) -> list[int]:
        rows = ti.xcom_pull(task_ids="enroll")
        return [number for number, row in enumerate(rows) if row["outcome"] == "enrolled" and row["join_web_url"]]

    @task(retries=2)
    def mail(number: int, ti: Any = None) -> None:
        # A task's arguments are stored and shown; a join link is a credential. So the number goes in, and the row is
        # looked up here.
        from airflow.providers.smtp.hooks.smtp import SmtpHook

        row = ti.xcom_pull(task_ids="enroll")[number]
        link = escape(row["join_web_url"])
        with SmtpHook() as smtp:
            smtp.send_email_smtp(
                to=row["email"],
                from_email="events@example.org",
                subject="Your link to our event",
                html_content=f"""
                    <p>Dear {escape(row["first_name"])},</p>
                    <p>this is your own way in, please keep it to yourself: <a href="{link}">join</a></p>
                """,
            )

    enroll = EnrollRegistrantOperator(
        task_id="enroll",
        meeting_id="{{ var.value.teams_meeting_id }}",
        organizer_id="{{ var.value.teams_organizer_id }}",
        registrants=attendees(),
        ledger_conn_id="warehouse",
        max_rejected="10%",
    )
    numbers = newly_enrolled()
    enroll >> numbers
    mail.expand(number=numbers)


warehouse_to_inbox_taskflow()
