"""Whatever other tasks returned reaches ``registrants`` as it reaches an argument of any operator."""

from __future__ import annotations

import pytest

from tests.run_dag import AIRFLOW, task_text
from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow

TASKS = """
@task
def a():
    return [{"id": "ada"}, {"id": "grace"}]

@task
def b():
    return [{"id": "mary"}, {"id": "joan"}]

@task
def ids():
    return ["mary", "joan"]

@task
def each(row):
    return row

@task
def pages():
    return [["ada"], [], ["grace", "mary"]]

@task
def skipped():
    raise AirflowSkipException

@task
def one_row():
    return {"id": "ada"}

@task
def tuple_of_ids():
    return ("ada", "grace")

@task
def columns():
    return [("ada", "ada@example.org"), ("grace", "grace@example.org")]

def renamed(row):
    return {"id": row["id"].upper()}

def only_ada(row):
    return row if row["id"] == "ada" else None
"""

ALL = ["ada", "grace", "joan", "mary"]


def enrolled(emulator):
    return sorted(record.id for record in emulator.store.enrolled(emulator.meeting_id))


def run_enrolling(run_dag, emulator, registrants, **arguments):
    return run_dag(TASKS + "\n" + enroll(emulator, registrants, trigger_rule="none_failed", **arguments))


@pytest.mark.parametrize(
    ("registrants", "people"),
    [
        pytest.param("a().concat(b())", ALL, id="concat"),
        pytest.param("a().concat(ids())", ALL, id="concat of dicts and ids"),
        pytest.param("one_row().concat(ids())", ["ada", "joan", "mary"], id="concat with one dict"),
        pytest.param("a().concat(each.expand(row=b()))", ALL, id="concat with a mapped task"),
        pytest.param("a().zip(b())", ALL, id="zip"),
        pytest.param("a().zip(ids())", ALL, id="zip of dicts and ids"),
        pytest.param("ids().zip(one_row(), fillvalue=None)", ["ada", "joan", "mary"], id="zip that fills up"),
        pytest.param("a().map(renamed)", ["ADA", "GRACE"], id="map"),
        pytest.param("a().map(only_ada)", ["ada"], id="map that filters"),
        pytest.param("a().concat(b()).map(renamed)", ["ADA", "GRACE", "JOAN", "MARY"], id="map of concat"),
        pytest.param("each.expand(row=a())", ["ada", "grace"], id="a mapped task"),
        pytest.param("each.expand(row=a()).map(renamed)", ["ADA", "GRACE"], id="map of a mapped task"),
        pytest.param("each.expand(row=a().map(only_ada))", ["ada"], id="a mapped task that filters"),
        pytest.param("each.expand(row=pages())", ["ada", "grace", "mary"], id="a mapped task of lists"),
        pytest.param("[a(), b()]", ALL, id="a list of tasks"),
        pytest.param("[a(), ids()]", ALL, id="lists of dicts beside lists of ids"),
        pytest.param("[a(), skipped()]", ["ada", "grace"], id="a task that was skipped"),
        pytest.param("[tuple_of_ids(), ids(), 'hedy']", ["ada", "grace", "hedy", "joan", "mary"], id="tuples of ids"),
        pytest.param("[a().map(renamed), (ids(), [one_row()])]", ["ADA", "GRACE", "ada", "joan", "mary"], id="deeper"),
        pytest.param("[each.expand(row=a()), b()]", ALL, id="a mapped task in a list"),
        pytest.param("(found for found in [a(), b()])", ALL, id="a generator of tasks"),
    ],
)
def test_everybody_whom_tasks_returned_is_enrolled(run_dag, emulator, registrants, people):
    run = run_enrolling(run_dag, emulator, registrants)
    assert run.tasks["enroll"] == "success"
    assert enrolled(emulator) == people
    assert {row["outcome"] for row in run.rows()} == {"enrolled"}
    assert run.rendered["enroll"]["registrants"] == f"{len(people)} registrant{'s' * (len(people) > 1)}"


def test_a_list_of_tasks_that_were_all_skipped_enrolls_nobody(run_dag, emulator):
    run = run_enrolling(run_dag, emulator, "[skipped(), skipped()]")
    assert run.tasks["enroll"] == "success"
    assert run.rows() == []
    assert emulator.store.journal == []


@pytest.mark.parametrize(
    "registrants",
    [
        pytest.param("skipped()", id="a task that was skipped"),
        pytest.param(
            "columns()",
            marks=pytest.mark.skipif(AIRFLOW < (3, 0), reason="XCom of Airflow 2 makes lists of these tuples"),
            id="rows of a cursor",
        ),
    ],
)
def test_what_are_no_rows_fails_at_once_and_sends_nothing(run_dag, emulator, registrants):
    run = run_enrolling(run_dag, emulator, registrants, retries=2)
    assert (run.tasks["enroll"], run.tries["enroll"]) == ("failed", 1)
    assert emulator.store.journal == []


def test_references_of_long_lists_are_read_among_lists(run_dag, emulator, ledger):
    long = enroll(emulator, "a()", ledger_conn_id="ledger", xcom_limit=1)
    cancel = task_text(
        "CancelRegistrantOperator",
        "cancel",
        {"registrants": "[first.output, ids(), skipped()]"},
        meeting_id=emulator.meeting_id,
        organizer_id=emulator.organizer_id,
        ledger_conn_id="ledger",
        trigger_rule="none_failed",
    )
    run = run_dag(f"{TASKS}\nfirst = {long}\n{cancel}")
    assert run.tasks["cancel"] == "success"
    assert [row["id"] if isinstance(row, dict) else row for row in run.rows("cancel")] == [
        "ada",
        "grace",
        "mary",
        "joan",
    ]
    assert {row["outcome"] for row in run.rows("cancel")} == {"cancelled"}
    assert enrolled(emulator) == []


def test_a_reference_of_a_long_list_counts_as_all_its_people(run_dag, emulator, ledger):
    first = enroll(emulator, "a()", ledger_conn_id="ledger", xcom_limit=1)
    second = task_text(
        "EnrollRegistrantOperator",
        "second",
        {"registrants": "first.output"},
        meeting_id=emulator.meeting_id,
        organizer_id=emulator.organizer_id,
        max_rejected=1,
    )
    run = run_dag(f"{TASKS}\nfirst = {first}\n{second}")
    # An enrolling task takes no rows that have an outcome already.
    assert run.tasks["second"] == "failed"
    assert {row["id"]: row["outcome"] for row in run.rows("second")} == {"ada": "invalid", "grace": "invalid"}
