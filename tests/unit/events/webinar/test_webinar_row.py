"""Rows of a warehouse as a webinar's form takes them."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from airflow_provider_teams_registration.events.base import InvalidRow, Registrant
from airflow_provider_teams_registration.events.webinar.keys import normalized_email
from airflow_provider_teams_registration.events.webinar.row import WebinarForm
from airflow_provider_teams_registration.events.webinar.time_zones import windows_timezone
from airflow_provider_teams_registration.graph.webinar_bodies import Question

ROW = {
    "email": "ada@example.org",
    "first_name": "Ada",
    "last_name": "Example",
    "preferred_timezone": "Europe/Rome",
    "preferred_language": "en-us",
}
QUESTIONS = (
    Question("q-text", "Who told you of us?", True, "text"),
    Question("q-lines", "Tell us more", False, "multilineText"),
    Question("q-single", "Which track?", False, "singleChoice", ("Data", "Operations")),
    Question("q-multi", "Which days?", False, "multiChoice", ("Monday", "Tuesday", "Friday")),
    Question("q-yes", "May we write to you?", False, "boolean"),
)
OPTIONAL = tuple(replace(one, is_required=False) for one in QUESTIONS)
SECRET = "a person's secret"


def read(row=(), *, without=(), **form):
    full = {name: value for name, value in ROW.items() if name not in without}
    return WebinarForm(**form).read({**full, **dict(row)})


def why_invalid(row=(), *, without=(), **form):
    with pytest.raises(InvalidRow) as caught:
        read(row, without=without, **form)
    return str(caught.value)


def answers(**given):
    """The answers that Graph is sent, by question; the required one is given unless it is named."""
    row = {"q-text": "Bob", **given}
    return {answer.pop("questionId"): answer for answer in map(dict, read(row, questions=QUESTIONS).answers)}


def test_every_field_is_read():
    found = read({"id": "crm-1", "referrer": "newsletter", "seat": 7})

    assert vars(found) == {
        "email": "ada@example.org",
        "first_name": "Ada",
        "last_name": "Example",
        "registration_id": "crm-1",
        "preferred_timezone": "W. Europe Standard Time",
        "preferred_language": "en-us",
        "referrer": "newsletter",
        "answers": (),
    }


@pytest.mark.parametrize(
    ("column", "spelling"),
    [
        ("email", "Email"),
        ("first_name", "firstName"),
        ("last_name", "lastName"),
        ("preferred_timezone", "preferredTimezone"),
        ("preferred_language", "preferredLanguage"),
    ],
)
class TestSpellings:
    """A column under another of its names."""

    def test_is_read(self, column, spelling):
        assert read({spelling: ROW[column]}, without=[column]) == read()

    def test_is_no_contradiction_where_it_says_the_same(self, column, spelling):
        assert read({spelling: f" {ROW[column]} "}) == read()

    def test_is_a_contradiction_where_it_says_something_else(self, column, spelling):
        said = why_invalid({spelling: "secret@example.org" if column == "email" else SECRET})

        assert "contradict each other" in said
        assert spelling in said
        assert "secret" not in said

    def test_is_missing_without_any(self, column, spelling):
        assert why_invalid(without=[column]).startswith(f"{column} missing")
        assert why_invalid({column: "  "}).startswith(f"{column} missing")
        assert why_invalid({column: None, spelling: ""}).startswith(f"{column} missing")

    @pytest.mark.parametrize("value", [7, 1.5, True, ["x"], {"a": 1}])
    def test_is_text(self, column, spelling, value):
        assert f"{column} is a {type(value).__name__}" in why_invalid({column: value})

    @pytest.mark.parametrize("character", ["\0", "\ud83d"])
    def test_holds_no_character_that_the_service_cannot_take(self, column, spelling, character):
        value = f"ada{character}@example.org"
        said = why_invalid({spelling: value}, without=[column])

        assert column in said
        assert value not in said


@pytest.mark.parametrize("email", ["ADA@EXAMPLE.ORG", "Ada@Example.org", "  ada@example.org\t\n"])
def test_address_is_the_same_in_whatever_case(email):
    assert read({"email": email}).email == "ada@example.org"


@pytest.mark.parametrize(
    "email", ["o'hara+news@example.org", "a.b-c_d@sub.example.co.uk", "ünï@exämple.org", "x" * 242 + "@example.org"]
)
def test_unusual_addresses_are_taken(email):
    assert normalized_email(email) == email


@pytest.mark.parametrize(
    "email",
    [
        "ada",
        "@example.org",
        "ada@",
        "ada@example",
        "ada@example.",
        "ada@@example.org",
        "ada@b@example.org",
        "ada lovelace@example.org",
        "Ada <ada@example.org>",
        "ada@example.org, bob@example.org",
        "ada@example.org;bob@example.org",
        "x" * 243 + "@example.org",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(email):
    assert why_invalid({"email": email}) == "email is no e-mail address"


@pytest.mark.parametrize(
    ("name", "windows"),
    [
        ("Europe/Rome", "W. Europe Standard Time"),
        ("America/Los_Angeles", "Pacific Standard Time"),
        ("America/New_York", "Eastern Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Europe/Kyiv", "FLE Standard Time"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("W. Europe Standard Time", "W. Europe Standard Time"),
        ("Pacific Standard Time", "Pacific Standard Time"),
        ("GMT", "UTC"),
        ("gmt", "UTC"),
        ("Etc/GMT", "UTC"),
        ("utc", "UTC"),
        ("Europe/London", "GMT Standard Time"),
        ("GMT standard time", "GMT Standard Time"),
        ("europe/rome", "W. Europe Standard Time"),
        ("AMERICA/NEW_YORK", "Eastern Standard Time"),
        ("W. Europe standard time", "W. Europe Standard Time"),
    ],
)
def test_zone_has_its_windows_name(name, windows):
    assert windows_timezone(name) == windows


@pytest.mark.parametrize("name", ["Europe/Rom", "CEST+2", "+02:00", "Europe", SECRET])
def test_unknown_zone_is_refused(name):
    said = why_invalid({"preferred_timezone": name})

    assert said.startswith("preferred_timezone is no time zone")
    assert name not in said or name == "Europe"


@pytest.mark.parametrize(
    ("language", "sent"), [("en-us", "en-us"), ("de-DE", "de-de"), ("it", "it"), ("zh-Hans-CN", "zh-hans-cn")]
)
def test_language_is_a_tag(language, sent):
    assert read({"preferred_language": language}).preferred_language == sent


@pytest.mark.parametrize("language", ["English", "en_us", "e", "en-", SECRET])
def test_what_is_no_language_tag_is_refused(language):
    said = why_invalid({"preferred_language": language})

    assert said == "preferred_language is no language tag such as 'en-us'"


def test_defaults_stand_in_for_what_a_row_leaves_out():
    defaults = {"preferred_timezone": "Asia/Tokyo", "preferred_language": "JA", "referrer": "campaign"}

    found = read(without=["preferred_timezone", "preferred_language"], **defaults)
    assert (found.preferred_timezone, found.preferred_language, found.referrer) == (
        "Tokyo Standard Time",
        "ja",
        "campaign",
    )
    own = read({"referrer": "friend"}, **defaults)
    assert (own.preferred_timezone, own.preferred_language, own.referrer) == (
        "W. Europe Standard Time",
        "en-us",
        "friend",
    )
    assert "operator's preferred_language" in why_invalid(without=["preferred_language"])


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("crm 1", "crm 1"),
        (7, "7"),
        (Decimal("7"), "7"),
        (UUID("11111111-1111-4111-8111-111111111111"), "11111111-1111-4111-8111-111111111111"),
        ("x" * 256, "x" * 256),
    ],
)
def test_our_id_is_sent(value, sent):
    assert read({"id": value}).registration_id == sent


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * 257, "id is longer than 256 characters"),
        (True, "id is a bool"),
        (1.5, "id is a float"),
        (Decimal("1.5"), "id is a Decimal"),
        (["a"], "id is a list"),
        ("\0", "no database can"),
        ("\ud83d", "no database can"),
    ],
)
def test_what_is_no_id_is_refused(value, why):
    assert why in why_invalid({"id": value})


@pytest.mark.parametrize(
    ("column", "value", "sent"),
    [
        ("q-text", "Bob", {"value": "Bob"}),
        ("Who told you of us?", "Bob", {"value": "Bob"}),
        (" WHO TOLD YOU OF US? ", "Bob", {"value": "Bob"}),
        ("q-text", 42, {"value": "42"}),
        ("q-lines", "a\nb", {"value": "a\nb"}),
        ("Tell us more", "a", {"value": "a"}),
        ("q-single", "Data", {"value": "Data"}),
        ("Which track?", " data ", {"value": "Data"}),
        ("q-multi", "Friday", {"multiChoiceValues": ["Friday"]}),
        ("Which days?", "friday; Monday;", {"multiChoiceValues": ["Monday", "Friday"]}),
        ("q-multi", ["Tuesday", "Monday"], {"multiChoiceValues": ["Monday", "Tuesday"]}),
        ("q-multi", ("Monday", "monday"), {"multiChoiceValues": ["Monday"]}),
        ("q-multi", {"Friday", "Monday", "Tuesday"}, {"multiChoiceValues": ["Monday", "Tuesday", "Friday"]}),
        *[("q-yes", value, {"booleanValue": True}) for value in (True, "yes", "Y", "true", "TRUE", 1, "1", 1.0)],
        *[
            ("May we write to you?", value, {"booleanValue": False})
            for value in (False, "no", "N", "false", 0, "0", 0.0)
        ],
        *[("q-yes", Decimal(value), {"booleanValue": value == "1.0"}) for value in ("1.0", "0.00")],
    ],
)
def test_answer_is_read_from_a_column_or_from_answers(column, value, sent):
    (asked,) = (one for one in OPTIONAL if column.strip().lower() in (one.id, one.display_name.lower()))

    (by_column,) = read({column: value}, questions=OPTIONAL).answers
    (by_answers,) = read({"answers": {column: value}}, questions=OPTIONAL).answers

    assert by_column == by_answers == {"questionId": asked.id, **sent}


@pytest.mark.parametrize("value", [None, "", "   ", [], (), set()])
def test_nothing_is_no_answer(value):
    assert set(answers(**{"q-multi": value, "q-single": value, "q-yes": value})) == {"q-text"}
    assert "'Who told you of us?' is required" in why_invalid({"q-text": value}, questions=QUESTIONS)


@pytest.mark.parametrize("value", [";", " ; ;", [None], ["", "  "], (None,), {""}])
def test_choosing_nothing_is_no_answer(value):
    days = QUESTIONS[3]

    assert read({days.display_name: value}, questions=[days]).answers == ()
    assert read({days.display_name: value, days.id: "Friday"}, questions=[days]).answers
    assert "'Which days?' is required" in why_invalid({days.id: value}, questions=[replace(days, is_required=True)])


def test_required_question_has_to_be_answered():
    assert "'Who told you of us?' is required" in why_invalid(questions=QUESTIONS)
    assert read({"answers": {"q-text": "Bob"}}, questions=QUESTIONS).answers


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("q-single", SECRET, "none of its choices: Data, Operations"),
        ("q-multi", f"Monday;{SECRET}", "none of its choices: Monday, Tuesday, Friday"),
        ("q-multi", [SECRET], "none of its choices"),
        ("q-yes", SECRET, "must be yes or no"),
        ("q-yes", 2, "must be yes or no"),
        ("q-yes", 1.5, "must be yes or no"),
        ("q-lines", [SECRET], "takes one answer, not a list"),
        ("q-single", {"a": SECRET}, "takes one answer, not a dict"),
        ("q-lines", f"{SECRET}\ud83d", "no database can"),
    ],
)
def test_wrong_answer_is_refused_without_repeating_it(column, value, why):
    said = why_invalid({"q-text": "Bob", column: value}, questions=QUESTIONS)

    assert why in said
    assert SECRET not in said


@pytest.mark.parametrize("choice", ["Data ", " Data", "DATA\t"])
def test_choice_may_be_written_with_blanks_in_the_form(choice):
    question = Question("q", "Which track?", True, "singleChoice", ("Operations", choice))

    for given in ("Data", "data ", choice):
        assert read({"q": given}, questions=[question]).answers == ({"questionId": "q", "value": choice},)


@pytest.mark.parametrize("column", ["id", "email", "first_name", "preferred_language", "preferredTimezone", "referrer"])
class TestQuestionWordedLikeOneOfOurColumns:
    """What the column holds is about the person, and says nothing of the question."""

    def asked(self, column, is_required=False):
        return [Question("q", column.capitalize(), is_required, "singleChoice", ("English", "German"))]

    def given(self, column):
        return {column: {**ROW, "id": "crm 1", "referrer": "a friend", "preferredTimezone": "Europe/Rome"}[column]}

    def test_is_not_answered_by_it(self, column):
        assert read(self.given(column), questions=self.asked(column)).answers == ()

    def test_says_how_to_answer_it_where_it_is_required(self, column):
        said = why_invalid(self.given(column), questions=self.asked(column, is_required=True))

        assert said.endswith("answer it under its id, or in answers")

    @pytest.mark.parametrize("by", ["its id", "its wording in answers", "its id in answers"])
    def test_is_answered_by_name(self, column, by):
        (question,) = asked = self.asked(column, is_required=True)
        name = question.display_name if "wording" in by else question.id
        answer = {"answers": {name: "German"}} if "answers" in by else {name: "German"}

        found = read({**self.given(column), **answer}, questions=asked)

        assert found.answers == ({"questionId": "q", "value": "German"},)


def test_question_whose_id_is_one_of_our_columns_is_answered_by_it():
    question = Question("referrer", "Who told you of us?", True, "text")

    assert read({"referrer": "Bob"}, questions=[question]).answers == ({"questionId": "referrer", "value": "Bob"},)


class TestQuestionsWordedAlike:
    """Which one a wording means is not ours to guess."""

    ASKED = (Question("q-1", "Comments", False, "text"), Question("q-2", " comments", False, "text"))

    @pytest.mark.parametrize("row", [{"Comments": SECRET}, {"answers": {"comments": SECRET}}])
    def test_are_not_answered_by_it(self, row):
        said = why_invalid(row, questions=self.ASKED)

        assert said == "the form asks 'Comments' more than once; name the questions by their ids"

    def test_are_answered_by_their_ids(self):
        found = read({"q-1": "a", "answers": {"q-2": "b"}, "Comments": None}, questions=self.ASKED)

        assert [answer["value"] for answer in found.answers] == ["a", "b"]


def test_question_that_is_not_asked():
    assert "does not ask" in why_invalid({"answers": {"Shoe size?": SECRET}}, questions=QUESTIONS)
    assert "does not ask" in why_invalid({"answers": {SECRET: 1}})
    assert SECRET not in why_invalid({"answers": {SECRET: 1}})
    assert read({"Shoe size?": 42}).answers == ()


@pytest.mark.parametrize("value", ["q-text=Bob", ["Bob"], 7])
def test_answers_that_are_no_dict_are_refused(value):
    assert f"answers is a {type(value).__name__}" in why_invalid({"answers": value}, questions=QUESTIONS)


@pytest.mark.parametrize("value", [None, "", {}])
def test_answers_may_be_empty(value):
    assert len(read({"q-text": "Bob", "answers": value}, questions=QUESTIONS).answers) == 1


def test_question_answered_twice_is_refused():
    twice = {"q-text": "Bob", "Who told you of us?": "Eve"}

    assert "answered twice" in why_invalid(twice, questions=QUESTIONS)
    assert "answered twice" in why_invalid({"q-text": "Bob", "answers": {"q-text": "Eve"}}, questions=QUESTIONS)
    assert read({**twice, "q-text": ""}, questions=QUESTIONS).answers == ({"questionId": "q-text", "value": "Eve"},)
    assert read({**twice, "Who told you of us?": None}, questions=QUESTIONS).answers


def test_signed_in_user_needs_no_name():
    found = read(without=["first_name", "last_name"], is_delegated=True)

    assert (found.email, found.first_name, found.last_name) == ("ada@example.org", None, None)


def test_person_is_in_no_representation():
    assert "Ada" not in repr(read())
    assert "ada@" not in repr(read())


def test_fingerprint_changes_with_what_graph_is_told_and_with_nothing_else():
    def fingerprint(**row):
        return Registrant(1, {}, "", read({"q-text": "Bob", **row}, questions=QUESTIONS)).fingerprint

    same = fingerprint()
    assert fingerprint(seat=7, email="ADA@example.org", preferred_timezone="Europe/Vienna") == same
    assert fingerprint(**{"q-text": "Eve"}) != same
    assert fingerprint(first_name="Eve") != same
    assert fingerprint(**{"q-multi": {"Monday", "Friday"}}) == fingerprint(**{"q-multi": "Friday;Monday"})
