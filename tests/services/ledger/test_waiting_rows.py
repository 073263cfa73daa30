"""The input rows that a SQL ledger keeps while a task is deferred come back whole and unchanged, or not at all."""

import datetime
import decimal

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.exceptions import Fenced
from tests.services.ledger.kinds import EVENT, OTHER_RUN, begun, every_database

ROWS = [
    {"id": "ada", "vip": True, "number": 1},
    {"id": "\0\ud800 ' \\ \U0001f600", "vip": 1, "number": -0.0},
    {"id": "bob", "vip": None, "number": 2**70, "nested": [{"x": [1, 1.0, "1"]}]},
]
SQLITE = pytest.mark.parametrize("place", ["SQLite"], indirect=True)


def kept(place, ledger):
    return place.ledger(ledger.run).load_input(EVENT, ledger.attempt)


@every_database
def test_rows_come_back_with_the_same_values_of_the_same_types(place):
    ledger = begun(place)

    assert ledger.save_input(ROWS)

    assert repr(kept(place, ledger)) == repr(ROWS)
    assert place.ledger(OTHER_RUN).load_input(EVENT, ledger.attempt) is None


@every_database
@pytest.mark.parametrize("gone", [[1], [2], [3], [2, 3], [3, 4], [4], [1, 2, 3], [1, 2, 3, 4]])
def test_rows_of_which_some_are_gone_are_not_taken_for_all(place, gone):
    ledger = begun(place)
    ledger.save_input(ROWS)

    with place.engine().begin() as connection:
        listed = ", ".join(map(str, gone))
        connection.execute(sa.text(f"DELETE FROM {place.table}_rows WHERE position IN ({listed})"))

    assert kept(place, ledger) is None


@SQLITE
@pytest.mark.parametrize(
    "change",
    [
        "row_json = 'no JSON' WHERE position = 2",
        "row_json = '[]' WHERE position = 2",
        "outcome = 'enrolled' WHERE position = 3",
        "outcome = 'input' WHERE position = 4",
        "position = 9 WHERE position = 4",
        "run_key = 'another' WHERE position = 3",
    ],
)
def test_rows_that_somebody_changed_into_no_rows_are_not_taken(place, change):
    ledger = begun(place)
    ledger.save_input(ROWS)

    with place.engine().begin() as connection:
        connection.execute(sa.text(f"UPDATE {place.table}_rows SET {change}"))

    assert kept(place, ledger) is None


@SQLITE
@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        b"bytes",
        memoryview(b"bytes"),
        decimal.Decimal(1),
        datetime.date(2026, 1, 1),
        (1, 2),
        {1, 2},
        {"inner": {1: 2}},
        10**5000,
        [10**5000],
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_json_changes_are_not_kept(place, value):
    ledger = begun(place)

    assert not ledger.save_input([{"id": "ada", "value": value}])

    assert place.select("_rows") == []


@SQLITE
def test_another_attempt_in_between_ends_what_was_kept(place):
    ledger = begun(place)
    ledger.save_input(ROWS)
    newer = begun(place)

    assert kept(place, ledger) is None
    assert kept(place, newer) is None
    with pytest.raises(Fenced):
        ledger.save_input(ROWS)
    assert place.select("_rows") == []


@SQLITE
def test_rows_of_a_second_deferral_replace_those_of_the_first(place):
    ledger = begun(place)
    ledger.save_input(ROWS)
    ledger.save_input(ROWS[:1])

    assert kept(place, ledger) == ROWS[:1]
