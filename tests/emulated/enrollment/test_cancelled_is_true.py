"""``cancelled`` is said only of people whom the service took off, or who provably are not on the event."""

import threading
import time

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.events.webinar.event import WebinarEvent
from airflow_provider_teams_registration.exceptions import Gone, NotFound, ServiceUnreachable
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.write_quota import WriteQuota

ENROLLS, CANCELS = TaskRun("dag", "run", "enroll"), TaskRun("dag", "run", "cancel")
FORM = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}
PEOPLE = [
    {"id": f"crm {n}", "email": f"person{n}@example.org", "first_name": "Ada", "last_name": f"Example {n}"}
    for n in range(3)
]
EMAILS = [row["email"] for row in PEOPLE]
NO_LIST = [{"body": ""}, {"body": "{}"}, {"body": '{"value": null}'}, {"body": "<html>"}, {"body": '{"value": [{}]}'}]

pytestmark = pytest.mark.usefixtures("no_backoff")


@pytest.fixture
def on_meeting(graph_session, emulator):
    def event(meeting_id=emulator.meeting_id):
        return MeetingEvent(OnlineMeeting(graph_session, meeting_id, emulator.organizer_id), graph_session.rate_limiter)

    return event


@pytest.fixture
def on_webinar(graph_session, emulator):
    def event(webinar_id=emulator.webinar_id):
        webinar = Webinar(graph_session, webinar_id)
        return WebinarEvent(webinar, WriteQuota(graph_session.rate_limiter, 1000, 0.001), **FORM)

    return event


@pytest.fixture
def take_off(open_ledger):
    return lambda event, rows=PEOPLE, **how: cancel(event, rows, ledger=open_ledger(CANCELS), **how)


@pytest.fixture
def put_on(open_ledger):
    def run(event, settle_after):
        return enroll(event, PEOPLE, ledger=open_ledger(ENROLLS), options=SendingOptions(settle_after=settle_after))

    return run


@pytest.fixture
def live(emulator):
    def read():
        listed = emulator.store.webinars.registrations(emulator.webinar_id)
        return [one.email for one in listed if not one.is_canceled]

    return read


@pytest.fixture
def takings_off(emulator):
    def made():
        return [one for one in emulator.store.journal if one.method == "DELETE" or one.path.endswith("/cancel")]

    return made


@pytest.mark.parametrize(
    ("meeting_id", "looks"),
    [
        ("no such meeting", "an id with white space"),
        ("https://teams.microsoft.com/l/meetup-join/19%3ameeting_x/0", "a join URL"),
        ("123 456 789 01", "a number"),
        ("None", "the word for no value"),
    ],
)
def test_meeting_that_does_not_exist_takes_nobody_off(meeting_id, looks, on_meeting, take_off, takings_off):
    with pytest.raises(NotFound, match=rf"404 NotFound: .*meeting_id \(it looks like {looks}\)") as failure:
        take_off(on_meeting(meeting_id))

    assert meeting_id not in str(failure.value)
    assert takings_off() == []


def test_meeting_that_is_not_open_takes_nobody_off(on_meeting, take_off, emulator):
    with pytest.raises(NotFound, match="meeting_id"):
        take_off(on_meeting(emulator.closed_meeting_id))


@pytest.mark.parametrize(("retired", "kind"), [("empty", Gone), ("gone", Gone), ("not_found", NotFound)])
def test_retired_api_takes_nobody_off(retired, kind, on_meeting, take_off, emulator):
    emulator.set_switches(retired=retired)
    with pytest.raises(kind):
        take_off(on_meeting())


def test_registration_that_is_closed_meanwhile_leaves_it_open_who_is_off(on_meeting, take_off, emulator):
    emulator.add_fault("DELETE registrants/*", status=404, times=0)
    emulator.add_fault("GET registration", nth=2, status=404, times=0)

    report = take_off(on_meeting())

    assert report.counts == {"rejected": 3}
    assert "meeting_id" in report.error_summary()


def test_people_who_are_not_on_a_meeting_that_is_there_are_cancelled(on_meeting, take_off):
    assert take_off(on_meeting()).counts == {"cancelled": 3}


def test_registration_that_cannot_be_read_after_a_404_is_no_proof(on_meeting, take_off, emulator):
    emulator.add_fault("GET registration", nth=2, times=0, body="{}")

    report = take_off(on_meeting())

    assert report.counts == {"not_sent": 3}
    assert report.transient == 3


@pytest.mark.parametrize("body", ["{}", '"off"', '{"value": []}'])
def test_answer_that_is_none_takes_nobody_off(body, on_meeting, take_off, emulator):
    for row in PEOPLE:
        emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), row["id"])
    emulator.add_fault("DELETE registrants/*", times=0, status=200, body=body)

    report = take_off(on_meeting())

    assert report.counts == {"unknown": 3}
    assert len(emulator.store.enrolled(emulator.meeting_id)) == 3


@pytest.mark.parametrize("body", ["{}", '"off"'])
def test_answer_that_is_none_takes_nobody_off_a_webinar(body, on_webinar, take_off, emulator, live):
    for email in EMAILS:
        emulator.store.webinars.register(emulator.webinar_id, email)
    emulator.add_fault("POST cancel", times=0, status=200, body=body)

    assert take_off(on_webinar()).counts == {"unknown": 3}
    assert live() == EMAILS


def test_webinar_that_does_not_exist_takes_nobody_off(on_webinar, take_off):
    report = take_off(on_webinar("https://events.teams.microsoft.com/event/1"), [{"email": one} for one in EMAILS])

    assert report.counts == {"rejected": 3}
    assert "webinar_id (it looks like a link)" in report.error_summary()


def test_webinar_that_does_not_exist_is_named_where_ids_are_looked_up(on_webinar, take_off):
    report = take_off(on_webinar("no-such-webinar"), ["crm 0"])

    assert report.counts == {"invalid": 1}
    assert "webinar_id (it looks like an id)" in report.error_summary()


@pytest.mark.parametrize("lie", NO_LIST, ids=range(len(NO_LIST)))
@pytest.mark.parametrize("by", ["address", "id"])
def test_list_that_is_none_cancels_nobody(by, lie, on_webinar, take_off, emulator, takings_off):
    emulator.add_fault("GET registrations*", times=0, **lie)
    with pytest.raises(ServiceUnreachable):
        take_off(on_webinar(), [{"email": one} for one in EMAILS] if by == "address" else ["crm 0"])

    assert takings_off() == []


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.ENROLLED, Outcome.WAITLISTED])
@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_person_whom_the_ledger_has_as_sent_just_now_is_cancelled_only_once_they_can_show_no_more(
    kind, outcome, on_meeting, on_webinar, take_off, open_ledger
):
    event = on_meeting() if kind == "meeting" else on_webinar()
    keys = EMAILS if kind == "webinar" else [row["id"] for row in PEOPLE]
    ledger = open_ledger(ENROLLS)
    ledger.start_attempt(event.id)
    started = time.monotonic()
    ledger.write([RegistrationRecord(key, "told", outcome) for key in keys[:2]])

    report = take_off(event, settle_after=1)

    assert report.counts == {"cancelled": 3}
    assert time.monotonic() - started >= 1
    assert {ledger.load([key])[key].outcome for key in keys} == {Outcome.CANCELLED}


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_person_whose_registration_shows_late_is_taken_off_all_the_same(
    kind, on_meeting, on_webinar, take_off, open_ledger, emulator, live
):
    event = on_meeting() if kind == "meeting" else on_webinar()
    ledger = open_ledger(ENROLLS)
    keys = EMAILS if kind == "webinar" else [row["id"] for row in PEOPLE]
    ledger.start_attempt(event.id)
    ledger.write([RegistrationRecord(key, "told", Outcome.ENROLLED) for key in keys])
    emulator.set_switches(visibility_lag=0.8)
    for row in PEOPLE:
        if kind == "meeting":
            emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), row["id"])
        else:
            emulator.store.webinars.register(emulator.webinar_id, row["email"])

    assert take_off(event, settle_after=3).counts == {"cancelled": 3}
    assert live() == []
    assert emulator.store.enrolled(emulator.meeting_id) == []


def test_task_that_is_stopped_while_it_waits_for_late_registrations_leaves_the_outcome_open(
    on_webinar, take_off, open_ledger, emulator
):
    ledger = open_ledger(ENROLLS)
    event = on_webinar()
    ledger.start_attempt(event.id)
    ledger.write([RegistrationRecord(EMAILS[0], "told", Outcome.ENROLLED)])
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()

    report = take_off(event, PEOPLE[:1], settle_after=60, stop=stop)

    assert report.counts == {"not_sent": 1}
    assert ledger.load(EMAILS[:1])[EMAILS[0]].outcome is Outcome.ENROLLED


def test_person_whom_the_ledger_had_long_ago_and_who_is_not_on_it_is_cancelled(on_webinar, take_off, put_on, emulator):
    put_on(on_webinar(), settle_after=1)
    for one in emulator.store.webinars.registered(emulator.webinar_id):
        emulator.store.webinars.cancel(emulator.webinar_id, one.id)

    assert take_off(on_webinar(), settle_after=0).counts == {"cancelled": 3}


def test_lost_answers_to_cancellations_are_settled_by_reading(on_webinar, take_off, put_on, emulator, live):
    put_on(on_webinar(), settle_after=1)
    emulator.add_fault("POST cancel", times=3, when="after", drop=True)

    assert take_off(on_webinar()).counts == {"cancelled": 3}
    assert live() == []


@pytest.mark.parametrize("shows", ["oldest", "active"])
def test_registration_that_was_cancelled_proves_nothing_where_a_newer_one_may_be_hidden(
    shows, on_webinar, take_off, emulator, live
):
    webinars = emulator.store.webinars
    old = webinars.register(emulator.webinar_id, EMAILS[0])
    webinars.cancel(emulator.webinar_id, old.id)
    webinars.register(emulator.webinar_id, EMAILS[0])
    emulator.set_switches(
        registration_key_finds=shows, registration_filter="refused", application_may_list_registrations=False
    )

    report = take_off(on_webinar(), [{"email": EMAILS[0]}])

    assert (report.counts, live()) == (({"cancelled": 1}, []) if shows == "active" else ({"rejected": 1}, [EMAILS[0]]))


def test_404_to_a_cancellation_of_somebody_who_is_still_on_is_a_refusal(on_webinar, take_off, emulator, live):
    emulator.store.webinars.register(emulator.webinar_id, EMAILS[0])
    emulator.add_fault("POST cancel", times=0, status=404)

    report = take_off(on_webinar(), [{"email": EMAILS[0]}])

    assert report.counts == {"rejected": 1}
    assert "webinar_id" in report.error_summary()
    assert live() == EMAILS[:1]


def test_own_id_of_a_cancelled_person_stays_in_the_ledger(on_webinar, take_off, put_on, open_ledger, emulator):
    put_on(on_webinar(), 120.0)

    take_off(on_webinar(), settle_after=0.0)

    ledger = open_ledger(CANCELS)
    ledger.start_attempt(emulator.webinar_id)
    noted = ledger.load(EMAILS).values()
    assert {(one.outcome, one.external_id) for one in noted} == {(Outcome.CANCELLED, row["id"]) for row in PEOPLE}
