"""Every way to sign in that needs no person, in one DAG."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import airflow
import pytest

from airflow_provider_teams_registration.emulator.store.seeded import IDENTITY_HEADER

pytestmark = pytest.mark.airflow

WAYS = ("client_secret", "certificate", "workload_identity", "managed_identity")


def test_task_of_each_way_to_sign_in_enrolls_and_shows_no_secret(run_dag, emulator, monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for name, value in emulator.machine_environment("app_service").items():
        monkeypatch.setenv(name, value)
    connections = {way: emulator.connection(way) for way in WAYS}
    for way, connection in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_BY_{way.upper()}", json.dumps(connection))
    tasks = "\n".join(
        f"EnrollRegistrantOperator(task_id='{way}', conn_id='by_{way}', meeting_id='{emulator.meeting_id}', "
        f"organizer_id='{emulator.organizer_id}', registrants=['{way}'])"
        for way in WAYS
    )

    run = run_dag(tasks)

    said = caplog.text + "".join(capfd.readouterr())
    if airflow.__version__.startswith("3.0."):
        # At DEBUG, this version logs each secret that it is asked to mask. docs/privacy.md says so.
        said = "\n".join(line for line in said.splitlines() if "MaskSecret" not in line)
    assert run.state == "success"
    assert {record.id for record in emulator.store.enrolled(emulator.meeting_id)} == set(WAYS)
    for secret in ("PRIVATE KEY", emulator.client_secret, IDENTITY_HEADER, "client_assertion"):
        assert secret not in said
    token = Path(connections["workload_identity"]["extra"]["federated_token_file"]).read_text()
    assert token[-30:] not in said
