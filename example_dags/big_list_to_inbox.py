"""
A long list, straight from SQL, to a join link in every inbox.

With the same Variables and connections as ``warehouse_to_inbox``, and for any number of people: nothing holds all of
them at once. The rows of the result go to the ledger in the warehouse, XCom holds a reference to them, and each mail
task reads one page. When the service asks for a long wait, the task waits without a worker.

The next run enrolls the people who are new, and mails those who have no mail yet. A page that is cleared mails nobody
again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator
from airflow_provider_teams_registration.read_enrollments import enrollment_pages
from airflow_provider_teams_registration.transfers.sql import SqlToTeamsRegistrationOperator

RETRIES: dict[str, Any] = {"retries": 3}
try:
    from airflow_provider_teams_registration.retry_policy import TeamsRegistrationRetryPolicy
except ImportError:
    pass  # Airflow before 3.3 has no retry policies: each retry waits for the task's retry_delay.
else:
    RETRIES["retry_policy"] = TeamsRegistrationRetryPolicy()


@dag(
    description="A long list from a warehouse, enrolled in a Teams meeting, mailed page by page",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    tags=["teams-registration", "example"],
)
def big_list_to_inbox() -> None:
    enroll = SqlToTeamsRegistrationOperator(
        task_id="enroll",
        sql="SELECT id, first_name, email FROM attendees ORDER BY signed_up_at",
        sql_conn_id="warehouse",
        ledger_conn_id="warehouse",
        meeting_id="{{ var.value.teams_meeting_id }}",
        organizer_id="{{ var.value.teams_organizer_id }}",
        max_rejected="10%",
        # However short the list, XCom holds a reference: a task's arguments are stored and shown, and so are pages.
        xcom_limit=0,
        deferrable=True,
        **RETRIES,
    )

    @task
    def pages(result: Any) -> list[Any]:
        return enrollment_pages(result, page_size=500)

    mail = MailJoinLinksOperator.partial(
        task_id="mail",
        ledger_conn_id="warehouse",
        from_email="events@example.org",
        max_rejected="10%",
        retries=2,
    )
    mail.expand(registrants=pages(enroll.output))


big_list_to_inbox()
