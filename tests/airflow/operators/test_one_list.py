from __future__ import annotations

from collections import namedtuple

import pytest

from airflow_provider_teams_registration.xcom.one_list import UnreadableRegistrants, one_list

ADA, GRACE, MARY = {"id": "ada"}, {"id": "grace"}, "mary"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([[ADA, GRACE], [MARY]], id="lists of dicts beside lists of ids"),
        pytest.param([ADA, [GRACE], MARY], id="rows beside lists"),
        pytest.param([[[ADA]], [[[GRACE], [[MARY]]]]], id="lists at several depths"),
        pytest.param([None, [ADA, None, GRACE], None, [None], [MARY]], id="None in several places"),
        pytest.param([(ADA, GRACE), (MARY,)], id="tuples of rows"),
        pytest.param([[ADA], iter([GRACE]), {MARY: 1}.keys()], id="iterators and views"),
        pytest.param((one for one in [[ADA], [GRACE, MARY]]), id="a generator of lists"),
    ],
)
def test_lists_within_are_one_list_and_none_is_nobody(given):
    assert one_list(given) == [ADA, GRACE, MARY]


@pytest.mark.parametrize("given", [ADA, MARY, 7, object()], ids=["a dict", "an id", "a number", "an object"])
def test_a_row_by_itself_is_a_list_of_one(given):
    assert one_list(given) == [given]
    assert one_list([[given]]) == [given]


@pytest.mark.parametrize("given", [[], [None], [[], [None, []]]], ids=["nothing", "None", "empty lists"])
def test_a_list_of_nobody_is_empty(given):
    assert list(one_list(given)) == []


def test_a_plain_list_is_returned_itself():
    # Airflow knows by identity what is no template.
    given = [ADA, GRACE, MARY]
    assert one_list(given) is given


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([("ada", "ada@example.org"), ("grace", "grace@example.org")], id="what a cursor returns"),
        pytest.param([[("ada", None)]], id="with a NULL"),
        pytest.param([namedtuple("Row", "id email")("ada", "ada@example.org")], id="a named tuple"),
    ],
)
def test_the_columns_of_a_row_are_not_taken_for_people(given):
    with pytest.raises(UnreadableRegistrants, match="tuple of 2 values") as raised:
        one_list(given)
    assert "ada" not in str(raised.value)


def test_a_cyclic_list_is_refused():
    given: list[object] = [ADA]
    given.append(given)
    with pytest.raises(UnreadableRegistrants, match="more than 50 deep"):
        one_list(given)


class Frame:
    columns = ("id",)


def test_a_frame_within_a_list_is_refused_with_what_to_do():
    with pytest.raises(UnreadableRegistrants, match="to_dict"):
        one_list([[Frame()]])
