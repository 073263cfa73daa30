"""Rows that were too many for XCom come back from the ledger as they can be read."""

import json
from collections import UserDict
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.row_json import LONGEST_ROW, NotJson, row_json


def row_mapping():
    with sa.create_engine("sqlite://").connect() as connection:
        return connection.execute(sa.text("SELECT 'ada' AS id, 'Zürich 😀' AS city")).mappings().one()


@dataclass
class Odd:
    name: str = "canary"


class Cyclic(list):
    def __init__(self):
        super().__init__([self])


@pytest.mark.parametrize(
    "row",
    [row_mapping(), MappingProxyType(dict(row_mapping())), UserDict(row_mapping()), dict(row_mapping())],
    ids=lambda row: type(row).__name__,
)
def test_every_mapping_comes_back_as_a_row(row, open_ledger):
    ledger = open_ledger()
    ledger.start_attempt("event")
    ledger.write_results([(1, "ada", row, Outcome.REJECTED, None), (2, None, {"of": [row]}, Outcome.INVALID, None)])

    found = open_ledger().read_results(ledger.run_key, ledger.attempt, 0, 10)

    ours = {"id": "ada", "city": "Zürich 😀"}
    assert found == [
        {**ours, "outcome": "rejected", "join_web_url": None, "error": None},
        {"of": [ours], "outcome": "invalid", "join_web_url": None, "error": None},
    ]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (2**80, 2**80),
        ("\0\ud800", "\0\ud800"),
        (Decimal("1.10"), "1.10"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, tzinfo=timezone.utc), "2026-01-02 00:00:00+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Outcome.ENROLLED, "enrolled"),
        ((1, {"a": (2,)}), [1, {"a": [2]}]),
        ({3}, [3]),
        ("Zürich".encode(), "Zürich"),
        (memoryview(b"a"), "a"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_kept_as_it_can_be_read(value, kept):
    assert json.loads(row_json({"column": value})) == {"column": kept}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (10**5000, "a number with too many digits"),
        ([10**5000], "a number with too many digits"),
        (float("nan"), "NaN"),
        ([float("inf")], "an infinite number"),
        (b"\xff", "bytes that are no UTF-8 text"),
        ({1: 2}, "a dict with a key that is no text"),
        (object(), "an object"),
        (Odd(), "an Odd"),
        (Cyclic(), "a value that holds itself, or is nested too deep"),
        ("x" * LONGEST_ROW, "more than 4,000,000 characters"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_could_not_be_read_back_is_refused_by_kind(value, kind, open_ledger):
    with pytest.raises(NotJson) as caught:
        row_json({"id": "ada", "column": value})
    ledger = open_ledger()
    ledger.start_attempt("event")
    with pytest.raises(LedgerFailure) as failed:
        ledger.write_results([(7, "ada", {"column": value}, Outcome.ENROLLED, None)])

    assert caught.value.kind.lower() == kind.lower()
    assert str(failed.value).lower().startswith(f"row 7 holds {kind.lower()}")
    assert not failed.value.transient
    assert "canary" not in str(failed.value)
