"""
From a warehouse to a join link in every inbox, for a webinar.

Set the Airflow Variable ``teams_webinar_id``, and the connections ``warehouse`` (any SQL database that lets tables be
made), ``teams_registration_default`` and ``smtp_default``. ``webinar_attendees`` has the columns ``id``,
``first_name``, ``last_name``, ``email`` and ``signed_up_at``. The DAG needs the extras ``[sql,mail]`` and the provider
of the warehouse's database.

Run it on a schedule. Each run enrolls the people who are new, and mails everybody who has a seat and no mail yet: also
people who got in from the waitlist since. ``enroll`` tolerates every refusal, so that the others are mailed. Then
``mail`` fails, and names the rows of the people who have no mail.

Graph takes 15 writes in 30 seconds from an app, across everything. If several such tasks may run at once, give them a
pool with one slot: ``pool="teams_webinars"``.
"""

from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator
from airflow_provider_teams_registration.transfers.sql import SqlToTeamsRegistrationOperator

with DAG("webinar_to_inbox", schedule=None, start_date=datetime(2026, 1, 1), tags=["teams-registration", "example"]):
    enroll = SqlToTeamsRegistrationOperator(
        task_id="enroll",
        sql="SELECT id, first_name, last_name, email FROM webinar_attendees ORDER BY signed_up_at",
        sql_conn_id="warehouse",
        ledger_conn_id="warehouse",
        webinar_id="{{ var.value.teams_webinar_id }}",
        preferred_timezone="Europe/Rome",
        preferred_language="en-us",
        max_rejected="100%",
        retries=2,
    )
    MailJoinLinksOperator(
        task_id="mail",
        registrants=enroll.output,
        ledger_conn_id="warehouse",
        from_email="events@example.org",
        trigger_rule="all_done",
        retries=2,
    )
