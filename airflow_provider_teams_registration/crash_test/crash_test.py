"""The crash test: one run that nobody disturbs, then one for every kill point."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from airflow_provider_teams_registration.crash_test.airflow_home import AirflowHome, copy_database
from airflow_provider_teams_registration.crash_test.fork_server import ForkServer
from airflow_provider_teams_registration.crash_test.gate import Gate, KillPoint, kill_points
from airflow_provider_teams_registration.crash_test.judge import doubles, findings
from airflow_provider_teams_registration.crash_test.snapshot import Snapshot, take_snapshot
from airflow_provider_teams_registration.emulator.server import Emulator

_CONN_ID = "teams_registration_default"


class CrashTestFailed(Exception):
    """The DAG cannot be tested; the text says why, and what to do."""


@dataclass(frozen=True)
class Options:
    """
    What is tested, and how.

    :param dag_file: the file with the DAG.
    :param dag_id: which of its DAGs; empty where it has one.
    :param every: kill at every n-th point.
    :param most: kill this many times at most; None kills at every point.
    :param timeout: seconds that one attempt may take.
    :param settle_after: seconds for the operators' argument of that name.
    :param auth: ``client_secret`` or ``refresh_token``.
    :param meetings: ids of online meetings that the emulator is to have beside its own.
    :param webinars: ids of webinars that the emulator is to have beside its own.
    """

    dag_file: Path
    dag_id: str = ""
    every: int = 1
    most: int | None = None
    timeout: float = 600.0
    settle_after: float = 1.0
    auth: str = "client_secret"
    meetings: tuple[str, ...] = ()
    webinars: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """
    What became of one kill.

    :param kill_point: where the run was killed.
    :param request: the request that it was killed at; None where the run made fewer requests this time.
    :param findings: what is wrong; empty where all is well.
    """

    kill_point: KillPoint
    request: str | None
    findings: tuple[str, ...]


class CrashTest:
    """
    Runs one DAG against an emulator, again and again.

    :param options: what is tested, and how.
    :param emulator: the service, with the gate in front of it.
    :param gate: the gate.
    :param home: the Airflow of the runs.
    :param forks: runs the attempts.
    """

    def __init__(self, options: Options, emulator: Emulator, gate: Gate, home: AirflowHome, forks: ForkServer) -> None:
        self._options = options
        self._emulator = emulator
        self._gate = gate
        self._home = home
        self._forks = forks
        self._logical_date = datetime.now(timezone.utc).isoformat()
        self._template = home.folder.with_name("migrated.db")
        self._connections: dict[str, str] = {}

    def plan(self) -> tuple[list[KillPoint], Snapshot]:
        """
        Run the DAG undisturbed.

        :return: the kill points, and what the run left behind.
        :raises CrashTestFailed: the DAG cannot be tested.
        """
        self._home.renew(None)
        log = self._home.folder.with_name("migrate.log")
        self._forks.start({}, log)
        if self._ended_with(log):
            raise CrashTestFailed(f"Airflow cannot make its metadata database; {log} says why.")
        copy_database(self._home.database, self._template)
        self._renew()
        log = self._home.folder / "attempt-1.log"
        state = self._attempt(log)
        if not self._gate.requests:
            raise CrashTestFailed(
                "The DAG run sent no request to the emulator. Its tasks must use the connection "
                f"{_CONN_ID!r}, which the crash test sets. The run's log is {log}."
            )
        if state != "success":
            raise CrashTestFailed(
                f"The DAG run ends as {state!r} although nobody killed it. Repair that first; its log is {log}."
            )
        undisturbed = take_snapshot(self._emulator, self._home.database)
        if doubles(undisturbed):
            raise CrashTestFailed(
                f"{doubles(undisturbed)} people are registered twice although nobody killed the DAG run. "
                f"Repair that first; the run's log is {log}."
            )
        return kill_points(len(self._gate.requests), self._options.every, self._options.most), undisturbed

    def verdicts(self, points: list[KillPoint], undisturbed: Snapshot) -> Iterator[Verdict]:
        """
        Kill a run at each of the points, retry it, and judge.

        What a run with findings wrote is kept beside the home, in a folder named after the number of the kill.
        """
        for number, kill_point in enumerate(points, 1):
            self._renew()
            state = self._attempt(self._home.folder / "attempt-1.log", kill_point)
            request = self._gate.requests[kill_point.exchange - 1] if self._gate.has_killed else None
            if state is None:
                self._gate.open()
                state = self._attempt(self._home.folder / "attempt-2.log")
            wrong = findings(undisturbed, take_snapshot(self._emulator, self._home.database))
            if state != "success":
                wrong.insert(0, f"the DAG run ended as {state!r}")
            if wrong:
                shutil.copytree(self._home.folder, self._home.folder.with_name(f"kill-{number}"))
            yield Verdict(kill_point, request, tuple(wrong))

    def _renew(self) -> None:
        """Let Airflow and the emulator forget everything."""
        self._emulator.reset()
        self._gate.open()
        for meeting_id in self._options.meetings:
            self._emulator.store.add_meeting("Crash test", meeting_id, "everyone")
        for webinar_id in self._options.webinars:
            self._emulator.store.webinars.add("Crash test", webinar_id)
        connection = self._emulator.connection(self._options.auth)
        # The quota of a real webinar, 15 writes in 30 s, is not what is tested.
        connection["extra"]["write_limit"] = 10_000
        own = {f"AIRFLOW_CONN_{_CONN_ID.upper()}": json.dumps(connection)}
        self._connections = self._home.renew(self._template) | own

    def _attempt(self, log: Path, kill_point: KillPoint | None = None) -> str | None:
        """Make an attempt; return the state of its DAG run, None where the gate killed it."""
        ending = self._home.folder / "ending.json"
        order = {
            "dag_file": str(self._options.dag_file),
            "dag_id": self._options.dag_id,
            "logical_date": self._logical_date,
            "settle_after": self._options.settle_after,
            "ending": str(ending),
            "connections": self._connections,
        }
        process_group = self._forks.start(order, log)
        if kill_point is not None:
            self._gate.kill_at(kill_point, process_group)
        code = self._ended_with(log)
        if self._gate.has_killed:
            return None
        if code or not ending.is_file():
            raise CrashTestFailed(f"The process of an attempt ended with code {code}; its log is {log}.")
        ended = json.loads(ending.read_text())
        if "unusable" in ended:
            raise CrashTestFailed(ended["unusable"])
        return str(ended["state"])

    def _ended_with(self, log: Path) -> int:
        """Wait for the process that writes a log, and return its exit code."""
        try:
            return self._forks.wait(self._options.timeout)
        except TimeoutError:
            raise CrashTestFailed(
                f"A process did not end in {self._options.timeout:g} s; its log is {log}. "
                "Allow more with --timeout, or give the DAG fewer people."
            ) from None
