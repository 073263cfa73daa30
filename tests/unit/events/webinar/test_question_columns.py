"""Which question a column names, and what is said of columns that nearly name one."""

import logging

import pytest

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.webinar.row import WebinarForm
from airflow_provider_teams_registration.graph.webinar_bodies import Question

ROW = {
    "email": "ada@example.org",
    "first_name": "Ada",
    "last_name": "Example",
    "preferred_timezone": "Europe/Rome",
    "preferred_language": "en-us",
}
SECRET = "a person's secret"


def form(*wordings, **more):
    return WebinarForm([Question(f"q-{number}", one, False, "text") for number, one in enumerate(wordings)], **more)


def answers(read_by, row):
    return {answer["questionId"]: answer["value"] for answer in read_by.read({**ROW, **row}).answers}


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("wording", "column"),
    [
        ("Größe", "GRÖSSE"),
        ("Größe", "gro\u0308ße"),
        ("Straße", "strasse"),
        ("Your company?", "Your\u00a0company?"),
        ("Your  company?", "\ufeffyour company? "),
        ("What\u2019s your job?", "What's your job?"),
        ('"Why" you come', "\u201cWhy\u201d you come"),
        ("E-mail of your boss", "E\u2011mail of your boss"),
        ("\u0130l", "il"),
        ("\u0130l", "IL"),
        ("Com\u00adpany", "company"),
        ("Your company?", '"Your company?"'),
        ("Job title", "Ｊob title"),  # noqa: RUF001
    ],
    ids=ascii,
)
def test_wording_is_compared_as_people_read_it(wording, column, told):
    assert answers(form(wording), {column: "Bob"}) == {"q-0": "Bob"}
    assert answers(form(wording), {"answers": {column: "Bob"}}) == {"q-0": "Bob"}
    assert told() == []


@pytest.mark.parametrize("column", ["language", "timezone", "emailAddress"])
def test_column_that_no_page_documents_is_the_answer_to_a_question_of_its_name(column):
    assert answers(form(column.upper()), {column: "Bob"}) == {"q-0": "Bob"}


def test_wordings_that_read_alike_are_told_apart_as_they_are_written():
    assert answers(form("Straße", "Strasse"), {"straße": "a", "STRASSE": "b"}) == {"q-0": "a", "q-1": "b"}
    with pytest.raises(InvalidRow, match="more than once"):
        answers(form("Straße", "Strasse"), {"STRAẞE\u00ad": SECRET})


@pytest.mark.parametrize(
    "column",
    [
        "Who told you of us",
        "who_told_you_of_us",
        "Who told you about us?",
        "Who told you of us?!",
        "Who  tld you of us?",
    ],
)
def test_column_that_nearly_names_a_question_is_said_once_by_question(column, told):
    asked = form("Who told you of us?", "Which track?")

    for value in (SECRET, SECRET, None):
        assert answers(asked, {column: value}) == {}

    (said,) = told()
    assert "similar to the question 'Who told you of us?'" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "row",
    [
        {"company": SECRET},
        {"Who told you of us": None},
        {"Who told you of us": "  "},
        {"Who told you of us": "x", "Who told you of us?": "Bob"},
        {"Who told you of us": "x", "answers": {"q-0": "Bob"}},
        {"first_name": "Ada"},
        {"?": SECRET},
        {"x" * 5000: SECRET},
    ],
    ids=lambda row: ascii(row)[:40],
)
def test_nothing_is_said_of_other_columns(row, told):
    form("Who told you of us?", "First name?", "??").read({**ROW, **row})

    assert told() == []


def test_required_question_that_a_column_nearly_names_makes_the_row_invalid(told):
    asked = WebinarForm([Question("q", "Your company?", True, "text")])

    with pytest.raises(InvalidRow, match="'Your company\\?' is required"):
        asked.read({**ROW, "Your companie?": SECRET})
    assert len(told()) == 1
