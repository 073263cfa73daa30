"""The page of the documentation names what there is, and nothing else."""

import re
from dataclasses import MISSING, asdict, fields

import pytest

from airflow_provider_teams_registration.emulator.behaviour.faults import Fault
from airflow_provider_teams_registration.emulator.behaviour.switches import CHOICES, Switches
from airflow_provider_teams_registration.emulator.server import Emulator


@pytest.fixture
def rows(request):
    """Reads the table rows of a section, as lists of cells."""
    page = (request.config.rootpath / "docs" / "emulator.md").read_text(encoding="utf-8")

    def read(heading):
        section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        return [
            [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:3] == "| `"
        ]

    return read


def test_every_switch_is_told_with_its_default_and_choices(rows):
    told = {row[0].strip("`"): re.findall("`([^`]+)`", row[1]) for row in rows("Switches")}

    assert {name: "".join(values[:1]) for name, values in told.items()} == {
        name: str(value) for name, value in asdict(Switches()).items()
    }
    assert {name: tuple(told[name]) for name in CHOICES} == dict(CHOICES)


def test_every_argument_of_a_fault_is_told_with_its_default(rows):
    told = {row[0].strip("`"): row[1].strip("`") for row in rows("Faults")}

    unsaid = (None, "", MISSING)
    assert told == {field.name: "" if field.default in unsaid else str(field.default) for field in fields(Fault)}


def test_seeded_ids_are_told(request):
    page = (request.config.rootpath / "docs" / "emulator.md").read_text(encoding="utf-8")

    told = dict(re.findall(r"^\| [a-z ]+ \| `(\w+)` \| `([^`]+)` \|$", page, re.MULTILINE))

    assert len(told) == 20
    assert told == {name: getattr(Emulator, name) for name in told}


def test_every_admin_route_is_told_and_there(rows, emulator, http):
    described = http.get(f"{emulator.url}/emulator/openapi.json", timeout=10).json()["paths"]
    there = {
        f"{method.upper()} {path}"
        for path, methods in described.items()
        if path == "/" or path.startswith("/emulator")
        for method in methods
    }

    assert {row[0].strip("`") for row in rows("Admin API")} == there
