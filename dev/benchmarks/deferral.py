"""
Measure how much of a worker slot a long webinar takes with ``deferrable``: ``python -m dev.benchmarks.deferral``.

A scheduler, a triggerer, a DAG processor and an API server run one task, which registers people at the service's limit.
The state of the task is read ten times a second. ``--kill-worker`` and ``--restart-triggerer`` disturb the run once.
``--store`` puts the row into ``results.json``, from which ``python -m dev.benchmarks docs`` takes it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console

from dev.benchmarks.airflow_run import ROOT, AirflowHome
from dev.benchmarks.baselines import ours
from dev.benchmarks.measures.sheet import Sheet
from dev.benchmarks.service import Service, doubles_and_losses
from dev.benchmarks.table import DEFERRAL

RESULTS = ROOT / "dev" / "benchmarks" / "results.json"
LIMIT = 15
_EVERY = 0.1
_STARTS_WITHIN = 180.0
_PARTS = {
    "api-server": ("api-server", "--host", "127.0.0.1", "--port"),
    "scheduler": ("scheduler",),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
_DAG = """
from datetime import datetime, timedelta
from airflow.sdk import DAG
from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator

with DAG("deferral", schedule="@once", start_date=datetime(2026, 1, 1), catchup=False):
    EnrollRegistrantOperator(
        task_id="enroll",
        webinar_id={webinar!r},
        registrants=[
            {{"email": f"person.{{n}}@example.org", "first_name": "Ada", "last_name": f"Example {{n}}"}}
            for n in range({people})
        ],
        preferred_timezone="Europe/Rome",
        preferred_language="en-us",
        ledger_conn_id="ledger",
        deferrable={deferrable},
        settle_after=5,
        retries=3,
        retry_delay=timedelta(seconds=1),
    )
"""


class RunningAirflow:
    """
    The parts of an Airflow, as processes.

    :param home: its home.
    """

    def __init__(self, home: AirflowHome) -> None:
        with socket.socket() as some:
            some.bind(("127.0.0.1", 0))
            self._port = str(some.getsockname()[1])
        self._folder = home.folder
        self._environment = home.environment | {
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self._port}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> RunningAirflow:
        for name in _PARTS:
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._processes):
            self.kill(name)

    def start(self, name: str) -> None:
        """Start one of the parts."""
        airflow = Path(sys.executable).parent / "airflow"
        arguments = [*_PARTS[name], *([self._port] if name == "api-server" else [])]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [airflow, *arguments],
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """End one of the parts at once, with what it started."""
        process = self._processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m dev.benchmarks.deferral", description=__doc__)
    parser.add_argument("--people", type=int, default=120)
    parser.add_argument("--window", type=float, default=30.0, help="seconds of the quota's window for fifteen writes")
    parser.add_argument("--in-worker", action="store_true", help="without deferrable")
    parser.add_argument("--kill-worker", action="store_true", help="kill the task once, in its third part")
    parser.add_argument("--restart-triggerer", action="store_true", help="kill and start the triggerer once")
    parser.add_argument("--keep", action="store_true", help="keep Airflow's home, with its logs")
    parser.add_argument("--store", action="store_true", help="put the row into results.json")
    given = parser.parse_args()
    with Service() as service:
        service.reset(write_limit=LIMIT, write_window=given.window, duplicate="second_record")
        connections = dict(ours.ours_connection(service))
        own = dict(connections["teams_registration_default"])
        own["extra"] = {**own["extra"], "write_limit": LIMIT, "write_window": given.window}
        home = AirflowHome({"teams_registration_default": own}, service.environment)
        home.add_ledger()
        text = _DAG.format(webinar=service.webinar_id, people=given.people, deferrable=not given.in_worker)
        (home.folder / "dags" / "deferral.py").write_text(text)
        with RunningAirflow(home) as airflow:
            spent, laps, state = _watch(home, airflow, given)
        row = _row(service, given, spent, laps, state)
    if given.keep:
        print(home.folder)
    else:
        home.remove()
    sheet = Sheet(
        DEFERRAL,
        f"{given.people:,} people on a webinar, {LIMIT} writes per {given.window:g} s, in a real Airflow",
        [row],
        ["Slot: the share of the time from the first write to the last in which the task ran (or was queued, too)."],
    )
    sheet.print(Console(width=None if sys.stdout.isatty() else 170))
    print(json.dumps(row))
    if given.store:
        store(sheet, RESULTS)
    return 0


def store(sheet: Sheet, results: Path) -> None:
    """
    Put rows into the stored figures, in place of those of the same ways.

    :param sheet: the rows.
    :param results: the file with the stored figures.
    """
    stored = json.loads(results.read_text())
    before = stored["measures"].get(sheet.key, {}).get("rows", [])
    ways = {row["way"] for row in sheet.rows}
    rows = [*(row for row in before if row["way"] not in ways), *sheet.rows]
    stored["measures"][sheet.key] = {**asdict(sheet), "rows": rows}
    results.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n")


def _way(given: argparse.Namespace) -> str:
    disturbed = {"worker killed once": given.kill_worker, "triggerer killed once": given.restart_triggerer}
    way = "in the worker" if given.in_worker else "deferrable"
    return ", ".join([way, *(name for name, is_so in disturbed.items() if is_so)])


def _watch(home: AirflowHome, airflow: RunningAirflow, given: argparse.Namespace) -> tuple[list[Any], int, str]:
    """Follow the task to its end. Return its state at each moment, its parts, and how it ended."""
    spent: list[tuple[float, str]] = []
    laps, before, state = 0, "", ""
    disturb = {"worker": given.kill_worker, "triggerer": given.restart_triggerer}
    gives_up = time.monotonic() + _STARTS_WITHIN + (given.people / LIMIT + 3) * given.window * 1.5
    while state not in ("success", "failed"):
        if time.monotonic() > gives_up:
            raise RuntimeError(f"The task is {state or 'not there'} and does not end; see {home.folder}")
        state, pid = _task(home)
        spent.append((time.monotonic(), state))
        laps += state == "running" != before
        if state == "running" and laps == 3 and pid and disturb.pop("worker", False):
            time.sleep(0.7)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if state == "deferred" and laps == 2 and disturb.pop("triggerer", False):
            airflow.kill("triggerer")
            airflow.start("triggerer")
        before = state
        time.sleep(_EVERY)
    return spent, laps, state


def _task(home: AirflowHome) -> tuple[str, int | None]:
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(home.database, timeout=5)) as database:
        found = database.execute("SELECT state, pid FROM task_instance WHERE task_id = 'enroll'").fetchone()
        return (str(found[0] or ""), found[1]) if found else ("", None)
    return "", None


def _row(
    service: Service, given: argparse.Namespace, spent: list[tuple[float, str]], laps: int, state: str
) -> dict[str, Any]:
    journal = service.journal()
    writes = [one["at"] for one in journal if one["effect"] in ("enrolled", "registered")]
    ideal = (-(-given.people // LIMIT) - 1) * given.window
    took = max(writes) - min(writes) if writes else 0.0
    began = next((at for at, is_state in spent if is_state == "running"), spent[-1][0])
    whole = spent[-1][0] - began
    share = dict.fromkeys(("running", "queued", "scheduled", "deferred", "up_for_retry"), 0.0)
    for (at, is_state), (after, _) in pairwise(spent):
        if at >= began and is_state in share:
            share[is_state] += after - at
    emails = [f"person.{number}@example.org" for number in range(given.people)]
    doubles, losses = doubles_and_losses(emails, service.registrations())
    return {
        "way": _way(given),
        "people": given.people,
        "state": state,
        "run s": round(whole, 1),
        "slot %": round(share["running"] / whole * 100, 1) if whole else None,
        "slot and queue %": round((share["running"] + share["queued"]) / whole * 100, 1) if whole else None,
        "parts": laps,
        "quota used %": round(ideal / took * 100, 1) if took else None,
        "429s": Counter(one["status"] for one in journal)[429],
        "form reads": sum(one["path"].endswith("/questions") for one in journal),
        "doubles": doubles,
        "losses": losses,
    }


if __name__ == "__main__":
    sys.exit(main())
