"""What comes along when the client or the engine is imported."""

import subprocess
import sys
from functools import cache

import pytest

LIST_WHAT_IS_IMPORTED = """
import importlib, pkgutil, sys
package = importlib.import_module("airflow_provider_teams_registration.{package}")
for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
    if not module.name.rpartition(".")[2].startswith("sql_"):
        importlib.import_module(module.name)
print(*sorted(name for name in sys.modules if "." not in name))
print(*sorted(name for name in sys.modules if name.startswith(package.__name__ + ".")))
"""


@cache
def imported_with(package):
    script = LIST_WHAT_IS_IMPORTED.format(package=package)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    everything, ours = done.stdout.splitlines()
    return set(everything.split()), ours.split()


@pytest.mark.parametrize("package", ["graph", "enrollment"])
def test_client_and_engine_import_no_airflow(package):
    everything, ours = imported_with(package)

    assert len(ours) >= 4
    assert "airflow" not in everything


def test_engine_without_its_sql_ledger_imports_nothing_heavy():
    everything, _ = imported_with("enrollment")

    assert everything.isdisjoint({"requests", "msal", "urllib3", "tenacity", "fastapi", "sqlalchemy"})


def test_client_imports_nothing_of_the_emulator():
    everything, _ = imported_with("graph")

    assert everything.isdisjoint({"fastapi", "uvicorn", "starlette", "trustme", "sqlalchemy"})
