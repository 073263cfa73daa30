"""Which rows are registrants, and why the others are none."""

from collections import namedtuple
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.events.base import Registrant
from airflow_provider_teams_registration.events.online_meeting_row import read_registrant
from airflow_provider_teams_registration.events.registrant import RegistrantReader

CANARY = "CANARY@example.org"
TENANT, USER = "some-tenant", "some-user"


def reader(allowed_registrant="everyone"):
    def read_row(position, row):
        registrant = read_registrant(row, allowed_registrant)
        return Registrant(position, row, registrant.id, registrant)

    return RegistrantReader(read_row)


def read_registrants(rows, allowed_registrant):
    return reader(allowed_registrant).read(rows)


def people(rows, allowed_registrant="everyone"):
    return [found.key for found in read_registrants(rows, allowed_registrant).valid]


def refusal(row, allowed_registrant="everyone"):
    """Why a row is refused; that everybody else is not belongs to it."""
    other = {"id": "other"}
    if allowed_registrant == "organization":
        other |= {"tenant_id": TENANT, "user_id": USER}
    read = read_registrants([row, other], allowed_registrant)
    assert [found.key for found in read.valid] == ["other"]
    (refused,) = read.invalid
    assert refused.position == 1
    assert refused.outcome is Outcome.INVALID
    assert refused.join_web_url is None
    assert not refused.transient
    return refused.error


@pytest.mark.parametrize(
    ("row", "registrant_id"),
    [
        ({"id": "a"}, "a"),
        ("a", "a"),
        ({"id": 7}, "7"),
        (7, "7"),
        (0, "0"),
        (-7, "-7"),
        (10**30, "1" + "0" * 30),
        (" with spaces ", " with spaces "),
        ({"id": UUID(int=7)}, "00000000-0000-0000-0000-000000000007"),
        ("NULL", "NULL"),
        (MappingProxyType({"id": "a"}), "a"),
        (Decimal("7"), "7"),
        (Decimal("7.00"), "7"),
        ("\U0001f600", "\U0001f600"),
        ("...", "..."),
    ],
)
def test_dict_or_plain_id_is_a_registrant(row, registrant_id):
    assert people([row]) == [registrant_id]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({}, "id missing"),
        ({"email": CANARY}, "id missing (the columns that came: email)"),
        ({"id": None}, "id is empty"),
        ({"id": ""}, "id is empty"),
        ({"id": " \t\n"}, "id is empty"),
        (None, "id is empty"),
        ("", "id is empty"),
        ({"id": True}, "id is a bool; it must be a string or a whole number"),
        (False, "id is a bool; it must be a string or a whole number"),
        ({"id": 7.0}, "id is a float; it must be a string or a whole number"),
        ({"id": float("nan")}, "id is a float; it must be a string or a whole number"),
        ({"id": Decimal("7.5")}, "id is a Decimal; it must be a string or a whole number"),
        ({"id": [CANARY]}, "id is a list; it must be a string or a whole number"),
        ({"id": {"id": CANARY}}, "id is a dict; it must be a string or a whole number"),
        ({"id": b"CANARY"}, "id is a bytes; it must be a string or a whole number"),
        ({"id": Decimal("nan")}, "id is a Decimal; it must be a string or a whole number"),
        ("CANARY\0", "id holds a character that no database can (a NUL, or half of a surrogate pair)"),
        ("CANARY\ud83d", "id holds a character that no database can (a NUL, or half of a surrogate pair)"),
        (".", "id is a dot or two, which cannot be part of an address, so nobody could cancel the person"),
        ("..", "id is a dot or two, which cannot be part of an address, so nobody could cancel the person"),
    ],
)
def test_row_without_a_usable_id_is_refused(row, sentence):
    assert refusal(row) == sentence


def test_number_of_more_digits_than_python_writes_is_refused():
    assert refusal({"id": 10**5000}) == "id is a number of too many digits"


@pytest.mark.parametrize("row", [(CANARY, "Ada"), [CANARY], {CANARY}, namedtuple("Row", "id")(CANARY)])
def test_row_that_is_no_dict_says_how_to_get_dicts(row):
    said = refusal(row)

    assert said.startswith(f"the row is a {type(row).__name__}; it must be a dict of column and value, or a plain id")
    assert "a handler can return dicts" in said
    assert "CANARY" not in said


@pytest.mark.parametrize("column", ["outcome", "join_web_url", "error"])
def test_column_that_the_result_adds_is_refused(column):
    assert refusal({"id": CANARY, column: None}) == f"the column '{column}' is one that the result adds; rename it"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({}, "tenant_id and user_id missing (the columns that came: id)"),
        ({"tenant_id": TENANT}, "user_id missing (the columns that came: id and tenant_id)"),
        ({"userId": USER}, "tenant_id missing (the columns that came: id and userId)"),
        ({"tenant_id": "", "user_id": USER}, "tenant_id missing (the columns that came: id, tenant_id and user_id)"),
        ({"tenant_id": TENANT, "user_id": None}, "user_id missing (the columns that came: id, tenant_id and user_id)"),
    ],
)
def test_organization_needs_tenant_and_user(row, sentence):
    said = refusal({"id": CANARY, **row}, "organization")

    assert said == f"{sentence}; a registration for the organization needs both"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            {"tenant_id": TENANT, "user_id": USER},
            "tenant_id and user_id given; a registration for everyone takes only the id",
        ),
        ({"tenantId": TENANT}, "tenant_id given; a registration for everyone takes only the id"),
        ({"user_id": USER}, "user_id given; a registration for everyone takes only the id"),
    ],
)
def test_everyone_takes_neither_tenant_nor_user(row, sentence):
    assert refusal({"id": CANARY, **row}) == sentence


@pytest.mark.parametrize("empty", [None, ""])
def test_empty_tenant_and_user_are_none(empty):
    assert people([{"id": "a", "tenant_id": empty, "userId": empty}]) == ["a"]


@pytest.mark.parametrize(
    "row",
    [
        {"tenant_id": TENANT, "user_id": USER},
        {"tenantId": TENANT, "userId": USER},
        {"tenant_id": TENANT, "tenantId": TENANT, "user_id": None, "userId": USER},
    ],
)
def test_both_spellings_are_understood(row):
    (found,) = read_registrants([{"id": "a", **row}], "organization").valid

    assert (found.body.tenant_id, found.body.user_id) == (TENANT, USER)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"tenant_id": "CANARY", "tenantId": "other", "user_id": USER}, "tenant_id and tenantId contradict each other"),
        ({"tenant_id": TENANT, "user_id": "CANARY", "userId": "other"}, "user_id and userId contradict each other"),
    ],
)
def test_contradictory_spellings_are_refused(row, sentence):
    assert refusal({"id": "a", **row}, "organization") == sentence


def test_equal_rows_count_once():
    rows = [{"id": "a", "email": "x"}, {"id": "b"}, {"email": "x", "id": "a"}, {"id": "a", "email": "x"}]

    read = read_registrants(rows, "everyone")

    assert [(found.position, found.key) for found in read.valid] == [(1, "a"), (2, "b")]
    assert read.invalid == []
    assert read.repeated == 2


def test_plain_ids_that_are_equal_count_once():
    read = read_registrants(["a", "b", "a", {"id": "b"}], "everyone")

    assert [found.key for found in read.valid] == ["a", "b"]
    assert read.repeated == 2


def test_equal_rows_count_once_though_nan_stands_in_them():
    read = read_registrants([{"id": "a", "seat": float("nan")}, {"id": "a", "seat": float("nan")}], "everyone")

    assert [found.key for found in read.valid] == ["a"]
    assert read.repeated == 1


def test_different_rows_with_one_id_are_both_refused_by_position():
    rows = [{"id": "x"}, {"id": CANARY, "seat": 1}, {"id": "y"}, {"id": CANARY, "seat": 2}, {"id": CANARY, "seat": 3}]

    read = read_registrants(rows, "everyone")

    assert [found.key for found in read.valid] == ["x", "y"]
    assert [refused.position for refused in read.invalid] == [2, 4, 5]
    assert {refused.error for refused in read.invalid} == {"rows 2, 4, 5 name the same registrant but differ"}
    assert len({refused.reason for refused in read.invalid}) == 1


def test_rows_that_come_in_parts_are_counted_on_and_compared_with_earlier_ones():
    parts = reader()

    first = parts.read([{"id": "a"}, {"id": "b", "seat": 1}, {}])
    then = parts.read([{"id": "c"}, {"id": "a"}, {"id": "b", "seat": 2}, {"id": "c"}])

    assert [(found.position, found.key) for found in first.valid] == [(1, "a"), (2, "b")]
    assert [(found.position, found.key) for found in then.valid] == [(4, "c")]
    assert then.repeated == 2
    (refused,) = then.invalid
    assert refused.position == 6
    assert refused.error == "rows 2 and 6 name the same registrant but differ; the first one counts"


def test_number_and_text_that_mean_one_id_are_the_same_id():
    read = read_registrants([{"id": 7, "seat": 1}, {"id": "7", "seat": 2}], "everyone")

    assert read.valid == []
    assert [refused.position for refused in read.invalid] == [1, 2]


def test_ids_that_differ_in_case_or_spaces_are_different_people():
    assert people(["a", "A", "a "]) == ["a", "A", "a "]


def test_order_of_rows_is_kept():
    assert people(["c", "a", "b"]) == ["c", "a", "b"]


def test_generator_is_read():
    assert people({"id": str(n)} for n in range(3)) == ["0", "1", "2"]


def test_counts_add_up_to_the_input():
    rows = ["a", "a", {"id": "b", "x": 1}, {"id": "b", "x": 2}, {"id": "b", "x": 1}, None, ("t",), "c", {"id": 1.5}]

    read = read_registrants(rows, "everyone")

    assert len(read.valid) + len(read.invalid) + read.repeated == len(rows)


def test_people_do_not_show_in_what_is_printed():
    read = read_registrants([{"id": CANARY, "email": CANARY}, {"id": 1.5, "email": CANARY}], "everyone")

    assert "CANARY" not in repr(read)


def test_input_rows_stay_as_they_were():
    row = {"id": 7, "tenantId": None}

    (found,) = read_registrants([row], "everyone").valid

    assert found.row is row
    assert row == {"id": 7, "tenantId": None}
