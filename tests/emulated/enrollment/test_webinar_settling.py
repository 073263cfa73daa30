"""Graph says nothing to an application that registers people: everything is read back."""

import time
from collections import Counter

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from tests.emulated.enrollment.webinar_people import (
    NEXT_RUN,
    REGISTRATIONS,
    RUN,
    emails,
    every_duplicate,
    links,
    people,
)


@pytest.mark.parametrize("number", [3, 25])
def test_late_registrations_are_waited_for(number, register_all, emulator, live_links, sent):
    emulator.set_switches(visibility_lag=0.5)

    report = register_all(people(number), settle_after=5)

    assert report.counts == {"enrolled": number}
    assert links(report) == live_links()
    assert len(sent()) == number


def test_registration_that_never_shows_is_unknown_and_not_sent_again(register_all, emulator, sent, live_links):
    emulator.set_switches(visibility_lag=60)

    report = register_all(people(2), settle_after=0.3)

    assert report.counts == {"unknown": 2}
    assert "does not show it yet" in report.rows()[0]["error"]
    assert len(sent()) == 2
    emulator.set_switches(visibility_lag=0)
    again = register_all(people(2), as_run=NEXT_RUN)
    assert again.counts == {"enrolled": 2}
    assert links(again) == live_links()
    assert len(sent()) == 2


@pytest.mark.parametrize("when", ["left unknown", "stopped", "killed"])
def test_person_whom_the_service_took_is_not_sent_again_by_any_later_attempt(
    when, register_all, emulator, sent, live_links, open_event, open_ledger, monkeypatch
):
    emulator.set_switches(visibility_lag=60, duplicate="second_record")
    event, ledger = open_event(), open_ledger(RUN)
    find = event.find

    def aborted_by(*_):
        raise RuntimeError

    def find_at_first_only(registrants, control=None):
        if not sent() or when == "left unknown":
            return find(registrants, control)
        if when == "killed":
            monkeypatch.setattr(ledger, "write", aborted_by)
        return aborted_by()

    monkeypatch.setattr(event, "find", find_at_first_only)
    assert register_all(people(2), on=event, ledger=ledger, settle_after=0.1).counts == {"unknown": 2}
    assert len(sent()) == 2

    for run in (RUN, RUN, NEXT_RUN):
        time.sleep(0.15)
        report = register_all(people(2), as_run=run, settle_after=0.1)
        assert report.counts == {"unknown": 2}
        assert "does not show it yet" in report.rows()[0]["error"]

    assert len(sent()) == 2
    emulator.set_switches(visibility_lag=0)
    assert links(register_all(people(2), as_run=NEXT_RUN)) == live_links()


LOST = {
    "dropped": {"route": "POST $batch", "drop": True},
    "503": {"route": "POST $batch", "status": 503},
    "half an answer": {"route": "POST $batch", "half": True},
    "left out": {"route": REGISTRATIONS, "registrant_id": "crm 1", "omit": True},
}


@every_duplicate
@pytest.mark.parametrize(
    ("how", "lag"), [*[(how, 0) for how in LOST], ("dropped", 0.15), ("left out", 0.15)], ids=lambda value: str(value)
)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.usefixtures("no_backoff")
def test_lost_answer_leaves_everybody_registered_once_with_their_own_link(
    duplicate, lag, how, when, register_all, emulator, live_links, sent, open_event
):
    emulator.set_switches(duplicate=duplicate, visibility_lag=lag)
    fault = LOST[how]
    # More than one fits the list: the first batch is the registering.
    rows = people(21) if fault["route"] == "POST $batch" else people(5)
    emulator.add_fault(**{**fault, "when": when})

    report = register_all(rows, settle_after=0.35 if lag else 0.05)

    assert report.counts == {"enrolled": len(rows)}
    assert links(report) == live_links()
    assert set(links(report)) == set(emails(rows))
    asked = Counter(sent())
    assert all(asked[row["id"]] <= 1 + (when == "before") for row in rows)


@every_duplicate
def test_answers_lost_twice_in_a_row_leave_everybody_registered_once(duplicate, register_all, emulator, live_links):
    emulator.set_switches(duplicate=duplicate)
    emulator.add_fault(REGISTRATIONS, registrant_id="crm 0", omit=True, when="after", times=2)
    emulator.add_fault(REGISTRATIONS, registrant_id="crm 1", status=503, when="before", times=2)

    report = register_all(people(5), settle_after=0.05)

    assert report.counts == {"enrolled": 5}
    assert links(report) == live_links()


@every_duplicate
def test_person_whom_somebody_else_registers_after_we_looked_is_there_once(
    duplicate, register_all, emulator, open_event, put_on, monkeypatch
):
    emulator.set_switches(duplicate=duplicate, visibility_lag=0.2)
    event = open_event()
    enroll = event.enroll

    def overtaken(registrants):
        put_on("person1@example.org")
        monkeypatch.undo()
        return enroll(registrants)

    monkeypatch.setattr(event, "enroll", overtaken)

    report = register_all(people(3), on=event, settle_after=0.6)

    assert all(links(report)[email] for email in ("person0@example.org", "person2@example.org"))
    theirs = report.enrollments[1]
    is_refused = duplicate in ("conflict", "bad_request")
    assert theirs.outcome is (Outcome.ALREADY_ENROLLED if is_refused else Outcome.ENROLLED)
    assert theirs.join_web_url


def test_row_that_the_service_does_not_like_is_not_waited_for_as_long_as_a_lost_answer(register_all, emulator, sent):
    emulator.add_fault(REGISTRATIONS, registrant_id="crm 1", status=400, code="Odd")
    began = time.monotonic()

    report = register_all(people(2), settle_after=60)

    assert report.counts == {"enrolled": 1, "rejected": 1}
    assert "400 Odd" in report.rows()[1]["error"]
    assert time.monotonic() - began < 10
    assert len(sent()) == 2
