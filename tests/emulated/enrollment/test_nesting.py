"""A row with a value that is nested too deep, or within itself, is invalid, and the others go on."""

import json

import pytest

from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.enrollment.status import fetch_status
from airflow_provider_teams_registration.events.nesting import MAX_DEPTH, is_too_deep
from airflow_provider_teams_registration.events.webinar.event import WebinarEvent
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.write_quota import WriteQuota
from airflow_provider_teams_registration.ledger.memory import MemoryLedger

CANARY = "CANARY"


def nested(depth, innermost=CANARY):
    value = innermost
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def in_itself():
    value = [CANARY]
    value.append({"a": value})
    return value


def widely_shared():
    """As wide as 2 ** 40 lists, in 40 of them."""
    value = []
    for _ in range(40):
        value = [value, value]
    return value


DEEP = {"deep": nested(100_000), "in itself": in_itself(), "a bit too deep": nested(MAX_DEPTH + 1)}
however = pytest.mark.parametrize("value", DEEP.values(), ids=list(DEEP))


@pytest.mark.parametrize("value", [*DEEP.values(), (in_itself(),), {"a": {1: nested(MAX_DEPTH)}}], ids=lambda _: "")
def test_deep_values_are_told(value):
    assert is_too_deep(value)


@pytest.mark.parametrize("value", [None, "a", 7, [], {}, [[[]]], nested(MAX_DEPTH), widely_shared(), "[" * 10_000])
def test_other_values_are_fine(value):
    assert not is_too_deep(value)


@however
def test_row_is_invalid_and_the_others_are_enrolled(value, enroll_all, enrolls):
    report = enroll_all([{"id": "a"}, {"id": "b", "custom": value}, {"id": "c", "custom": nested(3)}, value])

    assert report.counts == {"enrolled": 2, "invalid": 2}
    assert enrolls() == ["a", "c"]
    _, refused, fine, no_dict = report.rows()
    assert refused["custom"] is None
    assert refused["error"].startswith("the column 'custom' holds a value nested more than 50 levels deep")
    assert no_dict["outcome"] == "invalid"
    assert fine["custom"] == nested(3)
    assert CANARY not in report.error_summary()
    json.dumps(report.rows())


@however
def test_answers_of_a_webinars_row_may_not_be_nested_like_that(value, enroll_all, emulator, graph_session):
    row = {"email": "ada@example.org", "first_name": "Ada", "last_name": "Example"}
    event = WebinarEvent(
        Webinar(graph_session, emulator.webinar_id),
        WriteQuota(graph_session.rate_limiter, 1000, 0.001),
        preferred_timezone="Europe/Rome",
        preferred_language="en-us",
    )

    report = enroll_all([{**row, "answers": value}, {**row, "email": "grace@example.org"}], on=event, settle_after=1)

    assert report.counts == {"enrolled": 1, "invalid": 1}


@however
def test_others_are_taken_off(value, enroll_all, event, books_links):
    enroll_all(["a", "b"])

    report = cancel(event, [{"id": "a", "custom": value}, value, "b"], ledger=MemoryLedger())

    assert report.counts == {"cancelled": 1, "invalid": 2}
    assert set(books_links()) == {"a"}
    json.dumps(report.rows())


@however
def test_others_are_looked_at(value, emulator, graph_session):
    emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")
    webinar = Webinar(graph_session, emulator.webinar_id)
    rows = [{"email": "ada@example.org"}, {"email": "ada@example.org", "custom": value}]

    found = fetch_status(WebinarEvent(webinar, WriteQuota(graph_session.rate_limiter, 1000, 0.001)), webinar, rows)

    assert found.report.counts == {"enrolled": 1, "invalid": 1}
    json.dumps(found.report.rows())


def test_row_that_cannot_be_compared_is_invalid(enroll_all):
    report = enroll_all([{"id": "a", "seat": 10**5000}, {"id": "b"}])

    assert report.counts == {"enrolled": 1, "invalid": 1}
    assert "number of too many digits" in report.error_summary()


def test_rows_that_do_not_say_whether_they_are_equal_contradict_each_other(enroll_all):
    class Array:
        def __init__(self, *numbers):
            self.numbers = numbers

        def __eq__(self, other):
            raise ValueError("the truth value of an array is ambiguous")

        __hash__ = object.__hash__

        def __repr__(self):
            return f"Array{self.numbers}"

    rows = [
        {"id": "a", "x": Array(1)},
        {"id": "a", "x": Array(2)},
        {"id": "b", "x": Array(1)},
        {"id": "b", "x": Array(1)},
    ]

    report = enroll_all(rows)

    assert report.counts == {"enrolled": 1, "invalid": 2}
    assert report.repeated == 1
