"""
People on a webinar's waitlist, each mailed their own link when they get in.

One sensor waits for each of them without a worker slot, so nobody waits for the others. A task's arguments are rendered
fields, which Airflow stores and shows: so the tasks are given numbers of rows, and read the rows from XCom, or from the
ledger where they are more than XCom is to hold.

Set the Airflow Variable ``teams_webinar_id``, and the connections ``warehouse`` (any SQL database that lets tables be
made), ``teams_registration_default`` and ``smtp_default``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.providers.common.compat.sdk import dag, task, task_group

from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator
from airflow_provider_teams_registration.read_enrollments import enrollment_pages, read_enrollments
from airflow_provider_teams_registration.sensors.registrant import RegistrantStatusSensor
from airflow_provider_teams_registration.transfers.sql import SqlToTeamsRegistrationOperator

WAITING = ("waitlisted", "pending_approval")


@dag(schedule=None, start_date=datetime(2026, 1, 1), tags=["teams-registration", "example"])
def waitlist_to_inbox() -> None:
    """People from a warehouse, registered for a webinar; those on its waitlist are mailed when they get in."""
    enroll = SqlToTeamsRegistrationOperator(
        task_id="enroll",
        sql="SELECT id, first_name, last_name, email FROM webinar_attendees ORDER BY signed_up_at",
        sql_conn_id="warehouse",
        ledger_conn_id="warehouse",
        webinar_id="{{ var.value.teams_webinar_id }}",
        preferred_timezone="Europe/Rome",
        preferred_language="en-us",
    )

    @task
    def numbers_of_those_who_wait(*, ti: Any = None) -> list[int]:
        rows = read_enrollments(ti.xcom_pull(task_ids="enroll"))
        return [number for number, row in enumerate(rows) if row["outcome"] in WAITING]

    @task_group
    def until_in(number: int) -> None:
        # Airflow logs what a task returns unless it is told not to.
        @task(show_return_value_in_logs=False)
        def person(number: int, *, ti: Any = None) -> list[dict[str, Any]]:
            pages = enrollment_pages(ti.xcom_pull(task_ids="enroll"), page_size=1)
            return list(read_enrollments(pages[number]))

        wait = RegistrantStatusSensor(
            task_id="wait",
            webinar_id="{{ var.value.teams_webinar_id }}",
            registrants=person(number),
            deferrable=True,
            poke_interval=300,
            timeout=7 * 24 * 3600,
        )
        MailJoinLinksOperator(
            task_id="mail",
            webinar_id="{{ var.value.teams_webinar_id }}",
            registrants=wait.output,
            subject="You are in: your link to {{ event.title }}",
            ledger_conn_id="warehouse",
            from_email="events@example.org",
            retries=2,
        )

    waiting = numbers_of_those_who_wait()
    enroll >> waiting
    until_in.expand(number=waiting)


waitlist_to_inbox()
