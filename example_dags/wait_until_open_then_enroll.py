"""
Wait until the organizer has opened the registration, then enroll.

Set the Airflow Variables ``teams_meeting_id`` and ``teams_organizer_id`` and the connection
``teams_registration_default``.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
from airflow_provider_teams_registration.sensors.registration import RegistrationOpenSensor

MEETING = {
    "meeting_id": "{{ var.value.teams_meeting_id }}",
    "organizer_id": "{{ var.value.teams_organizer_id }}",
}

with DAG(
    "wait_until_open_then_enroll",
    description="Wait until a Teams meeting is open for registrants, then enroll",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    tags=["teams-registration", "example"],
):
    is_open = RegistrationOpenSensor(
        task_id="is_open",
        **MEETING,
        allowed_registrant="everyone",
        deferrable=True,
        poke_interval=60,
        timeout=timedelta(days=2).total_seconds(),
    )
    enroll = EnrollRegistrantOperator(
        task_id="enroll",
        **MEETING,
        registrants=["speaker-1", "speaker-2", "moderator"],
    )
    is_open >> enroll
