"""Measure 4: long lists straight from SQL, time per person and memory against their length."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev.benchmarks.airflow_run import AirflowHome
from dev.benchmarks.baselines import httpx_batch, ours
from dev.benchmarks.baselines.baseline import Baseline
from dev.benchmarks.big_list import sqlite_connection, take
from dev.benchmarks.measures.options import Options
from dev.benchmarks.measures.sheet import Sheet
from dev.benchmarks.service import LATENCY, Service


def measure(service: Service, options: Options) -> Iterator[Sheet]:
    """Enroll lists of all lengths from SQLite, each twice; then a long one that a task hands on, beside (e8)."""
    yield _from_sql(service, options)
    people, ways = options.long_people, (httpx_batch.AS_WIDE, ours.BASELINE, ours.WITH_SQL_LEDGER)
    yield Sheet(
        "long_list",
        f"   {people:,} people handed on by XCom, eight calls at a time each",
        [_row(baseline, service, people) for baseline in ways],
        ["(f) and (fs) with an xcom_limit that lets all rows through, as (e8) does. Run once."],
    )


def _from_sql(service: Service, options: Options) -> Sheet:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for listed in take(service, sqlite_connection(Path(folder)), options.lists, LATENCY, is_warm=True):
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
    return Sheet(
        "big_lists",
        "4. Long lists from SQL, this provider",
        rows,
        [
            "SqlToTeamsRegistrationOperator, warehouse and ledger in SQLite; PostgreSQL too: "
            "python -m dev.benchmarks.big_list"
        ],
    )


def _row(baseline: Baseline, service: Service, people: int) -> dict[str, Any]:
    service.reset()
    home = AirflowHome(baseline.connections(service), service.environment, is_warm=True)
    home.add_ledger()
    text = baseline.text(service, people).replace("registrants=people(),", "registrants=people(), xcom_limit=PEOPLE,")
    taken = home.run(text)
    home.remove()
    return {
        "way": baseline.title,
        "state": taken.state,
        "seconds": taken.seconds,
        "ms per person": round(taken.seconds / people * 1000, 3),
        "CPU s": taken.cpu_seconds,
        "API CPU s": taken.api_cpu_seconds,
        "peak MB": taken.peak_mb,
        "HTTP calls": service.http_calls(),
        "on the event": len(service.links()),
    }
