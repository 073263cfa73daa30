from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_teams_registration.operators.storable import refuse_unstorable, refuse_unstorable_in_ledger

pytestmark = pytest.mark.airflow


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (float("nan"), "NaN in column 'city', which XCom cannot hold; make None of it"),
        (float("-inf"), "an infinite number"),
        (Decimal("NaN"), "a Decimal with NaN"),
        ({"a": [float("nan")]}, "NaN"),
        ("\ud800canary", "half a surrogate pair"),
        ("canary\0", "a NUL character"),
        (2**63, "a whole number beyond 64 bits"),
        ({(1, 2): 2}, "a dict with a key that is no text"),
        ({1: 2}, "a key that is no text"),
        (b"canary", "a bytes"),
    ],
    ids=str,
)
def test_what_xcom_cannot_hold_is_named_by_row_column_and_kind(value, named):
    with pytest.raises(ValueError, match="row 2 holds") as caught:
        refuse_unstorable([{"id": "ada"}, {"id": "grace", "city": value}])
    assert named in str(caught.value)
    assert "in column 'city'" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_what_xcom_can_hold_passes():
    refuse_unstorable(
        [{"id": "ada", "city": "Zürich 😀", "n": 2**63 - 1, "x": 1.5, "y": None, "z": [{"a": (1,)}]}, "id"]
    )


def test_what_the_ledger_cannot_hold_is_named_too():
    with pytest.raises(ValueError, match="row 2 holds a dict with a key that is no text in column 'city', which the"):
        refuse_unstorable_in_ledger([{"id": "ada", "city": b"1"}, {"id": "grace", "city": {(1, 2): 2}}])
