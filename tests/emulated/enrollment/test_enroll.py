"""People and an event in, one row per person out."""

import logging
import uuid
from collections import Counter
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.exceptions import Gone, NotFound, SettingsError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from tests.emulated.enrollment.meeting_people import REGISTRANTS, enroll_on, outcomes, people, sent, those


def test_everybody_gets_a_row_with_their_own_link_in_input_order(run, person_in_link, emulator):
    report = run(people(57))

    rows = report.rows()
    assert [row["id"] for row in rows] == [f"person {n}" for n in range(57)]
    assert [row["seat"] for row in rows] == list(range(57))
    assert [person_in_link(row["join_web_url"]) for row in rows] == [f"person {n}" for n in range(57)]
    assert {row["outcome"] for row in rows} == {"enrolled"}
    assert {row["error"] for row in rows} == {None}
    assert report.summary_line() == "57 registrants: 57 enrolled"


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
    assert report.error_summary() == "2 rejected (rows 8, 10): 400 Bad: No '…' here."
    refused = those(report, "rejected")[0]
    assert not refused.transient
    assert refused.as_row()["id"] == "person 7"
    assert refused.as_row()["join_web_url"] is None
    assert "person 7" not in refused.error
    assert len(sent(emulator, "person 7")) == 1


def test_people_with_short_ids_are_refused_for_one_readable_reason(run, emulator):
    emulator.add_fault(REGISTRANTS, status=400, code="Full", message="Limit of 1000 (of 25730) is reached.", times=0)

    report = run([1, 2, 3, 10, 25, "a", "L"])

    assert (
        report.error_summary() == "7 rejected (rows 1, 2, 3, 4, 5, …): 400 Full: Limit of 1000 (of 25730) is reached."
    )


def test_people_of_the_organization_are_enrolled(graph_session, emulator, person_in_link):
    emulator.set_switches(organization_is_one_tenant=True)
    meeting = OnlineMeeting(graph_session, emulator.organization_meeting_id, emulator.organizer_id)
    rows = [
        {"id": "a", "tenantId": emulator.tenant_id, "userId": str(uuid.uuid4())},
        {"id": "b", "tenant_id": emulator.tenant_id, "user_id": str(uuid.uuid4())},
        {"id": "c"},
        {"id": "d", "tenant_id": str(uuid.uuid4()), "user_id": str(uuid.uuid4())},
    ]

    report = enroll_on(meeting, graph_session, rows)

    assert outcomes(report) == {"a": "enrolled", "b": "enrolled", "c": "invalid", "d": "rejected"}
    records = {record.id: record.user_id for record in emulator.store.enrolled(emulator.organization_meeting_id)}
    assert records == {"a": rows[0]["userId"], "b": rows[1]["user_id"]}


@pytest.mark.parametrize("rows", [[], iter(())])
def test_nobody_at_all_makes_no_request(rows, open_session, settings, emulator):
    nowhere = open_session(replace(settings, authority="https://127.0.0.1:1", base_url="https://127.0.0.1:1"))

    report = enroll_on(OnlineMeeting(nowhere, emulator.meeting_id), nowhere, rows)

    assert report.rows() == []
    assert report.summary_line() == "0 registrants: nothing to do"


def test_nobody_valid_sends_nobody(run, emulator, calls):
    report = run([{"id": ""}, {}])

    assert report.counts == {"invalid": 2}
    assert {call.split()[0] for call in calls()} == {"GET"}


@pytest.mark.parametrize("which", ["closed_meeting_id", "no such meeting"])
def test_meeting_that_is_unknown_or_not_open_is_said_before_anybody_is_sent(which, graph_session, emulator, calls):
    meeting = OnlineMeeting(graph_session, getattr(emulator, which, which), emulator.organizer_id)

    with pytest.raises(NotFound):
        enroll_on(meeting, graph_session, people(3))

    assert calls() == ["GET registration"]


def test_retired_api_is_said_before_anybody_is_sent(run, emulator, calls, no_backoff):
    emulator.set_switches(retired="empty")

    with pytest.raises(Gone):
        run(people(3))

    assert calls() == ["GET registration"] * 4


def test_application_without_an_organizer_is_said_before_anybody_is_sent(graph_session, emulator):
    with pytest.raises(SettingsError, match="organizer_id is missing"):
        enroll_on(OnlineMeeting(graph_session, emulator.meeting_id), graph_session, people(3))

    assert emulator.store.journal == []


def test_application_that_may_only_read_is_told_so_for_everybody(run, enrolled, emulator):
    emulator.set_switches(application_may_enroll=False)

    report = run(people(3))

    assert report.counts == {"rejected": 3}
    assert "3 rejected (rows 1, 2, 3): 403 Forbidden" in report.error_summary()
    assert enrolled() == []


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
