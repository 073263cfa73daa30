"""Columns are found whatever the case of their headers, and a sentence names all that are missing."""

import pytest

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.online_meeting_row import read_registrant
from airflow_provider_teams_registration.events.webinar.row import WebinarForm
from airflow_provider_teams_registration.graph.webinar_bodies import Question

ROW = {
    "id": "crm 1",
    "email": "ada@example.org",
    "first_name": "Ada",
    "last_name": "Example",
    "preferred_timezone": "Europe/Rome",
    "preferred_language": "en-us",
    "referrer": "a friend",
}
DEFAULTS = {"preferred_timezone": "Asia/Tokyo", "preferred_language": "ja", "referrer": "campaign"}
SECRET = "a person's secret"
AROUND = {
    "upper case": str.upper,
    "title case": str.title,
    "space": " {}\t".format,
    "no-break space": "\u00a0{}".format,
    "byte order mark": "\ufeff{}".format,
    "misread byte order mark": "\u00ef\u00bb\u00bf{}".format,
    "byte order mark and quotes": '\ufeff"{}"'.format,
    "zero width space": "{}\u200b".format,
}
as_exported = pytest.mark.parametrize("around", AROUND.values(), ids=list(AROUND))


def webinar(row, **form):
    return WebinarForm(**form).read(row)


def why_invalid(read, *args, **form):
    with pytest.raises(InvalidRow) as caught:
        read(*args, **form)
    assert "secret" not in str(caught.value)
    return str(caught.value)


@as_exported
def test_webinars_columns_are_taken(around):
    assert webinar({around(column): value for column, value in ROW.items()}) == webinar(ROW)


@as_exported
def test_webinars_answers_are_taken(around):
    questions = [Question("q", "Shoe size", True, "text")]

    by_column = webinar({**ROW, around("Shoe size"): 42}, questions=questions)
    in_answers = webinar({**ROW, around("answers"): {"Shoe size": 42}}, questions=questions)

    assert by_column == in_answers
    assert by_column.answers == ({"questionId": "q", "value": "42"},)


@as_exported
def test_graphs_spellings_are_taken(around):
    spelled = {"firstName": "first_name", "lastName": "last_name", "preferredTimezone": "preferred_timezone"}
    spelled |= {"preferredLanguage": "preferred_language"}
    row = {**ROW, **{around(header): ROW[column] for header, column in spelled.items()}}

    assert webinar({header: value for header, value in row.items() if header not in spelled.values()}) == webinar(ROW)


@as_exported
def test_meetings_columns_are_taken(around):
    found = read_registrant({around("id"): "a", around("tenantId"): "t", around("user_id"): "u"}, "organization")

    assert (found.id, found.tenant_id, found.user_id) == ("a", "t", "u")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("language", "German"),
        ("timezone", "Berlin"),
        ("time_zone", "Berlin"),
        ("emailAddress", "x"),
        ("mail", "x"),
        ("name", "x"),
        ("registrationId", "x"),
    ],
)
def test_column_that_no_page_documents_is_not_read(column, value):
    assert webinar({**ROW, column: value}, **DEFAULTS) == webinar(ROW)
    without = {name: value for name, value in ROW.items() if not name.startswith("preferred")}
    assert webinar({**without, column: value}, **DEFAULTS) == webinar(without, **DEFAULTS)


def test_everything_that_is_missing_is_named_with_the_columns_that_came():
    said = why_invalid(webinar, {"Mail": SECRET, "Vorname": SECRET, "seat": 7})

    assert said == (
        "email, first_name, last_name, preferred_timezone and preferred_language missing (the columns that came: Mail, "
        "Vorname and seat); the operator's preferred_timezone and preferred_language can be defaults"
    )


def test_missing_answers_are_named_with_everything_else():
    questions = [Question("q", "Shoe size?", True, "text"), Question("r", "Diet?", True, "text")]

    said = why_invalid(webinar, {**ROW, "email": None}, questions=questions)

    assert said.startswith("email missing (the columns that came: id, email, first_name,")
    assert "the questions 'Shoe size?' and 'Diet?' are required" in said


def test_meeting_names_everything_that_is_missing():
    said = why_invalid(read_registrant, {"Name": SECRET}, "organization")

    assert said == (
        "id, tenant_id and user_id missing (the columns that came: Name); a registration for the organization needs all"
    )


@pytest.mark.parametrize("header", ["secret@example.org", "a secret that is longer than any header should be", " ", 7])
def test_header_that_may_be_a_person_is_not_named(header):
    assert why_invalid(webinar, {header: "x", "seat": 1}, **DEFAULTS).endswith(
        "(the columns that came: seat and 1 more)"
    )
    assert why_invalid(read_registrant, {header: "x"}, "everyone") == (
        "id missing (the columns that came: 1 that cannot be named)"
    )


def test_no_more_columns_are_named_than_can_be_read():
    said = why_invalid(webinar, {f"column {number}": 1 for number in range(1000)}, **DEFAULTS)

    assert said.endswith("column 11 and 988 more)")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"Email": "secret@example.org"}, "email and Email contradict each other"),
        ({"ID": SECRET}, "id and ID contradict each other"),
        ({"FIRSTNAME": SECRET, "FIRST_NAME": SECRET}, "first_name and FIRSTNAME and FIRST_NAME contradict each other"),
    ],
)
def test_headers_that_mean_one_column_and_contradict_each_other_are_invalid(row, said):
    assert why_invalid(webinar, {**ROW, **row}) == said


def test_meetings_headers_that_contradict_each_other_are_invalid():
    assert why_invalid(read_registrant, {"id": "a", "ID": SECRET}, "everyone") == "id and ID contradict each other"


@pytest.mark.parametrize(
    "row",
    [{"EMAIL": "mailto:ADA@example.org"}, {"ID": "crm 1"}, {"Id": None}, {"TimeZone": 7}, {"PREFERREDLANGUAGE": ""}],
)
def test_headers_that_say_the_same_are_one(row):
    assert webinar({**ROW, **row}) == webinar(ROW)


def test_not_a_number_stands_for_nothing():
    assert webinar({**ROW, "referrer": float("nan")}, referrer="campaign").referrer == "campaign"
    assert why_invalid(webinar, {**ROW, "first_name": float("nan")}).startswith("first_name missing")


def test_names_go_out_without_what_nobody_sees():
    found = webinar(
        {**ROW, "first_name": "\u200bA\u00adda\u202e\x07", "last_name": "King\r\nNoel", "referrer": "a\ufefff"}
    )

    assert (found.first_name, found.last_name, found.referrer) == ("Ada", "King  Noel", "af")


def test_names_keep_the_joiners_that_their_script_needs():
    name = "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc"

    assert webinar({**ROW, "first_name": f"\u200f{name}\u200e"}).first_name == name


@pytest.mark.parametrize("email", ["secret@home.local", "secret@EXAMPLE.test "])
def test_domain_that_takes_no_mail_is_said_to_be_one(email):
    assert why_invalid(webinar, {**ROW, "email": email}).startswith("email has a domain that is reserved")


@pytest.mark.parametrize("answers", [" ", "\t\n", float("nan"), [], b""])
def test_blank_answers_cell_answers_nothing(answers):
    assert webinar({**ROW, "answers": answers}) == webinar(ROW)
