"""``teams-registration crash-test``: kills real runs of a DAG in Airflow."""

import tempfile
from pathlib import Path
from textwrap import dedent

import pytest

from airflow_provider_teams_registration.cli import main
from airflow_provider_teams_registration.crash_test.attempt import make_attempt

HEAD = """
from airflow.providers.common.compat.sdk import DAG, task
from airflow_provider_teams_registration.graph.online_meeting import ExternalMeetingRegistrant
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
"""
ENROLLS = """
with DAG("enrolls", schedule=None):
    EnrollRegistrantOperator(
        task_id="enroll", meeting_id="my-meeting", organizer_id="{organizer}", registrants=["crm-1", "crm-2", "crm-3"]
    )
"""
BOTH = """
with DAG("both", schedule=None):
    @task
    def send_and_hope():
        TeamsRegistrationHook().online_meeting("my-meeting", "{organizer}").enroll([ExternalMeetingRegistrant("crm-0")])
    send_and_hope() >> EnrollRegistrantOperator(
        task_id="enroll",
        meeting_id="my-meeting",
        organizer_id="{organizer}",
        registrants=["crm-1", "crm-2", "crm-3"],
        ledger_conn_id="ledger",
    )
"""


@pytest.fixture
def dag_file(tmp_path, emulator):
    def write(text):
        file = tmp_path / "my_dag.py"
        file.write_text(HEAD + dedent(text).format(organizer=emulator.organizer_id))
        return str(file)

    return write


@pytest.mark.airflow
def test_operator_survives_a_kill_and_a_task_that_only_sends_does_not(dag_file, capsys, tmp_path, monkeypatch):
    # After a kill with findings the command keeps its folder.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    code = main(["crash-test", dag_file(BOTH), "--meeting", "my-meeting", "--every", "6", "--max", "2"])

    said, err = capsys.readouterr()
    assert "4 people registered, 3 rows with a link returned. 2 kills follow." in said, err
    of_task, of_operator = (line for line in said.splitlines() if "after it was executed" in line)
    assert "3 POST $batch" in of_task
    assert of_task.endswith("WRONG: 1 person registered twice")
    assert of_operator.endswith("everybody once, with their own link")
    assert "1 of 2 kills are harmless." in said
    assert code == 1


def test_missing_file_is_named(capsys):
    assert main(["crash-test", "no_such_dag.py"]) == 2
    assert capsys.readouterr().err == f"There is no file {Path('no_such_dag.py').absolute()}.\n"


@pytest.mark.parametrize("seconds", ["nan", "-1", "inf", "1e300", "soon"])
def test_seconds_that_are_none_are_refused_as_an_argument(capsys, seconds):
    with pytest.raises(SystemExit) as ended:
        main(["crash-test", __file__, f"--timeout={seconds}"])

    assert ended.value.code == 2
    assert "argument --timeout: " in capsys.readouterr().err


@pytest.mark.airflow
def test_time_that_is_too_short_for_airflow_is_said(capsys):
    assert main(["crash-test", __file__, "--timeout", "0"]) == 2
    assert "did not end in 0 s" in capsys.readouterr().err


@pytest.mark.airflow
def test_airflow_that_cannot_be_imported_is_said(capsys, monkeypatch, tmp_path):
    (tmp_path / "airflow.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")

    assert main(["crash-test", __file__]) == 2
    assert capsys.readouterr().err.startswith("Airflow cannot be imported; ")


@pytest.mark.airflow
@pytest.mark.parametrize(
    ("text", "dag_id", "says"),
    [
        ("# no DAG of Airflow", "", "There is no DAG in "),
        ("raise ValueError('wrong')", "", "ValueError: wrong"),
        ("raise ValueError('wrong\\nSee:\\n* https://docs.example')", "", "ValueError: wrong"),
        (ENROLLS, "other", "There is no DAG 'other' in "),
        (ENROLLS + BOTH, "", "has several DAGs: both, enrolls. Choose one with --dag-id."),
    ],
)
def test_file_without_the_dag_says_so(dag_file, airflow_database, tmp_path, text, dag_id, says):
    ending = tmp_path / "ending.json"

    make_attempt(dag_file(text), dag_id, "2026-01-01T00:00:00+00:00", 1.0, str(ending), {})

    assert "unusable" in ending.read_text()
    assert says in ending.read_text()


@pytest.mark.airflow
def test_ledger_that_is_not_sqlite_is_refused(dag_file, airflow_database, tmp_path, monkeypatch):
    text = ENROLLS.replace("task_id=", 'ledger_conn_id="warehouse", task_id=')
    ending = tmp_path / "ending.json"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgres://localhost/warehouse")

    make_attempt(dag_file(text), "", "2026-01-01T00:00:00+00:00", 1.0, str(ending), {})

    assert "The ledger's connection 'warehouse' is not SQLite." in ending.read_text()
