"""Links that cannot be the person's own: nobody is handed one, and reading settles what became of them."""

import json

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.ledger.memory import MemoryLedger

REGISTRANTS = "POST registration/registrants"
PEOPLE = [f"person {number}" for number in range(6)]
NO_LINKS = {
    "plain http": "http://teams.example.com/l/meetup-join/1",
    "script": "javascript:alert(1)",
    "user info": "https://teams.example.com:secret@evil.example/1",
    "no host": "https:///l/meetup-join/1",
    "white space": "https://teams.example.com/l/meetup join",
    "line break": "https://teams.example.com/l/\nmeetup-join",
    "backslash": "https:\\\\teams.example.com\\l",
    "too long": "https://teams.example.com/" + "x" * 40_000,
    "number": 5,
    "list": ["https://teams.example.com/l/1"],
    "bad port": "https://teams.example.com:abc/l",
}


def links(report):
    return {row["id"]: row["join_web_url"] for row in report.rows() if row["join_web_url"]}


def answer_of(registrant_id, link):
    return json.dumps({"id": registrant_id, "joinWebUrl": link})


@pytest.mark.parametrize("link", NO_LINKS.values(), ids=NO_LINKS)
def test_what_is_no_link_is_not_handed_on(link, enroll_all, emulator, books_links):
    emulator.add_fault(REGISTRANTS, registrant_id=PEOPLE[1], when="after", body=answer_of(PEOPLE[1], link))

    report = enroll_all(PEOPLE, settle_after=0.05)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == books_links()


@pytest.mark.parametrize("how", ["swap", "rotate", "same", "repeat", "reverse"])
@pytest.mark.parametrize("duplicate", ["same", "new_link", "conflict", "bad_request", "second_record"])
def test_answers_that_changed_places_swap_nobodys_link(how, duplicate, enroll_all, emulator, books_links):
    emulator.set_switches(duplicate=duplicate)
    emulator.add_fault("POST $batch", answers=how)

    report = enroll_all(PEOPLE, settle_after=0.05)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == books_links()


def test_answer_that_names_somebody_else_is_not_believed(enroll_all, emulator, books_links):
    other = answer_of("person 99", "https://teams.example.com/l/of-99")
    emulator.add_fault(REGISTRANTS, registrant_id=PEOPLE[0], when="after", body=other)

    report = enroll_all(PEOPLE, settle_after=0.05)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == books_links()


def test_one_link_for_everybody_is_nobodys(enroll_all, emulator):
    body = json.dumps({"joinWebUrl": "https://teams.example.com/l/everybody"})
    emulator.add_fault(REGISTRANTS, when="after", body=body, times=0)

    report = enroll_all(PEOPLE, settle_after=0.05)

    assert links(report) == {}
    assert "enrolled" not in {row["outcome"] for row in report.rows() if not row["error"]}
    assert report.unknown or report.links_missing


@pytest.mark.parametrize("ledger", [MemoryLedger, None], ids=["memory", "SQL"])
def test_link_of_another_person_of_the_run_is_not_handed_on_again(ledger, enroll_all, emulator, books_links):
    emulator.add_fault(
        REGISTRANTS, registrant_id="person 30", when="after", body='{"joinWebUrl": "https://teams.example.com/l/x"}'
    )
    emulator.add_fault(
        REGISTRANTS, registrant_id="person 3", when="after", body='{"joinWebUrl": "https://teams.example.com/l/x"}'
    )

    report = enroll_all(
        [f"person {number}" for number in range(40)],
        ledger=ledger and ledger(),
        settle_after=0.05,
        max_parallel_requests=1,
    )

    handed_on = links(report)
    assert len(set(handed_on.values())) == len(handed_on) == 40
    real = books_links()
    # One of the two may hold the link: nothing tells that it is not theirs.
    assert sum(handed_on[name] != real[name] for name in real) <= 1


def test_link_that_the_ledger_holds_for_somebody_else_is_not_handed_on(enroll_all, open_ledger, emulator, books_links):
    link = "https://teams.example.com/l/theirs"
    earlier = open_ledger(TaskRun("dag", "run 0", "enroll"))
    earlier.start_attempt(emulator.meeting_id)
    earlier.write([RegistrationRecord("somebody", "f" * 32, Outcome.ENROLLED, join_web_url=link)])
    emulator.add_fault(REGISTRANTS, registrant_id=PEOPLE[1], when="after", body=answer_of(PEOPLE[1], link))

    report = enroll_all(PEOPLE, settle_after=0.05)

    assert report.counts == {"enrolled": len(PEOPLE)}
    assert links(report) == books_links()
    assert link not in links(report).values()
