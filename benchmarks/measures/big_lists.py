"""Measure 4: long lists straight from SQL, time per person and memory against their length."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.big_list import sqlite_connection, take
from benchmarks.measures.options import Options
from benchmarks.measures.sheet import Sheet
from benchmarks.service import LATENCY


def measure(options: Options) -> Iterator[Sheet]:
    """Enroll lists of all lengths from SQLite, each twice."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for listed in take(sqlite_connection(Path(folder)), options.lists, latency=LATENCY, is_warm=True):
            rows.append(
                {
                    "people": listed.people,
                    "run": listed.what,
                    "state": listed.taken.state,
                    "seconds": listed.taken.seconds,
                    "ms per person": round(listed.taken.seconds / listed.people * 1000, 3),
                    "CPU s": listed.taken.cpu_seconds,
                    "peak MB": listed.taken.peak_mb,
                    "XCom bytes": listed.taken.xcom_bytes,
                    "writes": listed.writes,
                    "reads": listed.reads,
                    "on the event": listed.on_event,
                }
            )
    yield Sheet(
        "big_lists",
        "4. Long lists from SQL, this provider",
        rows,
        [
            "SqlToTeamsRegistrationOperator, warehouse and ledger in SQLite; PostgreSQL too: "
            "python -m benchmarks.big_list"
        ],
    )
