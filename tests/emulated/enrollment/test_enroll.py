"""People and an event in, one honest row per person out."""

import logging
import threading
import uuid
from collections import Counter
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.emulator.server import Emulator
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested, SendingOptions
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.exceptions import Gone, NotFound, ServiceUnreachable, SettingsError, Stopped
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting

REGISTRANTS = "POST registration/registrants"


def enroll_in(meeting, session, rows, ledger=None, stop=None, **options):
    event = MeetingEvent(meeting, session.rate_limiter)
    return enroll(event, rows, ledger=ledger, stop=stop, options=SendingOptions(**options))


@pytest.fixture
def run(meeting, graph_session):
    """Enrolls people in the meeting that is open to everyone."""

    def run(rows, **options):
        return enroll_in(meeting, graph_session, rows, **options)

    return run


@pytest.fixture
def enrolled(emulator):
    """Lists the ids of those who are really on the meeting, as often as they are on it."""
    return lambda: [record.id for record in emulator.store.enrolled(emulator.meeting_id)]


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


def test_everybody_gets_a_row_with_their_own_link_in_input_order(run, person_in_link, emulator):
    report = run(people(57))

    rows = report.rows()
    assert [row["id"] for row in rows] == [f"person {n}" for n in range(57)]
    assert [row["seat"] for row in rows] == list(range(57))
    assert [person_in_link(row["join_web_url"]) for row in rows] == [f"person {n}" for n in range(57)]
    assert {row["outcome"] for row in rows} == {"enrolled"}
    assert {row["error"] for row in rows} == {None}
    assert report.sentence() == "57 registrants: 57 enrolled"


def test_thousand_people_take_fifty_calls_and_few_others(run, enrolled, emulator, person_in_link, calls):
    emulator.add_fault("POST token", nth=2, times=0, status=500)

    report = run(people(1000))

    assert Counter(enrolled()) == Counter({f"person {n}": 1 for n in range(1000)})
    handed_out = [row["join_web_url"] for row in report.rows()]
    assert len(set(handed_out)) == 1000
    assert [person_in_link(link) for link in handed_out] == [f"person {n}" for n in range(1000)]
    counted = Counter(calls())
    assert counted.pop("POST $batch") == 50
    assert counted.total() <= 5


@pytest.mark.parametrize("parallel", [1, 2, 7])
def test_number_of_parallel_calls_changes_nothing_but_the_speed(parallel, run, enrolled, calls):
    report = run(people(101), max_parallel_requests=parallel)

    assert report.counts == {"enrolled": 101}
    assert sorted(enrolled()) == sorted(f"person {n}" for n in range(101))
    assert calls("$batch") == ["POST $batch"] * 6


def test_bad_rows_do_not_stop_the_others(run, enrolled, person_in_link):
    rows = [
        {"email": "nobody@example.org"},
        {"id": "a", "email": "a@example.org"},
        {"id": ""},
        {"id": 2},
        {"id": 2.5},
        ("c", "c@example.org"),
        {"id": "d", "outcome": "x"},
        {"id": "e", "tenant_id": "t"},
        {"id": "f", "seat": 1},
        {"id": "a", "email": "a@example.org"},
        {"id": "f", "seat": 2},
        "g",
    ]

    report = run(rows)

    assert sorted(enrolled()) == ["2", "a", "g"]
    assert [enrollment.position for enrollment in report.enrollments] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12]
    good = {2: "a", 4: "2", 12: "g"}
    for enrollment in report.enrollments:
        row = enrollment.as_row()
        if enrollment.position in good:
            assert row["outcome"] == "enrolled"
            assert person_in_link(row["join_web_url"]) == good[enrollment.position]
        else:
            assert row["outcome"] == "invalid"
            assert row["join_web_url"] is None
            assert row["error"]
    assert report.summary()["rows"] == len(rows)
    assert report.repeated == 1


def test_row_refused_by_graph_does_not_stop_the_others(run, enrolled, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 7", status=400, code="Bad", message="No 'person 7' here.")
    emulator.add_fault(REGISTRANTS, registrant_id="person 9", status=400, code="Bad", message="No 'person 9' here.")

    report = run(people(30))

    assert len(enrolled()) == 28
    assert report.counts == {"enrolled": 28, "rejected": 2}
    assert report.complaint() == "2 rejected (rows 8, 10): 400 Bad: No '…' here."
    refused = those(report, "rejected")[0]
    assert not refused.transient
    assert refused.as_row()["id"] == "person 7"
    assert refused.as_row()["join_web_url"] is None
    assert "person 7" not in refused.error
    assert len(sent(emulator, "person 7")) == 1


def test_people_with_short_ids_are_refused_for_one_readable_reason(run, emulator):
    emulator.add_fault(REGISTRANTS, status=400, code="Full", message="Limit of 1000 (of 25730) is reached.", times=0)

    report = run([1, 2, 3, 10, 25, "a", "L"])

    assert report.complaint() == "7 rejected (rows 1, 2, 3, 4, 5, …): 400 Full: Limit of 1000 (of 25730) is reached."


def test_people_of_the_organization_are_enrolled(graph_session, emulator, person_in_link):
    emulator.set_switches(organization_is_one_tenant=True)
    meeting = OnlineMeeting(graph_session, emulator.organization_meeting_id, emulator.organizer_id)
    rows = [
        {"id": "a", "tenantId": emulator.tenant_id, "userId": str(uuid.uuid4())},
        {"id": "b", "tenant_id": emulator.tenant_id, "user_id": str(uuid.uuid4())},
        {"id": "c"},
        {"id": "d", "tenant_id": str(uuid.uuid4()), "user_id": str(uuid.uuid4())},
    ]

    report = enroll_in(meeting, graph_session, rows)

    assert outcomes(report) == {"a": "enrolled", "b": "enrolled", "c": "invalid", "d": "rejected"}
    records = {record.id: record.user_id for record in emulator.store.enrolled(emulator.organization_meeting_id)}
    assert records == {"a": rows[0]["userId"], "b": rows[1]["user_id"]}


@pytest.mark.parametrize("rows", [[], iter(())])
def test_nobody_at_all_makes_no_request(rows, open_session, settings, emulator):
    nowhere = open_session(replace(settings, authority="https://127.0.0.1:1", base_url="https://127.0.0.1:1"))

    report = enroll_in(OnlineMeeting(nowhere, emulator.meeting_id), nowhere, rows)

    assert report.rows() == []
    assert report.sentence() == "0 registrants: nothing to do"


def test_nobody_valid_sends_nobody(run, emulator, calls):
    report = run([{"id": ""}, {}])

    assert report.counts == {"invalid": 2}
    assert {call.split()[0] for call in calls()} == {"GET"}


@pytest.mark.parametrize("which", ["closed_meeting_id", "no such meeting"])
def test_meeting_that_is_unknown_or_not_open_is_said_before_anybody_is_sent(which, graph_session, emulator, calls):
    meeting = OnlineMeeting(graph_session, getattr(emulator, which, which), emulator.organizer_id)

    with pytest.raises(NotFound):
        enroll_in(meeting, graph_session, people(3))

    assert calls() == ["GET registration"]


def test_retired_api_is_said_before_anybody_is_sent(run, emulator, calls, no_backoff):
    emulator.set_switches(retired="empty")

    with pytest.raises(Gone):
        run(people(3))

    assert calls() == ["GET registration"] * 4


def test_application_without_an_organizer_is_said_before_anybody_is_sent(graph_session, emulator):
    with pytest.raises(SettingsError, match="organizer_id is missing"):
        enroll_in(OnlineMeeting(graph_session, emulator.meeting_id), graph_session, people(3))

    assert emulator.store.journal == []


def test_application_that_may_only_read_is_told_so_for_everybody(run, enrolled, emulator):
    emulator.set_switches(application_may_enroll=False)

    report = run(people(3))

    assert report.counts == {"rejected": 3}
    assert "3 rejected (rows 1, 2, 3): 403 Forbidden" in report.complaint()
    assert enrolled() == []


def test_throttled_person_is_sent_again_after_the_wait_and_nobody_is_sent_during_it(run, enrolled, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 3", status=429, retry_after="0.2")

    report = run(people(60), max_parallel_requests=1)

    assert report.counts == {"enrolled": 60}
    assert Counter(enrolled()) == Counter({f"person {n}": 1 for n in range(60)})
    throttled, again = sent(emulator, "person 3")
    assert (throttled.status, again.status) == (429, 200)
    first_batch = throttled.batch
    later = [entry for entry in emulator.store.journal if entry.registrant_id and entry.batch != first_batch]
    assert all(0.2 <= entry.at - throttled.at < 5 for entry in later)


def test_everybody_in_a_throttled_call_is_sent_again_after_the_wait(run, enrolled, emulator, calls):
    emulator.add_fault("POST $batch", status=429, retry_after="0.15", times=2)

    report = run(people(40), max_parallel_requests=1)

    assert report.counts == {"enrolled": 40}
    assert len(enrolled()) == 40
    at = [entry.at for entry in emulator.store.journal if entry.path.endswith("$batch")]
    assert len(at) == 4
    assert at[1] - at[0] >= 0.15
    assert at[2] - at[1] >= 0.15


def test_wait_asked_for_by_a_call_under_way_is_kept_while_another_wait_runs_out(run, enrolled, emulator):
    emulator.add_fault("POST $batch", status=429, retry_after="0.5", delay=0.1)
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="0.9", delay=0.2)

    report = run(people(60), max_parallel_requests=2)

    assert report.counts == {"enrolled": 60}
    _, slow, *others = [entry for entry in emulator.store.journal if entry.path.endswith("$batch")]
    assert others
    assert all(entry.at - slow.at >= 1.1 for entry in others)


def test_longest_of_several_waits_counts(run, emulator):
    emulator.add_fault(REGISTRANTS, registrant_id="person 0", status=429, retry_after="0.1")
    emulator.add_fault(REGISTRANTS, registrant_id="person 1", status=429, retry_after="0.2")
    emulator.add_fault(REGISTRANTS, registrant_id="person 2", status=429)

    report = run(people(3))

    assert report.counts == {"enrolled": 3}
    throttled, again = sent(emulator, "person 0")
    assert again.at - throttled.at >= 0.2


def test_endless_throttling_of_a_person_ends_as_not_sent(run, enrolled, emulator, no_backoff):
    emulator.add_fault(REGISTRANTS, registrant_id="person 3", status=429, retry_after="0", times=0)

    report = run(people(30))

    assert report.counts == {"enrolled": 29, "not_sent": 1}
    (refused,) = those(report, "not_sent")
    assert refused.position == 4
    assert refused.transient
    assert "429 TooManyRequests" in refused.error
    assert len(sent(emulator, "person 3")) == 8
    assert len(enrolled()) == 29


def test_endless_throttling_of_every_call_ends(run, enrolled, emulator, no_backoff, calls):
    emulator.add_fault("POST $batch", status=429, times=0)

    report = run(people(30), max_parallel_requests=1)

    assert report.counts == {"not_sent": 30}
    assert all(refused.transient for refused in those(report, "not_sent"))
    # One may have been lined up behind the last.
    assert 8 <= len(calls("$batch")) <= 9
    assert enrolled() == []


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
    assert report.complaint() == ""


def test_everybody_in_a_call_that_takes_too_long_is_on_the_event_once(open_session, settings, emulator, books_links):
    session = open_session(replace(settings, timeout=1.5))
    emulator.add_fault("POST $batch", nth=2, delay=4)
    meeting = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)

    report = enroll_in(meeting, session, people(60), max_parallel_requests=1, settle_after=2)

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
        enroll_in(OnlineMeeting(nowhere, emulator.meeting_id, emulator.organizer_id), nowhere, people(3))


def test_service_that_becomes_unreachable_leaves_everybody_not_sent(open_session, settings, no_backoff, tmp_path):
    with Emulator(directory=tmp_path) as service:
        session = open_session(replace(settings, authority=service.url, base_url=service.url, verify=service.ca_file))

        class GoesDown(OnlineMeeting):
            def registrants(self):
                yield from super().registrants()
                service.__exit__(None, None, None)

        meeting = GoesDown(session, service.meeting_id, service.organizer_id)

        report = enroll_in(meeting, session, people(3))

    assert report.counts == {"not_sent": 3}
    assert all(refused.transient for refused in those(report, "not_sent"))
    assert "could not be reached" in report.complaint()
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

    report = enroll_in(delegated_meeting, delegated_session, people(60), max_parallel_requests=1)

    assert [row["outcome"] for row in report.rows()] == ["enrolled"] * 20 + ["not_sent"] * 40
    assert all(row["join_web_url"] for row in report.rows()[:20])
    assert len(enrolled()) == 20


@pytest.mark.parametrize("duplicate", ["same", "new_link", "second_record", "conflict", "bad_request"])
def test_second_run_without_a_common_ledger_touches_nobody_and_says_that_the_link_is_missing(
    duplicate, run, books_links, emulator, calls
):
    run(["somebody"])
    before = books_links()
    emulator.set_switches(duplicate=duplicate)
    emulator.clear_journal()

    report = run(["somebody"])

    (row,) = report.rows()
    assert (row["outcome"], row["join_web_url"]) == ("already_enrolled", None)
    assert "the service shows no link" in row["error"]
    assert report.links_missing == 1
    assert books_links() == before
    assert calls("$batch") == []


NAMES_THE_EVENT = {"The meeting is 'Open to everyone', from 2027-03-01T09:00:00Z to 2027-03-01T10:00:00Z."}


def test_progress_of_a_long_run_is_logged_and_names_nobody(run, emulator, caplog):
    caplog.set_level(logging.INFO, logger="airflow_provider_teams_registration")

    run(people(1200), max_parallel_requests=1, progress_every=0.0)

    progress = [message for message in caplog.messages if message not in NAMES_THE_EVENT]
    told = list(dict.fromkeys(message.split(", about ")[0] for message in progress))
    # One write to the ledger, and one log line, may serve several answers.
    steps = [f"{number:,} of 1,200 registrants done" for number in range(20, 1201, 20)]
    assert told == [step for step in steps if step in told]
    assert len(told) > 10
    assert progress[-1] == "1,200 of 1,200 registrants done, about 0 s left."
    assert "person" not in caplog.text


def test_short_run_logs_no_progress(run, caplog):
    caplog.set_level(logging.INFO, logger="airflow_provider_teams_registration")

    run(people(60))

    assert set(caplog.messages) <= NAMES_THE_EVENT


def test_logs_at_their_most_talkative_hold_no_person_link_or_token(run, graph_session, emulator, caplog):
    caplog.set_level(logging.DEBUG)
    emulator.add_fault(REGISTRANTS, registrant_id="CANARY 1", status=400, message="Registrant CANARY 1 is bad.")
    emulator.add_fault(REGISTRANTS, registrant_id="CANARY 2", status=429, retry_after="0")
    emulator.add_fault(REGISTRANTS, registrant_id="CANARY 3", status=503, message="CANARY 3 is down.")

    emulator.add_fault(REGISTRANTS, registrant_id="CANARY 4", drop=True, when="after")

    report = run([{"id": f"CANARY {n}", "email": "CANARY@example.org"} for n in range(30)], settle_after=0.1)

    assert report.counts == {"enrolled": 29, "rejected": 1}
    assert "Graph answered 200 to a POST" in caplog.text
    assert "CANARY" not in caplog.text
    assert "meetup-join" not in caplog.text
    assert graph_session.token().value not in caplog.text
    assert emulator.client_secret not in caplog.text


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


def test_wait_of_an_hour_is_not_waited_out(run, enrolled, emulator, calls):
    emulator.add_fault("POST $batch", status=429, retry_after="3600", times=0)

    report = run(people(1000))

    assert report.counts == {"not_sent": 1000}
    assert all(refused.transient for refused in those(report, "not_sent"))
    assert len(calls("$batch")) <= 8
    assert isinstance(report.aborted_by, DeferRequested)
    assert report.aborted_by.seconds == 3600
