from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest

from tests.run_dag import HAS_TASK_STATE_STORE, said_by_tasks
from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow

PEOPLE = [{"id": f"person-{number}"} for number in range(50)]


@pytest.fixture
def links(emulator):
    """Who is on the event with which link; fails where anybody was put on it twice."""

    def read():
        records = emulator.store.enrolled(emulator.meeting_id)
        assert max(Counter(record.id for record in records).values(), default=1) == 1
        return {record.id: record.join_web_url for record in records}

    emulator.set_switches(duplicate="second_record")
    return read


@pytest.fixture
def last_log_line(capfd):
    """Return the last thing an operator of ours logged."""

    def read():
        said = said_by_tasks("".join(capfd.readouterr()))
        return [line for line in said.splitlines() if "outcome_log.py:" in line][-1]

    return read


def links_of(rows):
    return {row["id"]: row["join_web_url"] for row in rows}


def test_a_second_dag_sends_nobody_and_returns_the_same_links(run_dag, emulator, ledger, calls, links):
    first = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger"))
    emulator.clear_journal()
    second = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger"))
    assert second.state == "success"
    assert {call.split()[0] for call in calls()} == {"GET"}
    assert {row["outcome"] for row in first.rows()} == {"enrolled"}
    assert {row["outcome"] for row in second.rows()} == {"already_enrolled"}
    assert links_of(second.rows()) == links_of(first.rows()) == links()


def test_only_those_who_are_new_are_sent(run_dag, emulator, ledger, links):
    run_dag(enroll(emulator, PEOPLE[:20], ledger_conn_id="ledger"))
    run = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger"))
    assert run.summary()["outcomes"] == {"enrolled": 30, "already_enrolled": 20}
    assert links_of(run.rows()) == links()


def test_a_row_that_changed_is_reported_and_not_sent(run_dag, emulator, ledger):
    def guest(user_id):
        return enroll(
            emulator,
            [{"id": "ada", "tenant_id": emulator.tenant_id, "user_id": user_id}],
            meeting_id=emulator.organization_meeting_id,
            ledger_conn_id="ledger",
        )

    run_dag(guest("ada"))
    run = run_dag(guest("lovelace"))
    (record,) = emulator.store.registrants(emulator.organization_meeting_id)
    assert run.state == "success"
    assert run.summary()["changed"] == 1
    assert "changed" in run.rows()[0]["error"]
    assert run.rows()[0]["join_web_url"] == record.join_web_url


def test_a_retry_goes_on_where_the_service_asked_for_too_much_patience(run_dag, emulator, ledger, links):
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="3600")
    tasks = enroll(
        emulator, PEOPLE, ledger_conn_id="ledger", max_parallel_requests=1, retries=1, retry_delay=timedelta(0)
    )
    run = run_dag(tasks)
    assert run.tries["enroll"] == 2
    assert run.summary()["outcomes"] == {"enrolled": 50}
    assert links_of(run.rows()) == links()


def test_without_a_named_ledger_a_retry_goes_on_where_airflow_keeps_a_tasks_state(run_dag, emulator, calls, links):
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="3600")
    run = run_dag(enroll(emulator, PEOPLE, max_parallel_requests=1, retries=1, retry_delay=timedelta(0)))
    if HAS_TASK_STATE_STORE:
        assert run.state == "success"
        assert calls("$batch") == ["POST $batch"] * 4
        assert links_of(run.rows()) == links()
    else:
        assert (run.state, run.tries["enroll"]) == ("failed", 1)
        assert links_of(row for row in run.rows() if row["outcome"] == "enrolled") == links()
    assert len(run.rows()) == 50


def test_people_of_somebody_else_fail_the_task_once_all_others_are_enrolled(run_dag, emulator, links, capfd):
    emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), "person-0")
    run = run_dag(enroll(emulator, PEOPLE, retries=1))
    said = "".join(capfd.readouterr())
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    assert "on_missing_join_url" in said
    assert "ledger_conn_id" in said
    assert run.summary()["outcomes"] == {"enrolled": 49, "already_enrolled": 1}
    assert run.summary()["links_missing"] == 1
    assert links_of(run.rows()) == links() | {"person-0": None}


def test_people_of_somebody_else_can_be_left_alone(run_dag, emulator, links):
    emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), "person-0")
    before = links()
    run = run_dag(enroll(emulator, PEOPLE[:2], on_missing_join_url="ignore"))
    assert run.state == "success"
    assert [row["outcome"] for row in run.rows()] == ["already_enrolled", "enrolled"]
    assert run.rows()[0]["join_web_url"] is None
    assert links()["person-0"] == before["person-0"]


def test_people_of_somebody_else_can_be_given_a_new_link(run_dag, emulator, links):
    emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), "person-0")
    before = links()
    run = run_dag(enroll(emulator, PEOPLE[:2], on_missing_join_url="re_enroll"))
    assert run.state == "success"
    assert links_of(run.rows()) == links()
    assert links()["person-0"] != before["person-0"]


def test_a_ledger_without_links_says_so_in_the_next_run(run_dag, emulator, ledger, calls, links):
    first = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger", store_join_urls=False))
    emulator.clear_journal()
    second = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger", store_join_urls=False))
    assert links_of(first.rows()) == links()
    assert second.state == "failed"
    assert second.summary()["links_missing"] == 50
    assert calls("$batch") == []


@pytest.mark.parametrize(
    ("connection", "problem"),
    [
        pytest.param(
            {"conn_type": "teams_registration"},
            "a connection of type 'teams_registration', which is not a SQL database. Name a connection to",
            id="of another kind",
        ),
        pytest.param(
            {"conn_type": "carrier_pigeon"},
            "a connection of type 'carrier_pigeon', and no installed provider package has a hook",
            id="of no known kind",
        ),
        pytest.param(
            None,
            "and Airflow knows no such connection, or cannot read it. Create it with 'airflow connections add', or "
            "correct ledger_conn_id.",
            id="not there",
        ),
    ],
)
def test_a_ledger_that_is_no_sql_database_fails_at_once(run_dag, emulator, monkeypatch, capfd, connection, problem):
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({**connection, "host": "h", "password": "hush-hush"}))
    run = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger", retries=1))
    said = said_by_tasks("".join(capfd.readouterr()))
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    assert f"ledger_conn_id is 'ledger', {problem}" in said
    assert "hush-hush" not in said
    assert emulator.store.journal == []


@pytest.mark.parametrize("table", ["people; DROP TABLE x", "a.b.c", ""])
def test_a_ledger_table_that_cannot_be_one_fails_at_once(run_dag, emulator, ledger, capfd, table):
    run = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger", ledger_table=table, retries=1))
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    assert "ledger_table" in "".join(capfd.readouterr())
    assert emulator.store.journal == []


def test_a_ledger_out_of_reach_is_left_to_the_retries_and_nobody_is_sent(run_dag, emulator, ledger, monkeypatch, capfd):
    nowhere = {"conn_type": "sqlite", "host": str(ledger.path / "is no folder" / "ledger.db")}
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps(nowhere))
    run = run_dag(enroll(emulator, PEOPLE, ledger_conn_id="ledger", retries=1, retry_delay=timedelta(0)))
    assert (run.state, run.tries["enroll"]) == ("failed", 2)
    assert "The ledger's database failed with OperationalError" in "".join(capfd.readouterr())
    assert "POST $batch" not in [f"{entry.method} {entry.path}" for entry in emulator.store.journal]


@pytest.mark.parametrize("is_good", [True, False], ids=["success", "failure"])
def test_the_same_counts_stand_in_xcom_the_last_log_line_and_the_ledger(
    run_dag, emulator, ledger, last_log_line, is_good
):
    run = run_dag(
        enroll(
            emulator,
            ["ada", "grace", "ada", ""],
            ledger_conn_id="ledger",
            ledger_table="guests",
            max_rejected=1 if is_good else 0,
        )
    )
    assert run.state == ("success" if is_good else "failed")
    ((in_ledger, ended_at),) = ledger.ask("SELECT summary, ended_at FROM guests_runs")
    assert run.summary()["outcomes"] == {"enrolled": 2, "invalid": 1}
    assert run.summary()["rows"] == 4
    assert json.loads(in_ledger) == run.summary()
    assert ended_at
    assert "3 registrants: 2 enrolled, 1 invalid (repeated rows left out: 1)." in last_log_line()


def test_a_task_of_nobody_leaves_counts_too(run_dag, emulator, ledger, last_log_line):
    run = run_dag(enroll(emulator, [], ledger_conn_id="ledger"))
    assert run.state == "success"
    assert run.summary()["rows"] == 0
    assert "0 registrants: nothing to do." in last_log_line()


@pytest.mark.parametrize("arguments", [{}, {"ledger_conn_id": "ledger", "store_join_urls": False}], ids=str)
def test_more_rows_than_xcom_may_hold_are_refused_without_a_place_for_them(run_dag, emulator, ledger, capfd, arguments):
    run = run_dag(enroll(emulator, PEOPLE, xcom_limit=49, retries=1, **arguments))
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    assert "There are more than 49 rows" in "".join(capfd.readouterr())
    assert emulator.store.journal == []


def test_long_results_are_read_back_page_by_page_in_mapped_tasks(run_dag, emulator, ledger, links, tmp_path):
    rows = [*PEOPLE, {"id": "", "email": "nobody@example.org"}, PEOPLE[0]]
    run = run_dag(
        f"""
        enrolled = {enroll(emulator, rows, ledger_conn_id="ledger", xcom_limit=10, max_rejected=1)}

        @task
        def pages(result):
            return enrollment_pages(result, page_size=20)

        @task
        def mail(page):
            import json, pathlib, uuid

            page = list(read_enrollments(page))
            pathlib.Path({str(tmp_path)!r}, uuid.uuid4().hex + ".json").write_text(json.dumps(page))

        mail.expand(page=pages(enrolled.output))

        @task
        def count(result):
            return len(list(read_enrollments(result)))

        count(enrolled.output)
        """
    )
    in_xcom = json.dumps(run.xcoms[("enroll", "return_value")])
    pages = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    read = [row for page in pages for row in page]
    assert run.state == "success"
    assert len(in_xcom) < 10_000
    assert not any(word in in_xcom for word in ("person-", "nobody", "meetup-join"))
    assert sorted(len(page) for page in pages) == [11, 20, 20]
    assert run.xcoms[("count", "return_value")] == 51
    assert links_of(row for row in read if row["id"]) == links()
    assert [row for row in read if not row["id"]] == [
        {
            "id": "",
            "email": "nobody@example.org",
            "outcome": "invalid",
            "join_web_url": None,
            "error": "id is empty",
        }
    ]


def test_a_long_input_of_few_people_leaves_a_reference_too(run_dag, emulator, ledger, links):
    run = run_dag(
        f"""
        @task
        def attendees():
            return [{{"id": "ada"}}] * 20

        enrolled = {enroll(emulator, "attendees()", ledger_conn_id="ledger", xcom_limit=10)}

        @task
        def read(result):
            return list(read_enrollments(result))

        read(enrolled.output)
        """
    )
    assert run.xcoms[("enroll", "return_value")]["rows"] == 20
    assert links_of(run.xcoms[("read", "return_value")]) == links()


def test_short_results_are_read_the_same_way(run_dag, emulator, links):
    run = run_dag(
        f"""
        enrolled = {enroll(emulator, PEOPLE)}

        @task
        def pages(result):
            return enrollment_pages(result, page_size=20)

        @task
        def read(pages):
            return [row for page in pages for row in read_enrollments(page)]

        read(pages(enrolled.output))
        """
    )
    assert links_of(run.xcoms[("read", "return_value")]) == links()


def test_a_failed_long_run_leaves_a_reference_to_everybody(run_dag, emulator, ledger, links):
    run = run_dag(
        f"""
        enrolled = {enroll(emulator, [*PEOPLE, ""], ledger_conn_id="ledger", xcom_limit=10)}

        @task(trigger_rule="all_done")
        def read(ti=None):
            return list(read_enrollments(ti.xcom_pull(task_ids="enroll")))

        enrolled >> read()
        """
    )
    assert run.tasks["enroll"] == "failed"
    assert len(run.xcoms[("read", "return_value")]) == 51
    assert links_of(row for row in run.xcoms[("read", "return_value")] if row["id"]) == links()


def test_a_mapped_task_right_behind_a_long_result_is_refused_before_anybody_is_sent(run_dag, emulator, ledger, capfd):
    run = run_dag(
        f"""
        enrolled = {enroll(emulator, PEOPLE, ledger_conn_id="ledger", xcom_limit=10)}

        @task
        def mail(row):
            pass

        mail.expand(row=enrolled.output)
        """
    )
    assert run.tasks["enroll"] == "failed"
    assert "Map over enrollment_pages()" in "".join(capfd.readouterr())
    assert emulator.store.journal == []


def test_the_limit_may_come_from_another_task(run_dag, emulator, links):
    run = run_dag(
        f"""
        @task
        def limit():
            return "50%"

        {enroll(emulator, ["ada", ""]).replace("task_id=", "max_rejected=limit(), task_id=")}
        """
    )
    assert run.state == "success"
    assert list(links()) == ["ada"]


def test_options_of_the_ledger_may_be_templates(run_dag, emulator, ledger):
    run = run_dag(enroll(emulator, ["ada"], ledger_conn_id="{{ 'ledger' }}", ledger_table="{{ 'guests' }}"))
    assert run.state == "success"
    assert ledger.ask("SELECT outcome, dag_id <> '', task FROM guests") == [("enrolled", 1, "enroll")]
