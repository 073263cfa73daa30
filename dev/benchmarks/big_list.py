"""``python -m dev.benchmarks.big_list``: 500, 5,000 and 50,000 people straight from SQL, and the same once more."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from rich.console import Console
from rich.table import Table

from dev.benchmarks.airflow_run import AirflowHome, Taken
from dev.benchmarks.baselines.ours import ours_connection
from dev.benchmarks.service import Service

SIZES = (500, 5_000, 50_000)
POSTGRES = os.environ.get("TEAMS_REGISTRATION_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
_TABLES = ("big_list", "big_list_ledger", "big_list_ledger_runs", "big_list_ledger_rows")


def sqlite_connection(folder: Path) -> dict[str, Any]:
    """Make a warehouse in a file."""
    file = folder / "warehouse.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE big_list (id TEXT, email TEXT, name TEXT)")
        connection.executemany("INSERT INTO big_list VALUES (?, ?, ?)", _people())
    return {"conn_type": "sqlite", "host": str(file)}


def postgres_connection(_: Path) -> dict[str, Any]:
    """Make a warehouse in PostgreSQL."""
    connection = psycopg2.connect(POSTGRES)
    with connection, connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute("CREATE TABLE big_list (id TEXT, email TEXT, name TEXT)")
        cursor.executemany("INSERT INTO big_list VALUES (%s, %s, %s)", _people())
    told = connection.get_dsn_parameters()
    connection.close()
    return {
        "conn_type": "postgres",
        "host": told["host"],
        "port": int(told["port"]),
        "login": told["user"],
        "schema": told["dbname"],
    }


def _people() -> list[tuple[str, str, str]]:
    return [(f"crm-{number:06d}", f"person.{number}@example.org", f"Person {number}") for number in range(max(SIZES))]


@dataclass(frozen=True)
class Listed:
    """
    What one run over one list took.

    :param people: length of the list.
    :param what: first run or idle re-run.
    :param taken: what the DAG run took.
    :param writes: HTTP calls that write.
    :param reads: HTTP calls that read.
    :param on_event: how many are on the event then.
    """

    people: int
    what: str
    taken: Taken
    writes: int
    reads: int
    on_event: int


def take(
    service: Service,
    warehouse: Mapping[str, Any],
    sizes: Sequence[int] = SIZES,
    latency: float = 0.0,
    is_warm: bool = False,
) -> Iterator[Listed]:
    """Enroll lists of all sizes from one warehouse, each twice."""
    service.reset(page_size=1000, latency=latency)
    airflow = AirflowHome({**ours_connection(service), "warehouse": warehouse}, service.environment, is_warm=is_warm)
    for size in sizes:
        meeting_id = f"{size} people"
        service.add_meeting(meeting_id)
        task = _task(meeting_id, service.organizer_id, size)
        for what in ("first run", "idle re-run"):
            service.forget_requests()
            taken = airflow.run(task, f"enroll_{size}")
            calls = Counter(
                "writes" if entry["method"] != "GET" else "reads"
                for entry in service.journal()
                if entry["batch"] is None
            )
            yield Listed(size, what, taken, calls["writes"], calls["reads"], len(service.links(meeting_id)))
    airflow.remove()


def measure(service: Service, table: Table, name: str, warehouse: Mapping[str, Any]) -> None:
    """Add the figures of one warehouse to the table."""
    for listed in take(service, warehouse):
        taken = listed.taken
        figures = (f"{taken.seconds:.1f} s", f"{taken.peak_mb:.0f} MB", f"{taken.xcom_bytes:,} B")
        counts = (str(listed.writes), str(listed.reads), f"{listed.on_event:,}")
        table.add_row(name, f"{listed.people:,}", listed.what, taken.state, *figures, *counts)


def _task(meeting_id: str, organizer_id: str, size: int) -> str:
    return f"""
from airflow_provider_teams_registration.transfers.sql import SqlToTeamsRegistrationOperator
SqlToTeamsRegistrationOperator(
    task_id="enroll",
    sql="SELECT id, email, name FROM big_list ORDER BY id LIMIT {size}",
    sql_conn_id="warehouse",
    ledger_conn_id="warehouse",
    ledger_table="big_list_ledger",
    xcom_limit=100,
    meeting_id={meeting_id!r},
    organizer_id={organizer_id!r},
)
"""


def main() -> int:
    """Measure both warehouses and print the table."""
    columns = ("warehouse", "people", "", "state", "time", "peak memory", "XCom", "writes", "reads", "on the event")
    table = Table(*columns)
    warehouses: dict[str, Callable[[Path], dict[str, Any]]] = {
        "SQLite": sqlite_connection,
        "PostgreSQL": postgres_connection,
    }
    with tempfile.TemporaryDirectory() as folder, Service() as service:
        for name, make in warehouses.items():
            measure(service, table, name, make(Path(folder)))
    Console(width=130).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
