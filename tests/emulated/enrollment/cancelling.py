"""Both kinds of events with people on them, to take off."""

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.events.webinar.event import WebinarEvent
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.write_quota import WriteQuota

FORM = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}
ENROLLS, CANCELS, ENROLLS_AGAIN = (TaskRun("dag", "run", task) for task in ("enroll", "cancel", "again"))


def person(number):
    email = f"person{number}@example.org"
    return {"id": f"crm {number}", "email": email, "first_name": "Ada", "last_name": f"Example {number}"}


def people(number):
    return [person(one) for one in range(number)]


class OnMeeting:
    """The meeting that is open to everyone."""

    route = "DELETE registrants/*"

    def __init__(self, emulator, session):
        self._emulator, self._session = emulator, session

    def event(self):
        meeting = OnlineMeeting(self._session, self._emulator.meeting_id, self._emulator.organizer_id)
        return MeetingEvent(meeting, self._session.rate_limiter)

    def put_on(self, number):
        self._emulator.store.enroll(self._emulator.store.meeting(self._emulator.meeting_id), person(number)["id"])

    def on_it(self):
        return [record.id for record in self._emulator.store.enrolled(self._emulator.meeting_id)]

    def links(self):
        return {one.id: one.join_web_url for one in self._emulator.store.enrolled(self._emulator.meeting_id)}


class OnWebinar:
    """The webinar that is published and has room for everybody."""

    route = "POST registrations/*/cancel"

    def __init__(self, emulator, session, limit=1000, window=0.001):
        self._emulator, self._session = emulator, session
        self._rate_limiter = (limit, window)

    def event(self):
        webinar = Webinar(self._session, self._emulator.webinar_id)
        return WebinarEvent(webinar, WriteQuota(self._session.rate_limiter, *self._rate_limiter), **FORM)

    def put_on(self, number):
        row = person(number)
        self._emulator.store.webinars.register(
            self._emulator.webinar_id, row["email"].upper(), external_registration_id=row["id"]
        )

    def _live(self):
        records = self._emulator.store.webinars.registrations(self._emulator.webinar_id)
        return [one for one in records if not one.is_canceled]

    def on_it(self):
        return [one.external_registration_id for one in self._live()]

    def links(self):
        return {one.external_registration_id: one.join_web_url for one in self._live()}
