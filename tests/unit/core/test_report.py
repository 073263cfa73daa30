"""Counts and words."""

from dataclasses import replace

import pytest

from airflow_provider_teams_registration.core.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.core.report import Report, count_registrants

CANARY = "CANARY@example.org"


def somebody(position, outcome, reason=None):
    row = {"id": CANARY, "email": CANARY}
    return Enrollment(position, row, outcome, error=reason and f"{reason} [request-id 1]", reason=reason)


@pytest.fixture
def report():
    outcomes = [
        somebody(1, Outcome.ENROLLED),
        somebody(2, Outcome.INVALID, "id is empty"),
        somebody(3, Outcome.ENROLLED),
        somebody(4, Outcome.REJECTED, "400 Bad"),
        somebody(5, Outcome.REJECTED, "400 Bad"),
        somebody(6, Outcome.UNKNOWN, "no answer"),
        somebody(7, Outcome.WAITLISTED),
    ]
    return Report(outcomes, repeated=2)


def test_counts_add_up(report):
    summary = report.summary()

    assert summary["outcomes"] == {"enrolled": 2, "waitlisted": 1, "invalid": 1, "rejected": 2, "unknown": 1}
    assert sum(summary["outcomes"].values()) + summary["repeated"] == summary["rows"] == 9
    assert summary["reasons"] == {"400 Bad": 2, "id is empty": 1, "no answer": 1}


def test_sentence_says_how_many_have_which_outcome(report):
    assert report.summary_line().startswith(
        "7 registrants: 2 enrolled, 1 waitlisted, 1 invalid, 2 rejected, 1 unknown (repeated rows left out: 2)"
    )


@pytest.mark.parametrize(
    ("enrollments", "sentence"),
    [
        ([], "0 registrants: nothing to do"),
        ([somebody(1, Outcome.ALREADY_ENROLLED)], "1 registrant: 1 already enrolled"),
    ],
)
def test_sentence_of_few(enrollments, sentence):
    assert Report(enrollments).summary_line() == sentence


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 registrants"), (1, "1 registrant"), (1234, "1,234 registrants")],
)
def test_registrants_are_counted_in_words(number, words):
    assert count_registrants(number) == words


def test_error_summary_groups_by_reason_the_most_frequent_first_and_names_positions(report):
    assert report.error_summary() == (
        "2 rejected (rows 4, 5): 400 Bad; 1 invalid (row 2): id is empty; 1 unknown (row 6): no answer"
    )


def test_error_summary_names_the_first_positions_of_many():
    report = Report([somebody(position, Outcome.INVALID, "id is empty") for position in range(1, 100)])

    assert report.error_summary() == "99 invalid (rows 1, 2, 3, 4, 5, …): id is empty"


def test_one_reason_of_different_outcomes_is_told_for_each():
    report = Report([somebody(1, Outcome.REJECTED, "stopped"), somebody(2, Outcome.UNKNOWN, "stopped")])

    assert report.error_summary() == "1 rejected (row 1): stopped; 1 unknown (row 2): stopped"
    assert report.summary()["reasons"] == {"stopped": 2}


def test_missing_links_and_changed_rows_are_counted_and_told():
    report = Report(
        [
            somebody(1, Outcome.ENROLLED),
            replace(somebody(2, Outcome.ALREADY_ENROLLED, "no link"), is_link_missing=True),
            replace(somebody(3, Outcome.ENROLLED, "changed"), is_changed=True),
            somebody(4, Outcome.ALREADY_ENROLLED, "no link, and nobody minds"),
        ]
    )

    assert (report.links_missing, report.changed, report.refused) == (1, 1, 0)
    assert report.summary_line() == "4 registrants: 2 enrolled, 2 already enrolled (1 of them without a link)"
    assert report.error_summary() == "1 already enrolled (row 2): no link; 1 enrolled (row 3): changed"
    assert (report.summary()["links_missing"], report.summary()["changed"]) == (1, 1)


def test_only_trouble_that_may_pass_counts_as_transient():
    report = Report(
        [
            replace(somebody(1, Outcome.REJECTED, "later"), transient=True),
            replace(somebody(2, Outcome.UNKNOWN, "later"), transient=True),
            replace(somebody(3, Outcome.ENROLLED), transient=True),
            somebody(4, Outcome.REJECTED, "never"),
        ]
    )

    assert report.transient == 2


def test_enrollments_go_where_they_are_to_be_kept():
    kept = []
    report = Report(keep=kept.extend)

    report.add([somebody(1, Outcome.ENROLLED)], repeated=1)
    report.add([somebody(2, Outcome.INVALID, "id is empty")])

    assert [one.position for one in kept] == [1, 2]
    assert report.rows() == []
    assert report.summary()["rows"] == 3
    assert report.counts == {"enrolled": 1, "invalid": 1}


def test_nothing_to_complain_about():
    assert Report([somebody(1, Outcome.ENROLLED), somebody(2, Outcome.WAITLISTED)]).error_summary() == ""


def test_words_and_counts_name_nobody(report):
    assert "CANARY" not in f"{report.summary_line()} {report.error_summary()} {report.summary()} {report!r}"


def test_refused_and_unknown_are_told_apart(report):
    assert (report.refused, report.unknown) == (3, 1)


def test_rows_are_the_input_with_three_columns_added(report):
    rows = report.rows()

    assert len(rows) == 7
    assert rows[0] == {"id": CANARY, "email": CANARY, "outcome": "enrolled", "join_web_url": None, "error": None}
    assert rows[3]["outcome"] == "rejected"
    assert rows[3]["error"] == "400 Bad [request-id 1]"
    assert type(rows[0]["outcome"]) is str
