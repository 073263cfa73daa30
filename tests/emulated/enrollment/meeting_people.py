"""People for a meeting, and what tests ask of the reports and the emulator about them."""

from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent

REGISTRANTS = "POST registration/registrants"


def enroll_on(meeting, session, rows, ledger=None, stop=None, **options):
    event = MeetingEvent(meeting, session.rate_limiter)
    return enroll(event, rows, ledger=ledger, stop=stop, options=SendingOptions(**options))


def people(number):
    return [{"id": f"person {n}", "seat": n} for n in range(number)]


def sent(emulator, registrant_id):
    """Every time that one person was sent."""
    return [entry for entry in emulator.store.journal if entry.registrant_id == registrant_id]


def those(report, outcome):
    """The enrollments that have an outcome."""
    return [enrollment for enrollment in report.enrollments if enrollment.outcome == outcome]


def links(report):
    return {row["id"]: row["join_web_url"] for row in report.rows()}


def outcomes(report):
    return {row["id"]: row["outcome"] for row in report.rows()}
