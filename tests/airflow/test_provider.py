from __future__ import annotations

import importlib
import importlib.util
import json
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import jsonschema
import pytest

from airflow_provider_teams_registration import get_provider_info
from tests.run_dag import HAS_TASK_STATE_STORE

PACKAGE = "airflow_provider_teams_registration"
NEEDS_RETRY_POLICIES = pytest.mark.skipif(not HAS_TASK_STATE_STORE, reason="retry policies came with Airflow 3.3")
# By module, what a DAG file does with it.
USES = {
    "operators.enroll": "EnrollRegistrantOperator(task_id='t', meeting_id='m', registrants=['crm-1'])",
    "operators.cancel": "CancelRegistrantOperator(task_id='t', meeting_id='m', registrants=['crm-1'])",
    "operators.registration": "OpenRegistrationOperator(task_id='t', meeting_id='m')",
    "operators.mail": "MailJoinLinksOperator(task_id='t', registrants=[], smtp_conn_id='s', from_email='a@b.c')",
    "operators.check_setup": "CheckSetupOperator(task_id='t', webinar_id='w')",
    "operators.consent": "ConsentForEventOperator(task_id='t', teams_app_id='a', webinar_id='w')",
    "transfers.sql": "SqlToTeamsRegistrationOperator(task_id='t', meeting_id='m', sql='SELECT 1', sql_conn_id='c')",
    "sensors.registration": "RegistrationOpenSensor(task_id='t', meeting_id='m')",
    "sensors.registrant": "RegistrantStatusSensor(task_id='t', webinar_id='w', registrants=['crm-1'])",
    "hooks.teams_registration": "TeamsRegistrationHook()",
    "links.meeting": "MeetingLink()",
    "read_enrollments": "enrollment_pages([])",
    "retry_policy": "TeamsRegistrationRetryPolicy()",
}
USED = [pytest.param(name, marks=NEEDS_RETRY_POLICIES if name == "retry_policy" else ()) for name in USES]
# What Airflow itself brings along is not ours to account for.
BEYOND_A_BARE_DAG = """
import sys
from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseOperator, BaseOperatorLink, BaseSensorOperator
with DAG("bare"):
    BaseOperator(task_id="task")
    BaseSensorOperator(task_id="sensor")
before = set(sys.modules)
{file}
print(*set(sys.modules) - before)
"""


def in_a_fresh_process(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


@cache
def brought_along(file):
    """The modules that a DAG file loads beyond those of a bare DAG."""
    return set(in_a_fresh_process(BEYOND_A_BARE_DAG.format(file=file)).split())


def brought_along_by_use(below):
    use = USES[below]
    name = use.partition("(")[0]
    return brought_along(f"from {PACKAGE}.{below} import {name}\nwith DAG('ours'):\n    {use}")


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
    secrets = ("refresh_token", "private_key", "proxies")
    assert {fields[name]["schema"]["format"] for name in secrets} == {"password"}
    assert "enum" in fields["auth"]["schema"]


def test_form_shows_the_tenant_among_the_standard_fields_and_suggests_values_for_the_others():
    (kind,) = get_provider_info()["connection-types"]
    form = kind["ui-field-behaviour"]
    assert form["relabeling"]["schema"] == "Tenant ID"
    assert {"schema", "login", "password"} == set(form["placeholders"]) == set(form["relabeling"])
    assert "schema" not in form["hidden-fields"]
    for name, field in kind["conn-fields"].items():
        shown = field["schema"]
        assert any(key in shown for key in ("examples", "enum", "format")) or "boolean" in shown["type"], name
    assert "docs/sign-in.md" in kind["conn-fields"]["auth"]["description"]


def test_every_module_with_classes_for_airflow_is_named():
    info = get_provider_info()
    named = {
        name for kind in ("operators", "sensors", "triggers") for one in info[kind] for name in one["python-modules"]
    }
    root = Path(importlib.util.find_spec(PACKAGE).origin).parent
    defined = re.compile(
        r"^class [A-Z]\w*(?:RegistrantOperator|EventOperator|LinksOperator|Sensor|Trigger)\b", re.MULTILINE
    )
    for kind in ("operators", "sensors", "triggers"):
        for file in (root / kind).glob("*.py"):
            if defined.search(file.read_text(encoding="utf-8")):
                assert f"{PACKAGE}.{kind}.{file.stem}" in named


def test_the_registry_lists_every_class_that_a_dag_file_names():
    listed = (Path(__file__).parents[2] / ".airflow-registry.yaml").read_text()
    for path in (
        "operators.enroll.EnrollRegistrantOperator",
        "operators.cancel.CancelRegistrantOperator",
        "operators.registration.OpenRegistrationOperator",
        "operators.registration.CloseRegistrationOperator",
        "operators.registration.PublishWebinarOperator",
        "operators.registration.FindEventOperator",
        "operators.check_setup.CheckSetupOperator",
        "operators.consent.ConsentForEventOperator",
        "operators.mail.MailJoinLinksOperator",
        "transfers.sql.SqlToTeamsRegistrationOperator",
        "sensors.registration.RegistrationOpenSensor",
        "sensors.registrant.RegistrantStatusSensor",
        "triggers.registrant.NextLookTrigger",
        "triggers.registration.RegistrationOpenTrigger",
        "triggers.resume.ResumeTrigger",
        "hooks.teams_registration.TeamsRegistrationHook",
    ):
        assert f"module: {PACKAGE}.{path}\n" in listed
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(f"{PACKAGE}.{module}"), name)


@pytest.mark.parametrize(
    "below", [*USED, "hooks.sql", "hooks.ledger", "triggers.registration", "triggers.registrant", "triggers.resume"]
)
def test_a_dag_file_pays_for_nothing_heavy(below):
    brought = brought_along_by_use(below) if below in USES else brought_along(f"import {PACKAGE}.{below}")

    heavy = {"msal", "requests", "fastapi", "sqlalchemy", "uvicorn", "tenacity", "urllib3"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in brought)


@pytest.mark.parametrize("below", USED)
def test_a_dag_file_brings_neither_engine_nor_client_nor_triggers(below):
    ours = {name.removeprefix(f"{PACKAGE}.") for name in brought_along_by_use(below)}

    assert below in ours
    heavy = {name for name in ours if name.startswith(("enrollment.", "events.", "graph.", "triggers.", "emulator."))}
    # These read and check arguments, and say what is wrong with them.
    light = {
        "enrollment.max_rejected",
        "events.id_checks",
        "events.kinds",
        "events.named_event",
        "events.reference",
        "graph.arguments",
        "graph.backoff",
        "graph.event_link",
        "graph.settings",
    }
    assert heavy <= light


@pytest.mark.parametrize("below", USED)
def test_a_dag_file_brings_no_more_of_airflow_than_base_classes(below):
    airflows = {name for name in brought_along_by_use(below) if name.partition(".")[0] == "airflow"}

    heavy = ("airflow.models", "airflow.triggers", "airflow.utils.db", "airflow.providers.standard")
    assert [name for name in airflows if name.startswith(heavy)] == []


@pytest.mark.parametrize("below", ["triggers.registration", "triggers.registrant"])
def test_a_trigger_brings_the_client_when_it_looks(below):
    brought = brought_along(f"import {PACKAGE}.{below}")

    assert brought.isdisjoint({f"{PACKAGE}.graph.{name}" for name in ("session", "webinar", "online_meeting", "batch")})


def test_the_form_of_older_airflows_has_the_same_fields():
    pytest.importorskip("flask_appbuilder")
    from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook

    fields = get_provider_info()["connection-types"][0]["conn-fields"]
    widgets = TeamsRegistrationHook.get_connection_form_widgets()
    assert set(widgets) == set(fields)
    # Airflow 2 drops the connection type if its form has a field of another class.
    known = {"BooleanField", "IntegerField", "PasswordField", "StringField"}
    assert {widget.field_class.__name__ for widget in widgets.values()} <= known
    assert TeamsRegistrationHook.get_ui_field_behaviour()["relabeling"]["schema"] == "Tenant ID"


def test_airflows_command_line_shows_the_provider():
    airflow = Path(sys.executable).parent / "airflow"
    shown = [
        subprocess.run([airflow, *command], check=True, capture_output=True, text=True).stdout
        for command in (["providers", "get", "airflow-provider-teams-registration"], ["providers", "hooks"])
    ]
    assert "airflow-provider-teams-registration" in shown[0]
    assert "teams_registration" in shown[1]
