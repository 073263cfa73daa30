"""A stage for attempts: the emulator they talk to, the folder they leave traces in, and the judge."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from airflow_provider_teams_registration.emulator.server import Emulator
from dev.crash_matrix.attempt import Attempt, run
from dev.crash_matrix.breakpoints import KeyValues
from dev.crash_matrix.events import KINDS, EmulatedEvent

LONGEST_ATTEMPT = 180.0
IDLE_SECONDS = 4.0
"""An attempt that asks the event nothing for so long waits for another run."""
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["dev.crash_matrix.attempt"])

Row = Mapping[str, Any]


class Fixture:
    """
    One event, one ledger, and attempts one after another or side by side.

    :param emulator: the service; it is reset.
    :param folder: an empty folder.
    :param ledger: ``sql``, ``state store`` or ``memory``.
    :param switches: how the service behaves.
    :param bug: a deliberate bug for all attempts.
    :param kind: ``meeting`` or ``webinar``.
    """

    def __init__(
        self,
        emulator: Emulator,
        folder: Path,
        ledger: str,
        switches: Mapping[str, Any],
        bug: str | None = None,
        kind: str = "meeting",
    ) -> None:
        self.emulator = emulator
        self.folder = folder
        self._ledger = ledger
        self._bug = bug
        self._attempts = 0
        emulator.reset()
        emulator.set_switches(write_limit=0, read_limit=0, **switches)
        self.event: EmulatedEvent = KINDS[kind](emulator)

    def attempt(self, rows: Sequence[Row], **details: Any) -> Attempt:
        """Describe an attempt at enrolling rows."""
        self._attempts += 1
        arguments = {
            **self.event.arguments,
            "max_rejected": 1,
            "on_missing_join_url": "ignore",
            "settle_after": 0.6,
            "max_parallel_requests": 1,
            **details.pop("arguments", {}),
        }
        return Attempt(
            folder=self.folder,
            name=f"attempt-{self._attempts}",
            connection=self._connection(),
            arguments=arguments,
            rows=rows,
            ledger=self._ledger,
            bug=self._bug,
            **details,
        )

    def _connection(self) -> dict[str, Any]:
        connection = self.emulator.connection()
        # The pace is another proof's matter.
        connection["extra"]["write_limit"] = 10_000
        return connection

    def start(self, attempt: Attempt) -> BaseProcess:
        """Start an attempt in a process of its own."""
        return _start(attempt)

    def finish(self, process: BaseProcess) -> None:
        """Wait for an attempt's process to end, however it does."""
        _finish(process)

    def run(self, attempt: Attempt) -> str | None:
        """Make an attempt; return how it ended, None where it was killed."""
        return run_in_process(attempt)

    def freeze_and_overtake(self, attempt: Attempt) -> tuple[str | None, str | None]:
        """
        Freeze an attempt at its point, make another one meanwhile, then let it go on.

        :return: how both ended; None for the older where it never came to that point.
        """
        older = self.start(replace(attempt, signal_number=signal.SIGSTOP))
        assert older.pid is not None
        was_stopped = _wait_until_stopped(older)
        newer = self.attempt(attempt.rows, run_id=attempt.run_id)
        said = self.run(newer)
        shutil.copy(self.folder / f"xcom-{attempt.run_id}.db", self.folder / "xcom-newer.db")
        if older.is_alive():
            os.kill(older.pid, signal.SIGCONT)
        self.finish(older)
        # The API server turns away what a dead attempt pushes; here both write to one file.
        shutil.copy(self.folder / "xcom-newer.db", self.folder / f"xcom-{attempt.run_id}.db")
        return ending(attempt) if was_stopped else None, said

    def freeze_beside(self, attempt: Attempt, other: Attempt) -> tuple[str | None, str | None]:
        """
        Freeze an attempt at its breakpoint, and let an attempt of another run work beside it.

        :param attempt: the attempt that is frozen until the other one has ended, or waits for it.
        :param other: the other one.
        :return: how both ended.
        """
        frozen = self.start(replace(attempt, signal_number=signal.SIGSTOP))
        assert frozen.pid is not None
        _wait_until_stopped(frozen)
        beside = self.start(other)
        _wait_until_idle(beside, other)
        if frozen.is_alive():
            os.kill(frozen.pid, signal.SIGCONT)
        self.finish(frozen)
        self.finish(beside)
        return ending(attempt), ending(other)

    def xcom(self, run_id: str = "scheduled") -> list[dict[str, Any]]:
        """Return the rows that a run's last attempt handed on."""
        rows: list[dict[str, Any]] = KeyValues(self.folder / f"xcom-{run_id}.db").get("return_value", [])
        return rows

    def judge(
        self,
        rows: Sequence[Row],
        of_others: Collection[str] = (),
        run_id: str = "scheduled",
        elsewhere: Collection[str] = (),
        refused: Collection[str] = (),
    ) -> list[str]:
        """
        Compare what was handed on with the service's own records.

        :param rows: the input.
        :param of_others: whom somebody else enrolled.
        :param run_id: whose result to look at.
        :param elsewhere: who may be on the event because of other inputs.
        :param refused: people whom the service refuses, so that they are not on the event.
        :return: what is wrong.
        """
        valid = {str(row["id"]) for row in rows if row["id"]}
        on_event = self.event.links()
        active, links = Counter(person for person, _ in on_event), dict(on_event)
        wrong = [f"double: {name}" for name, count in active.items() if count > 1]
        wrong += [f"lost: {name}" for name in valid - set(active) - set(refused)]
        wrong += [f"on the event although refused: {name}" for name in set(active) & set(refused)]
        wrong += [f"never in the input: {name}" for name in set(active) - valid - set(of_others) - set(elsewhere)]
        handed_on = {row["id"]: row for row in self.xcom(run_id) if row["id"]}
        wrong += [f"no row: {name}" for name in valid - set(handed_on)]
        for name in set(handed_on) - set(refused):
            wrong += self._judge_row(name, handed_on[name], links.get(name), name in of_others)
        return wrong

    def judge_honesty(self, rows: Sequence[Row], of_others: Collection[str], run_id: str = "scheduled") -> list[str]:
        """
        Compare what an attempt handed on that did not succeed with the service's own records.

        :param rows: the input.
        :param of_others: people whom somebody else enrolled.
        :param run_id: the run whose result is looked at.
        :return: what is wrong: somebody is on the event twice, or a row says what is not so.
        """
        on_event = self.event.links()
        active, links = Counter(person for person, _ in on_event), dict(on_event)
        wrong = [f"double: {name}" for name, count in active.items() if count > 1]
        for row in self.xcom(run_id):
            name = row["id"]
            if row["outcome"] in ("enrolled", "already_enrolled") and name not in active:
                wrong.append(f"said to be on the event: {name}")
            if row["join_web_url"] is not None and row["join_web_url"] != links.get(name):
                wrong.append(f"a link that is not theirs: {name}")
        return wrong

    def judge_both(self, enrolling: str, cancelling: str) -> list[str]:
        """
        Compare what two runs handed on that enrolled and cancelled the same people with the service's own books.

        :param enrolling: the run that enrolled.
        :param cancelling: the run that cancelled.
        :return: what is wrong: somebody is on the event twice, or neither run's row is true.
        """
        on_event = self.event.links()
        active, links = Counter(person for person, _ in on_event), dict(on_event)
        cancelled = {row["id"] for row in self.xcom(cancelling) if row["outcome"] == "cancelled"}
        enrolled = {row["id"]: row["join_web_url"] for row in self.xcom(enrolling) if row["join_web_url"]}
        wrong = [f"double: {name}" for name, count in active.items() if count > 1]
        for name, link in enrolled.items():
            if link != links.get(name) and name not in cancelled:
                wrong.append(f"a link that does not work: {name}")
        wrong += [
            f"said to be cancelled: {name}"
            for name in cancelled & set(active)
            if name not in enrolled or enrolled[name] != links[name]
        ]
        return wrong

    def _judge_row(self, name: str, row: Row, link: str | None, is_of_others: bool) -> list[str]:
        handed = row["join_web_url"]
        if is_of_others:
            return [] if handed in (None, link) else [f"a link that does not work: {name}"]
        if handed is None:
            return [f"link lost: {name} ({row['outcome']})"]
        if self.event.person_in(handed) != name:
            return [f"somebody else's link: {name}"]
        return [] if handed == link else [f"a link that does not work: {name}"]


def run_in_process(attempt: Attempt) -> str | None:
    """Make an attempt in a process of its own; return how it ended, None if it was killed."""
    _finish(_start(attempt))
    return ending(attempt)


def _start(attempt: Attempt) -> BaseProcess:
    process = _forks.Process(target=run, args=(attempt,))
    process.start()
    return process


def _finish(process: BaseProcess) -> None:
    process.join(LONGEST_ATTEMPT)
    if process.is_alive():
        process.kill()
        process.join()


def ending(attempt: Attempt) -> str | None:
    """Return how an attempt ended; None where it was killed."""
    return attempt.ending.read_text() if attempt.ending.exists() else None


def breakpoints(attempt: Attempt) -> list[str]:
    """Return the names of the points that an attempt passed."""
    return attempt.traces.read_text().splitlines() if attempt.traces.exists() else []


@contextmanager
def empty_folder() -> Iterator[Path]:
    """Make a folder for one fixture."""
    folder = Path(tempfile.mkdtemp(prefix="crash-matrix-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_idle(process: BaseProcess, attempt: Attempt) -> None:
    """Wait until an attempt has ended, or has asked the event and then asked it nothing more for a while."""
    asked, asked_at, deadline = 0, time.monotonic(), time.monotonic() + LONGEST_ATTEMPT
    while process.is_alive() and time.monotonic() < deadline:
        process.join(0.05)
        by_now = sum("registr" in point or "$batch" in point for point in breakpoints(attempt))
        if by_now != asked:
            asked, asked_at = by_now, time.monotonic()
        elif asked and time.monotonic() - asked_at > IDLE_SECONDS:
            return


def _wait_until_stopped(process: BaseProcess) -> bool:
    stat = Path(f"/proc/{process.pid}/stat")
    deadline = time.monotonic() + LONGEST_ATTEMPT
    while process.is_alive() and time.monotonic() < deadline:
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "T":
                return True
        except (FileNotFoundError, ProcessLookupError):
            break
        process.join(0.01)
    return False
