"""Answers are lost, Graph or Entra is out of reach, or the run is ended on the way."""

import threading
from collections import Counter
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.emulator.server import Emulator
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.exceptions import ServiceUnreachable, Stopped
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from tests.emulated.enrollment.meeting_people import REGISTRANTS, enroll_on, links, people, sent, those


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 408}, {"drop": True}, {"half": True}, {"omit": True}])
@pytest.mark.parametrize("when", ["before", "after"])
def test_person_whose_answer_is_lost_is_on_the_event_once_with_their_own_link(fault, when, run, books_links, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 3", when=when, **fault)

    report = run(people(30), settle_after=0.5)

    assert report.counts == {"enrolled": 30}
    assert links(report) == books_links()
    lost, *again = [entry for entry in sent(emulator, "person 3") if entry.method == "POST"]
    assert len(again) == 1
    proof = [entry for entry in emulator.store.journal if lost.number < entry.number < again[0].number]
    wanted = {"before": ("GET", "registrants"), "after": ("DELETE", "person%203")}[when]
    assert wanted in [(entry.method, entry.path.rsplit("/", 1)[-1]) for entry in proof]


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 504, "is_plain_text": True}, {"drop": True}, {"half": True}]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_everybody_in_a_call_whose_answer_is_lost_is_on_the_event_once_with_their_own_link(
    fault, when, run, books_links, emulator, calls
):
    emulator.add_fault("POST $batch", nth=2, when=when, **fault)

    report = run(people(60), max_parallel_requests=1, settle_after=0.5)

    assert [row["outcome"] for row in report.rows()] == ["enrolled"] * 60
    assert links(report) == books_links()
    # Those who had landed are taken off in one more call, and all are sent again in another.
    assert len(calls("$batch")) == {"before": 4, "after": 5}[when]
    assert report.error_summary() == ""


def test_everybody_in_a_call_that_takes_too_long_is_on_the_event_once(open_session, settings, emulator, books_links):
    session = open_session(replace(settings, timeout=1.5))
    emulator.add_fault("POST $batch", nth=2, delay=4)
    meeting = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)

    report = enroll_on(meeting, session, people(60), max_parallel_requests=1, settle_after=2)

    assert report.counts == {"enrolled": 60}
    assert links(report) == books_links()


def test_person_whose_answers_are_lost_again_and_again_ends_as_not_sent(run, enrolled, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 3", drop=True, times=0)

    report = run(people(30), settle_after=0.01, read_pause=0.05, longest_read_pause=0.1)

    assert report.counts == {"enrolled": 29, "not_sent": 1}
    (refused,) = those(report, "not_sent")
    assert refused.position == 4
    assert refused.transient
    assert refused.error == "Sent again and again, every answer was lost, and they are not on the event"
    assert len(sent(emulator, "person 3")) == 5
    assert "person 3" not in enrolled()


def test_person_who_lands_again_and_again_without_an_answer_ends_as_unknown(run, enrolled, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 3", drop=True, when="after", times=0)

    report = run(people(30))

    assert report.counts == {"enrolled": 29, "unknown": 1}
    (unknown,) = those(report, "unknown")
    row = unknown.as_row()
    assert (row["id"], row["outcome"], row["join_web_url"]) == ("person 3", "unknown", None)
    assert row["error"] == "Enrolled again and again, and every answer was lost"
    assert unknown.transient
    assert Counter(enrolled()) == Counter({f"person {n}": 1 for n in range(30)})


def test_person_who_cannot_be_told_about_when_reading_fails_is_unknown(run, emulator, no_backoff):
    emulator.add_fault(REGISTRANTS, registrant_id="person 3", drop=True, when="after")
    emulator.add_fault("GET registrants", nth=2, status=500, times=0)

    report = run(people(30))

    assert report.counts == {"enrolled": 29, "unknown": 1}
    (unknown,) = those(report, "unknown")
    assert unknown.as_row()["id"] == "person 3"
    assert unknown.error == "Sent, and the answer was lost"
    assert "500" in str(report.aborted_by)


def test_service_that_is_unreachable_is_said_before_anybody_is_sent(open_session, settings, emulator, no_backoff):
    nowhere = open_session(replace(settings, base_url="https://127.0.0.1:1"))

    with pytest.raises(ServiceUnreachable, match="could not be reached"):
        enroll_on(OnlineMeeting(nowhere, emulator.meeting_id, emulator.organizer_id), nowhere, people(3))


def test_service_that_becomes_unreachable_leaves_everybody_not_sent(open_session, settings, no_backoff, tmp_path):
    with Emulator(directory=tmp_path) as service:
        session = open_session(replace(settings, authority=service.url, base_url=service.url, verify=service.ca_file))

        class GoesDown(OnlineMeeting):
            def registrants(self):
                yield from super().registrants()
                service.__exit__(None, None, None)

        meeting = GoesDown(session, service.meeting_id, service.organizer_id)

        report = enroll_on(meeting, session, people(3))

    assert report.counts == {"not_sent": 3}
    assert all(refused.transient for refused in those(report, "not_sent"))
    assert "could not be reached" in report.error_summary()
    assert {entry.method for entry in service.store.journal} == {"GET"}


def test_sign_in_that_fails_on_the_way_costs_nobody_their_row(run, enrolled, emulator, person_in_link, no_backoff):
    emulator.add_fault("POST token", nth=2, times=0, status=500)
    emulator.add_fault("POST $batch", nth=2, times=0, status=401)

    report = run(people(60), max_parallel_requests=1)

    rows = report.rows()
    assert len(enrolled()) == 20
    assert [person_in_link(row["join_web_url"]) for row in rows[:20]] == [f"person {n}" for n in range(20)]
    assert [row["outcome"] for row in rows] == ["enrolled"] * 20 + ["not_sent"] * 40
    assert all(refused.transient for refused in those(report, "not_sent"))


def test_organizer_whose_token_cannot_be_renewed_on_the_way_costs_nobody_their_row(
    delegated_meeting, delegated_session, emulator, enrolled, no_backoff
):
    emulator.set_switches(token_lifetime=2)
    emulator.add_fault("POST token", nth=2, times=0, status=500)
    emulator.add_fault("POST $batch", delay=1.1)

    report = enroll_on(delegated_meeting, delegated_session, people(60), max_parallel_requests=1)

    assert [row["outcome"] for row in report.rows()] == ["enrolled"] * 20 + ["not_sent"] * 40
    assert all(row["join_web_url"] for row in report.rows()[:20])
    assert len(enrolled()) == 20


def test_run_that_is_interrupted_forgets_nobody_who_was_enrolled(meeting, graph_session, enrolled, person_in_link):
    class Interruption(BaseException):
        """What Airflow raises at a time limit, or Python at Ctrl-C."""

    class InterruptedOnTheWay(MeetingEvent):
        @property
        def batch_size(self):
            if len(enrolled()) >= 40:
                raise Interruption
            return 20

    event = InterruptedOnTheWay(meeting, graph_session.rate_limiter)
    report = enroll(event, people(100), options=SendingOptions(max_parallel_requests=2))

    found = {row["id"]: row["join_web_url"] for row in report.rows() if row["outcome"] == "enrolled"}
    assert isinstance(report.aborted_by, Interruption)
    assert sorted(found) == sorted(enrolled())
    assert all(person_in_link(link) == name for name, link in found.items())
    assert report.counts == {"enrolled": len(found), "not_sent": 100 - len(found)}


def test_run_that_is_asked_to_stop_sends_no_more(meeting, graph_session, enrolled):
    stop = threading.Event()

    class StopsInTheSecondCall(MeetingEvent):
        def enroll(self, registrants):
            if registrants[0].key == "person 20":
                stop.set()
            return super().enroll(registrants)

    event = StopsInTheSecondCall(meeting, graph_session.rate_limiter)
    report = enroll(event, people(100), stop=stop, options=SendingOptions(max_parallel_requests=1))

    assert isinstance(report.aborted_by, Stopped)
    assert report.counts == {"enrolled": 40, "not_sent": 60}
    assert len(enrolled()) == 40
