"""What a cell answers to a question, whichever type a database or a spreadsheet gives it."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.webinar.question_answers import read_answer
from airflow_provider_teams_registration.graph.webinar_bodies import Question

SECRET = "a person's secret"
TEXT = Question("q", "Your phone?", False, "text")
SINGLE = Question("q", "Which hall?", False, "singleChoice", ("1", "2", "Straße", "Don't know", "İstanbul"))
MULTI = Question("q", "Which days?", False, "multiChoice", ("Monday", "Tuesday; late", "[Friday]", "3"))
BOOLEAN = Question("q", "May we write?", False, "boolean")
EVERY = pytest.mark.parametrize("question", [TEXT, SINGLE, MULTI, BOOLEAN], ids=lambda one: one.input_type)


class NotAvailable:
    """As a frame has it: it does not even say whether it equals itself."""

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = object.__hash__

    def __repr__(self):
        # The tests' names, which must not change from process to process.
        return "NA"


NotAvailable.__name__ = "NAType"


class NotATime(date):
    """A frame's NaT, which is a date and differs from itself."""

    def __ne__(self, other):
        return True

    __hash__ = date.__hash__


def answered(question, value):
    answer = read_answer(question, value)
    assert answer.pop("questionId") == "q"
    (said,) = answer.values()
    return said


def why_invalid(question, value):
    with pytest.raises(InvalidRow) as caught:
        read_answer(question, value)
    assert SECRET not in str(caught.value)
    assert repr(question.display_name) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (447911123456.0, "447911123456"),
        (Decimal("447911123456.00"), "447911123456"),
        (Decimal("1E+3"), "1000"),
        (1e22, "10000000000000000000000"),
        (-2.0, "-2"),
        (0.0, "0"),
        (7, "7"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.50"),
        (Fraction(4, 2), "2"),
        (True, "True"),
        (b"Z\xc3\xbcrich", "Zürich"),
        (bytearray(b"a"), "a"),
        (memoryview(b"a"), "a"),
        (date(2026, 1, 2), "2026-01-02"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ],
)
def test_value_is_written_as_people_write_it(value, text):
    assert answered(TEXT, value) == text


@EVERY
@pytest.mark.parametrize(
    "value",
    [
        None,
        float("nan"),
        Decimal("NaN"),
        Decimal("sNaN"),
        NotAvailable(),
        NotATime(1, 1, 1),
        "",
        " \u200b",
        [],
        {},
        b"",
    ],
    ids=ascii,
)
def test_what_says_nothing_is_no_answer(question, value):
    assert read_answer(question, value) is None


@EVERY
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (float("inf"), "an infinite number"),
        (Decimal("-Infinity"), "an infinite number"),
        (b"\xff\xfe", "bytes that are no UTF-8"),
        ({"a": SECRET}, "a dict"),
        (iter([SECRET]), "a list_iterator"),
        (object(), "a object"),
        (10**5000, "a number of too many digits"),
        (Decimal("1E+999999"), "a number of too many digits"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_nobody_would_write_down_is_refused(question, value, kind):
    said = why_invalid(question, value)

    assert kind in said if question is not BOOLEAN else "must be yes or no" in said


@pytest.mark.parametrize("value", [[SECRET], (SECRET,), {SECRET}])
@pytest.mark.parametrize("question", [TEXT, SINGLE])
def test_list_answers_no_question_for_one_answer(question, value):
    assert "takes one answer" in why_invalid(question, value)


@pytest.mark.parametrize("value", [[[SECRET]], [{"a": SECRET}], [["Monday"], "3"]])
def test_nested_list_is_no_choice(value):
    why_invalid(MULTI, value)


@pytest.mark.parametrize(
    "value", [True, "t", "T", "true", "on", "ON", "yes", "y", 1, 1.0, Decimal("1.0"), b"\x01", b"\0\x01"]
)
def test_yes_in_what_databases_and_forms_give(value):
    assert answered(BOOLEAN, value) is True


@pytest.mark.parametrize(
    "value", [False, "f", "F", "false", "off", "no", "N", 0, 0.0, Decimal("0.00"), b"\x00", b"\0\0"]
)
def test_no_in_what_databases_and_forms_give(value):
    assert answered(BOOLEAN, value) is False


@pytest.mark.parametrize("value", [SECRET, 2, -1, 0.5, "2", b"\x02", b"\x01\x01", [True], {"a": 1}, "tt"])
def test_what_is_neither_yes_nor_no_is_refused(value):
    assert "must be yes or no" in why_invalid(BOOLEAN, value)


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        (1.0, "1"),
        (Decimal("2.0"), "2"),
        (b"2", "2"),
        ("STRASSE", "Straße"),
        ("strasse", "Straße"),
        ("Don\u2019t\u00a0know", "Don't know"),
        ("istanbul", "İstanbul"),
        ("ISTANBUL", "İstanbul"),
        ("\u0131stanbul", "İstanbul"),
        ("I\u0307stanbul", "İstanbul"),
        ("Stra\u00adße", "Straße"),
    ],
    ids=ascii,
)
def test_choice_is_compared_as_people_read_it(value, choice):
    assert answered(SINGLE, value) == choice


def test_choice_that_fits_exactly_wins_over_one_that_reads_alike():
    question = Question("q", "Which?", False, "singleChoice", ("Strasse", "Straße"))

    assert answered(question, "Straße") == "Straße"
    assert answered(question, "strasse") == "Strasse"
    assert "fits several of its choices: Strasse, Straße" in why_invalid(question, "STRA\u00adSSE")


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        ("Tuesday; late", ["Tuesday; late"]),
        (" tuesday;  LATE", ["Tuesday; late"]),
        ("[Friday]", ["[Friday]"]),
        ('["Monday", "Tuesday; late"]', ["Monday", "Tuesday; late"]),
        ('[3, null, "Monday"]', ["Monday", "3"]),
        ("[3.0]", ["3"]),
        ("Monday;3", ["Monday", "3"]),
        (["Monday", 3.0], ["Monday", "3"]),
        (3.0, ["3"]),
        (frozenset({"Monday"}), ["Monday"]),
        ("[Friday];Monday", ["Monday", "[Friday]"]),
    ],
)
def test_whole_text_comes_before_lists_json_and_semicolons(value, chosen):
    assert answered(MULTI, value) == chosen


@pytest.mark.parametrize(
    "value", ["[" * 100_000, '[["Monday"]]', '[{"a": 1}]', '["Sunday"]', "[Infinity]", "Monday;Sunday"]
)
def test_list_that_holds_something_else_is_refused(value):
    why_invalid(MULTI, value)


@pytest.mark.parametrize("value", ["[]", "[null]", ";", " ; "])
def test_choosing_nothing_is_no_answer(value):
    assert read_answer(MULTI, value) is None


@given(
    st.sampled_from([TEXT, SINGLE, MULTI, BOOLEAN]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=10,
    ),
)
def test_any_value_is_an_answer_or_none_or_invalid(question, value):
    try:
        answer = read_answer(question, value)
    except InvalidRow:
        return
    if answer is not None and "value" in answer:
        assert answer["value"] not in ("nan", "inf", "-inf", "NaN", "None")
