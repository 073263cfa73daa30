"""The doctor's command, against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from airflow_provider_teams_registration.cli import main


@dataclass(frozen=True)
class Examined:
    """
    What a run of the doctor left behind.

    :param exit_code: its exit code.
    :param findings: its findings.
    :param text: all that it printed.
    """

    exit_code: int
    findings: list[dict[str, Any]]
    text: str

    @property
    def missing(self) -> list[dict[str, Any]]:
        """What is missing and required."""
        return [one for one in self.findings if one["verdict"] == "missing" and one["required"]]

    def of(self, check: str) -> dict[str, Any]:
        """The finding of a check."""
        (found,) = [one for one in self.findings if one["check"] == check]
        return found


@pytest.fixture
def connect(emulator, monkeypatch) -> Callable[..., None]:
    """Declare the default connection, changed as told."""

    def declare(auth: str = "client_secret", extra: dict[str, Any] | None = None, **fields: Any) -> None:
        connection = emulator.connection(auth)
        connection["extra"] |= extra or {}
        connection |= fields
        monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(connection))

    declare()
    return declare


@pytest.fixture
def doctor(connect, emulator, capsys) -> Callable[..., Examined]:
    """Run the doctor with ``--json``. It never writes."""

    def run(*arguments: str) -> Examined:
        capsys.readouterr()
        exit_code = main(["doctor", "--json", *arguments])
        printed = capsys.readouterr()
        writes = [
            (one.method, one.path)
            for one in emulator.store.journal
            if one.effect or (one.method != "GET" and not one.path.endswith("/$batch"))
        ]
        assert writes == []
        body = json.loads(printed.out)
        assert body["exit_status"] == exit_code
        return Examined(exit_code, body["findings"], printed.out + printed.err)

    return run
