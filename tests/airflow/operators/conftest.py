"""A ledger's database, as Airflow and as the tests reach it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class LedgerDatabase:
    """
    The SQLite database behind the Airflow connection ``ledger``.

    :param path: its file.
    """

    path: Path

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute(sql).fetchall()
            connection.commit()
        return found


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """A ledger that is still empty."""
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return LedgerDatabase(path)
