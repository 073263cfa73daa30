from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_teams_registration.xcom.serializable import check_serializable, check_serializable_in_ledger

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
        check_serializable([{"id": "ada"}, {"id": "grace", "city": value}])
    assert named in str(caught.value)
    assert "in column 'city'" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_what_xcom_can_hold_passes():
    check_serializable(
        [{"id": "ada", "city": "Zürich 😀", "n": 2**63 - 1, "x": 1.5, "y": None, "z": [{"a": (1,)}]}, "id"]
    )


def test_what_the_ledger_cannot_hold_is_named_too():
    with pytest.raises(ValueError, match="row 2 holds a dict with a key that is no text in column 'city', which the"):
        check_serializable_in_ledger([{"id": "ada", "city": b"1"}, {"id": "grace", "city": {(1, 2): 2}}])


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (float("nan"), "NaN in column 'city', which the ledger cannot hold; make None of it"),
        (b"canary\xff", "bytes that are no UTF-8 text in column 'city'"),
        (object(), "an object in column 'city'"),
    ],
    ids=["NaN", "bytes", "an object"],
)
def test_what_the_ledger_could_not_give_back_is_refused_as_xcom_refuses_it(value, named):
    with pytest.raises(ValueError, match="Nothing was sent") as caught:
        check_serializable_in_ledger([{"id": "ada"}, {"id": "grace", "city": value}])
    assert f"row 2 holds {named}" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("refuse", [check_serializable, check_serializable_in_ledger])
def test_value_nested_too_deep_is_left_to_the_row_that_it_makes_invalid(refuse):
    deep = []
    for _ in range(5000):
        deep = [deep]
    in_itself = {}
    in_itself["a"] = in_itself

    refuse([{"id": "ada", "city": deep}, {"id": "grace", "city": in_itself}, deep, [in_itself]])
    with pytest.raises(ValueError, match="row 2 holds a dict with a key that is no text in column 'town'"):
        refuse([{"id": "ada", "city": deep}, {"id": "grace", "city": deep, "town": {(1, 2): 2}}])
