"""
``python -m proof`` plays every case and prints the matrix; it fails where a cell is red or a bug goes unnoticed.

``python -m proof --every 4`` plays every fourth, ``python -m proof --strike freeze`` those of one strike alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import Queue

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="proof-airflow-")

import hypothesis.stateful
from rich.console import Console
from rich.table import Table

from airflow_provider_teams_registration.emulator.server import Emulator
from proof.bugs import BUGS
from proof.histories import Histories
from proof.matrix import FAULTS, Cell, Setting, cells, settings, try_cell

AT_ONCE = 6
HISTORIES = 60
STRIKES = ("kill", "freeze")


class Stages:
    """A few emulators, one for each case that is played at the same time."""

    def __init__(self) -> None:
        self._free: Queue[Emulator] = Queue()

    def add(self, emulator: Emulator) -> None:
        """Put up one more."""
        self._free.put(emulator)

    @contextmanager
    def one(self) -> Iterator[Emulator]:
        """Borrow one."""
        emulator = self._free.get()
        try:
            yield emulator
        finally:
            self._free.put(emulator)


def main() -> int:
    """Play everything; return the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m proof")
    arguments.add_argument("--every", type=int, default=1, help="play every n-th cell only")
    arguments.add_argument("--strike", choices=STRIKES, help="play the cells of this strike only")
    given = arguments.parse_args()
    every, strikes = given.every, (given.strike,) if given.strike else STRIKES
    started = time.monotonic()
    stages, console = Stages(), Console(width=120)
    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in range(AT_ONCE):
            stages.add(stack.enter_context(Emulator()))
        wrong = _play_matrix(stages, threads, console, every, strikes)
        unnoticed = _play_bugs(stages, threads, console, every)
        with stages.one() as emulator:
            _play_histories(emulator, console)
    for cell, findings in wrong.items():
        console.print(f"[red]{cell}[/]: {'; '.join(findings[:3])}")
    console.print(f"{(time.monotonic() - started) / 60:.0f} min.")
    return 1 if wrong or unnoticed else 0


def _play_matrix(
    stages: Stages, threads: ThreadPoolExecutor, console: Console, every: int, strikes: Collection[str]
) -> dict[Cell, list[str]]:
    def plan(setting: Setting) -> list[Cell]:
        with stages.one() as emulator:
            return [cell for cell in cells(emulator, setting) if cell.strike in strikes]

    def play(cell: Cell) -> list[str]:
        with stages.one() as emulator:
            return try_cell(emulator, cell)

    planned = [cell for some in threads.map(plan, settings()) for cell in some][::every]
    wrong: dict[Cell, list[str]] = {}
    played: dict[tuple[str, str, str, float], dict[tuple[str, str], list[bool]]]
    played = defaultdict(lambda: defaultdict(list))
    for cell, findings in zip(planned, threads.map(play, planned), strict=True):
        setting = cell.setting
        row = played[setting.kind, setting.ledger, setting.duplicate, setting.lag]
        row[setting.fault, cell.strike].append(not findings)
        if findings:
            wrong[cell] = findings
    columns = [(fault, strike) for fault in FAULTS for strike in STRIKES]
    table = Table("event", "ledger", "duplicate", "lag", *(f"{fault}\n{strike}" for fault, strike in columns))
    for (kind, ledger, duplicate, lag), results in played.items():
        table.add_row(kind, ledger, duplicate, f"{lag} s", *(_tally(results[column]) for column in columns))
    console.print(table)
    console.print(f"{len(planned) - len(wrong):,} of {len(planned):,} cells green.")
    return wrong


def _tally(results: list[bool]) -> str:
    return f"{sum(results)}/{len(results)}" if results else ""


def _play_bugs(stages: Stages, threads: ThreadPoolExecutor, console: Console, every: int) -> list[str]:
    setting = Setting("state store", "second_record", 0.25, "answer lost")

    def play(cell_and_bug: tuple[Cell, str]) -> bool:
        with stages.one() as emulator:
            return bool(try_cell(emulator, *cell_and_bug))

    with stages.one() as emulator:
        some = cells(emulator, setting)[::every]
    unnoticed = []
    for bug in BUGS:
        red = sum(threads.map(play, [(cell, bug) for cell in some]))
        console.print(f"With the bug '{bug}', {red} of {len(some)} cells turn red.")
        if not red:
            unnoticed.append(bug)
    return unnoticed


def _play_histories(emulator: Emulator, console: Console) -> None:
    Histories.emulator, Histories.killed = emulator, 0
    how_many = hypothesis.settings(
        max_examples=HISTORIES, stateful_step_count=8, deadline=None, print_blob=True, database=None
    )
    hypothesis.stateful.run_state_machine_as_test(Histories, settings=how_many)
    assert Histories.killed, "nobody was killed"
    console.print(f"{HISTORIES} random histories with {Histories.killed} kills, all well.")


if __name__ == "__main__":
    sys.exit(main())
