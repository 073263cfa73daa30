"""The first DAG of the README does what the README says, run as it is written."""

import json
import os
from pathlib import Path

import pytest

from tests.docs_pages import ROOT, code_blocks
from tests.mail_server import MailServer
from tests.run_dag import run_dag_file

pytestmark = pytest.mark.airflow


def test_second_run_enrolls_and_mails_nobody_and_returns_the_same_links(airflow_database, emulator, monkeypatch):
    _, code = next(code_blocks(ROOT / "README.md", "python"))
    file = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]) / "first_registration.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(code, encoding="utf-8")
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))
    monkeypatch.setenv("AIRFLOW_VAR_TEAMS_WEBINAR_ID", emulator.webinar_id)

    smtp = {"conn_type": "smtp", "host": "127.0.0.1", "extra": {"disable_ssl": True, "disable_tls": True}}

    with MailServer() as mail_server:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps({**smtp, "port": mail_server.port}))
        runs = [run_dag_file(file, "first_registration") for _ in range(2)]

    assert [run.state for run in runs] == ["success", "success"]
    assert [[row["outcome"] for row in run.rows()] for run in runs] == [["enrolled"] * 2, ["already_enrolled"] * 2]
    first, second = ([row["join_web_url"] for row in run.rows()] for run in runs)
    assert first == second
    assert mail_server.addresses == ["ada@example.org", "grace@example.org"]
    assert all(
        link in mail.get_body(("plain",)).get_content() for link, mail in zip(first, mail_server.mails, strict=True)
    )
    assert all(link.startswith("https://") for link in first)
