from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import jsonschema
import pytest

from airflow_provider_teams_registration import get_provider_info
from tests.run_dag import HAS_TASK_STATE_STORE

PACKAGE = "airflow_provider_teams_registration"


def in_a_fresh_process(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def schema(name):
    spec = importlib.util.find_spec("airflow")
    path = Path(spec.submodule_search_locations[0]) / name
    return json.loads(path.read_text())


def test_airflow_finds_the_provider():
    (found,) = [point for point in entry_points(group="apache_airflow_provider") if point.value.startswith(PACKAGE)]
    assert found.load()() == get_provider_info()


@pytest.mark.parametrize("name", ["provider_info.schema.json", "provider.yaml.schema.json"])
def test_what_airflow_is_told_fits_its_schema(name):
    described = schema(name)
    if name == "provider.yaml.schema.json":
        # Of the full description only the connection form concerns a third party.
        described = described["properties"]["connection-types"]
        jsonschema.validate(get_provider_info()["connection-types"], described)
    else:
        jsonschema.validate(get_provider_info(), described)


def test_everything_that_is_named_can_be_imported():
    info = get_provider_info()
    modules = [module for kind in ("hooks", "operators", "sensors", "triggers") for module in info[kind]]
    transfers = [entry["python-module"] for entry in info["transfers"]]
    for module in [*transfers, *(name for entry in modules for name in entry["python-modules"])]:
        assert importlib.util.find_spec(module), module
    for path in [*info["extra-links"], info["connection-types"][0]["hook-class-name"]]:
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name), path


def test_secrets_are_typed_blind():
    fields = get_provider_info()["connection-types"][0]["conn-fields"]
    assert fields["refresh_token"]["schema"]["format"] == "password"
    assert fields["auth"]["schema"]["enum"] == ["client_secret", "refresh_token"]


def test_the_registry_lists_every_class_that_a_dag_file_names():
    listed = (Path(__file__).parents[1] / ".airflow-registry.yaml").read_text()
    for path in (
        "operators.enroll.EnrollRegistrantOperator",
        "operators.cancel.CancelRegistrantOperator",
        "operators.registration.OpenRegistrationOperator",
        "operators.registration.CloseRegistrationOperator",
        "operators.registration.PublishWebinarOperator",
        "operators.registration.FindEventOperator",
        "transfers.sql.SqlToTeamsRegistrationOperator",
        "sensors.registration.RegistrationOpenSensor",
        "sensors.registrant.RegistrantStatusSensor",
        "hooks.teams_registration.TeamsRegistrationHook",
    ):
        assert f"module: {PACKAGE}.{path}\n" in listed
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(f"{PACKAGE}.{module}"), name)


@pytest.mark.parametrize(
    "below",
    [
        "operators.enroll",
        "operators.cancel",
        "operators.registration",
        "transfers.sql",
        "sensors.registration",
        "sensors.registrant",
        "hooks.teams_registration",
        "hooks.sql",
        "hooks.ledger",
        "read_enrollments",
        pytest.param(
            "retry_policy",
            marks=pytest.mark.skipif(not HAS_TASK_STATE_STORE, reason="retry policies came with Airflow 3.3"),
        ),
    ],
)
def test_a_dag_file_pays_for_nothing_heavy(below):
    heavy = ("msal", "requests", "fastapi", "sqlalchemy", "uvicorn", "tenacity", "urllib3")
    # What Airflow itself brings along is not ours to account for.
    code = (
        "import sys; import airflow.providers.common.compat.sdk as sdk; import airflow.triggers.base;"
        "[getattr(sdk, name) for name in ('BaseOperator', 'BaseSensorOperator', 'BaseHook', 'BaseOperatorLink',"
        " 'XComArg', 'XCom', 'PokeReturnValue', 'conf', 'AirflowException', 'AirflowFailException',"
        " 'XCOM_RETURN_KEY')];"
        "before = set(sys.modules);"
        f"import {PACKAGE}.{below};"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    assert not set(in_a_fresh_process(code).split()) & set(heavy)


def test_the_form_of_older_airflows_has_the_same_fields():
    pytest.importorskip("flask_appbuilder")
    from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook

    fields = get_provider_info()["connection-types"][0]["conn-fields"]
    assert set(TeamsRegistrationHook.get_connection_form_widgets()) == set(fields)
    assert TeamsRegistrationHook.get_ui_field_behaviour()["relabeling"]["password"] == "Client secret"


def test_airflows_command_line_shows_the_provider():
    airflow = Path(sys.executable).parent / "airflow"
    shown = [
        subprocess.run([airflow, *command], check=True, capture_output=True, text=True).stdout
        for command in (["providers", "get", "airflow-provider-teams-registration"], ["providers", "hooks"])
    ]
    assert "airflow-provider-teams-registration" in shown[0]
    assert "teams_registration" in shown[1]
