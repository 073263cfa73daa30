"""An answer that is no list of people proves nobody absent: nobody is on an event twice for it."""

import json

import pytest

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.core.state import OnMissingJoinUrl
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.events.webinar.event import WebinarEvent
from airflow_provider_teams_registration.exceptions import ServiceUnreachable
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.write_quota import WriteQuota

LIES = {
    "a page of HTML": {"body": "<html>Sign in</html>", "content_type": "text/html"},
    "nothing": {"body": ""},
    "an empty object": {"body": "{}"},
    "value null": {"body": '{"value": null}'},
    "value an object": {"body": '{"value": {}}'},
    "null items": {"body": '{"value": [null, null]}'},
    "items of another type": {"body": '{"value": [{"subject": "A meeting"}]}'},
    "half a JSON text": {"body": '{"value": [{"id": "person 1"'},
}
FORM = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}
PEOPLE = [
    {"id": f"crm {n}", "email": f"person{n}@example.org", "first_name": "Ada", "last_name": f"Example {n}"}
    for n in range(40)
]

pytestmark = pytest.mark.usefixtures("no_backoff")


class OnMeeting:
    """The meeting that is open to everyone."""

    enrolls, lists = "POST registrants", "GET registrants"

    def __init__(self, emulator, session):
        self._emulator, self._session = emulator, session

    def event(self):
        meeting = OnlineMeeting(self._session, self._emulator.meeting_id, self._emulator.organizer_id)
        return MeetingEvent(meeting, self._session.rate_limiter)

    def put_on(self, row):
        self._emulator.store.enroll(self._emulator.store.meeting(self._emulator.meeting_id), row["id"])

    def on_it(self):
        return [record.id for record in self._emulator.store.enrolled(self._emulator.meeting_id)]


class OnWebinar:
    """The webinar that is published and has room for everybody."""

    enrolls, lists = "POST registrations", "GET registrations*"

    def __init__(self, emulator, session):
        self._emulator, self._session = emulator, session

    def event(self):
        webinar = Webinar(self._session, self._emulator.webinar_id)
        return WebinarEvent(webinar, WriteQuota(self._session.rate_limiter, 1000, 0.001), **FORM)

    def put_on(self, row):
        self._emulator.store.webinars.register(
            self._emulator.webinar_id, row["email"], external_registration_id=row["id"]
        )

    def on_it(self):
        records = self._emulator.store.webinars.registrations(self._emulator.webinar_id)
        return [one.external_registration_id for one in records]


@pytest.fixture(params=[OnMeeting, OnWebinar])
def stage(request, emulator, graph_session):
    """Either kind of event, on which a second enrollment is a second seat."""
    emulator.set_switches(duplicate="second_record")
    return request.param(emulator, graph_session)


@pytest.mark.parametrize("lie", LIES)
def test_people_whom_another_tool_enrolled_are_not_enrolled_again(lie, stage, enroll_all, emulator):
    for row in PEOPLE:
        stage.put_on(row)
    emulator.add_fault(stage.lists, times=0, **LIES[lie])

    with pytest.raises(ServiceUnreachable):
        enroll_all(PEOPLE, on=stage.event(), on_missing_join_url=OnMissingJoinUrl.IGNORE)
    emulator.clear_faults()
    report = enroll_all(PEOPLE, on=stage.event(), on_missing_join_url=OnMissingJoinUrl.IGNORE)

    assert report.counts == {"already_enrolled": 40}
    assert len(stage.on_it()) == 40


@pytest.mark.parametrize("lie", LIES)
def test_later_page_that_is_none_enrolls_nobody_again(lie, stage, enroll_all, emulator):
    for row in PEOPLE:
        stage.put_on(row)
    emulator.set_switches(page_size=10)
    emulator.add_fault(stage.lists, nth=3, times=0, **LIES[lie])

    with pytest.raises(ServiceUnreachable):
        enroll_all(PEOPLE, on=stage.event())

    assert len(stage.on_it()) == 40


@pytest.mark.parametrize("lie", LIES)
def test_lost_answer_and_then_a_lie_enrolls_nobody_again(lie, stage, enroll_all, emulator):
    emulator.add_fault("POST $batch", when="after", drop=True)
    # The first list shows that nobody is on the event yet. Those that follow are to settle what was lost.
    emulator.add_fault(stage.lists, nth=2, times=0, **LIES[lie])

    first = enroll_all(PEOPLE, on=stage.event(), settle_after=0.5)
    emulator.clear_faults()
    second = enroll_all(PEOPLE, on=stage.event(), settle_after=0.5, as_run=TaskRun("dag", "run 2", "enroll"))

    assert first.unknown >= 20
    assert isinstance(first.aborted_by, ServiceUnreachable)
    assert second.unknown + second.refused == 0
    assert sorted(stage.on_it()) == sorted(row["id"] for row in PEOPLE)


@pytest.mark.parametrize("first", [0, 3, 5])
def test_lies_that_pass_cost_nothing_but_time(first, stage, enroll_all, emulator):
    for row in PEOPLE[:20]:
        stage.put_on(row)
    for nth, lie in enumerate(list(LIES.values())[first : first + 3], start=1):
        emulator.add_fault(stage.lists, nth=nth, **lie)

    report = enroll_all(PEOPLE, on=stage.event(), on_missing_join_url=OnMissingJoinUrl.IGNORE)

    assert report.counts == {"already_enrolled": 20, "enrolled": 20}
    assert len(stage.on_it()) == 40


class TestRegistrationsWithoutAnAddress:
    """A service that hides an address says of nobody that they are absent."""

    @pytest.fixture
    def on_webinar(self, emulator, graph_session):
        emulator.set_switches(duplicate="second_record")
        stage = OnWebinar(emulator, graph_session)
        hidden = {"id": "r-1", "status": "registered", "email": None, "firstName": None}
        emulator.add_fault("GET registrations", times=0, body=json.dumps({"value": [hidden]}))
        return stage

    @pytest.mark.parametrize("number", [3, 40])
    def test_nobody_is_sent_who_may_be_one_of_them(self, number, on_webinar, enroll_all, emulator):
        report = enroll_all(PEOPLE[:number], on=on_webinar.event())

        assert report.counts == {"rejected": number}
        assert "without an e-mail address" in report.error_summary()
        assert on_webinar.on_it() == []

    @pytest.mark.parametrize("number", [3, 40])
    def test_people_whom_a_look_up_finds_are_on_it_all_the_same(self, number, on_webinar, enroll_all):
        for row in PEOPLE[:number]:
            on_webinar.put_on(row)

        report = enroll_all(PEOPLE[: number + 1], on=on_webinar.event())

        assert report.counts["already_enrolled"] == number
        assert len(on_webinar.on_it()) == sum(report.counts.get(one, 0) for one in ("already_enrolled", "enrolled"))

    def test_registration_that_was_cancelled_hides_nobody(self, emulator, graph_session, enroll_all):
        gone = {"id": "r-1", "status": "canceled", "email": None}
        emulator.add_fault("GET registrations", body=json.dumps({"value": [gone]}))

        report = enroll_all(PEOPLE[:1], on=OnWebinar(emulator, graph_session).event())

        assert report.counts == {"enrolled": 1}
