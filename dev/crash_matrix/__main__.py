"""
``python -m dev.crash_matrix`` plays every cell and prints the matrix.

It fails where a cell is red or where a planted bug goes unnoticed. ``--every 4`` plays every fourth cell, and
``--inject lie`` plays the cells of one injection alone. Cells that a bug is known to turn red are always played.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="crash-matrix-airflow-")

import hypothesis.stateful
from rich.console import Console
from rich.table import Table

from airflow_provider_teams_registration.emulator.server import Emulator
from dev.crash_matrix.bugs import ANOTHER_CLOCK, BUGS, LYING_BUGS
from dev.crash_matrix.emulator_pool import EmulatorPool
from dev.crash_matrix.lies import LEDGERS, LyingCell, lying_cells, try_lying_cell
from dev.crash_matrix.mailing import LEDGERS as MAIL_LEDGERS
from dev.crash_matrix.mailing import MailCell, mail_cells, try_mail_cell
from dev.crash_matrix.matrix import FAULTS, Cell, Setting, cells, settings, try_cell
from dev.crash_matrix.sequences import SEQUENCES, SequenceCell, sequence_cells, sequence_settings, try_sequence
from dev.crash_matrix.stateful import EnrollmentMachine
from dev.crash_matrix.targets import HARDEST_SETTING, Play, target_cells

AT_ONCE = 6
HARDEST = ("meeting", "sql", "second_record")
HISTORIES = 60
INJECTIONS = ("kill", "freeze")
LIE, SEQUENCE, MAIL = "lie", "sequence", "mail"


def main() -> int:
    """Play everything; return the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m dev.crash_matrix")
    arguments.add_argument("--every", type=int, default=1, help="play every n-th cell only")
    arguments.add_argument(
        "--inject", choices=[*INJECTIONS, LIE, SEQUENCE, MAIL], help="play the cells of this injection only"
    )
    given = arguments.parse_args()
    every, injections = given.every, (given.inject,) if given.inject else (*INJECTIONS, LIE, SEQUENCE, MAIL)
    started = time.monotonic()
    pool, console = EmulatorPool(), Console(width=120)
    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in range(AT_ONCE):
            pool.add(stack.enter_context(Emulator()))
        wrong: dict[str, list[str]] = {}
        unnoticed: list[str] = []
        if LIE in injections:
            wrong |= _by_name(_play_lies(pool, threads, console, every))
            unnoticed += _play_bugs(pool, threads, console, LYING_BUGS, lambda: _hardest_lies(every))
        if SEQUENCE in injections:
            wrong |= _by_name(_play_sequences(pool, threads, console, every))
            unnoticed += _play_bugs(pool, threads, console, [ANOTHER_CLOCK], lambda: [])
        if MAIL in injections:
            wrong |= _by_name(_play_mails(threads, console, every))
        if set(injections) & set(INJECTIONS):
            wrong |= _by_name(_play_matrix(pool, threads, console, every, injections))
            unnoticed += _play_bugs(pool, threads, console, BUGS, lambda: _hardest_cells(pool, every))
            with pool.one() as emulator:
                _play_histories(emulator, console)
    for cell, findings in wrong.items():
        console.print(f"[red]{cell}[/]: {'; '.join(findings[:3])}")
    console.print(f"{(time.monotonic() - started) / 60:.0f} min.")
    return 1 if wrong or unnoticed else 0


def _by_name(wrong: Mapping[Any, list[str]]) -> dict[str, list[str]]:
    return {str(cell): findings for cell, findings in wrong.items()}


def _play_matrix(
    pool: EmulatorPool, threads: ThreadPoolExecutor, console: Console, every: int, injections: Collection[str]
) -> dict[Cell, list[str]]:
    def plan(setting: Setting) -> list[Cell]:
        with pool.one() as emulator:
            return [cell for cell in cells(emulator, setting) if cell.injection in injections]

    def play(cell: Cell) -> list[str]:
        with pool.one() as emulator:
            return try_cell(emulator, cell)

    planned = [cell for some in threads.map(plan, settings()) for cell in some][::every]
    wrong: dict[Cell, list[str]] = {}
    played: dict[tuple[str, str, str, float], dict[tuple[str, str], list[bool]]]
    played = defaultdict(lambda: defaultdict(list))
    for cell, findings in zip(planned, threads.map(play, planned), strict=True):
        setting = cell.setting
        row = played[setting.kind, setting.ledger, setting.duplicate, setting.lag]
        row[setting.fault, cell.injection].append(not findings)
        if findings:
            wrong[cell] = findings
    columns = [(fault, injection) for fault in FAULTS for injection in INJECTIONS]
    table = Table("event", "ledger", "duplicate", "lag", *(f"{fault}\n{injection}" for fault, injection in columns))
    for (kind, ledger, duplicate, lag), results in played.items():
        table.add_row(kind, ledger, duplicate, f"{lag} s", *(_tally(results[column]) for column in columns))
    console.print(table)
    console.print(f"{len(planned) - len(wrong):,} of {len(planned):,} cells green.")
    return wrong


def _tally(results: list[bool]) -> str:
    return f"{sum(results)}/{len(results)}" if results else ""


def _play_lies(
    pool: EmulatorPool, threads: ThreadPoolExecutor, console: Console, every: int
) -> dict[LyingCell, list[str]]:
    def play(cell: LyingCell) -> list[str]:
        with pool.one() as emulator:
            return try_lying_cell(emulator, cell)

    planned = lying_cells()[::every]
    wrong: dict[LyingCell, list[str]] = {}
    played: dict[tuple[str, str], dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for cell, findings in zip(planned, threads.map(play, planned), strict=True):
        played[cell.kind, cell.lie.name][cell.ledger].append(not findings)
        if findings:
            wrong[cell] = findings
    table = Table("event", "lie", *LEDGERS)
    for (kind, lie), results in played.items():
        table.add_row(kind, lie, *(_tally(results[ledger]) for ledger in LEDGERS))
    console.print(table)
    console.print(f"{len(planned) - len(wrong):,} of {len(planned):,} lies are seen through.")
    return wrong


def _play_sequences(
    pool: EmulatorPool, threads: ThreadPoolExecutor, console: Console, every: int
) -> dict[SequenceCell, list[str]]:
    def plan(setting: SequenceCell) -> list[SequenceCell]:
        with pool.one() as emulator:
            return sequence_cells(emulator, setting)

    def play(cell: SequenceCell) -> list[str]:
        with pool.one() as emulator:
            return try_sequence(emulator, cell)

    planned = [cell for some in threads.map(plan, sequence_settings()) for cell in some][::every]
    wrong: dict[SequenceCell, list[str]] = {}
    played: dict[tuple[str, str, str], dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for cell, findings in zip(planned, threads.map(play, planned), strict=True):
        played[cell.kind, cell.ledger, cell.duplicate][cell.sequence].append(not findings)
        if findings:
            wrong[cell] = findings
    table = Table("event", "ledger", "duplicate", *SEQUENCES)
    for row, results in played.items():
        table.add_row(*row, *(_tally(results[sequence]) for sequence in SEQUENCES))
    console.print(table)
    console.print(f"{len(planned) - len(wrong):,} of {len(planned):,} sequences green.")
    return wrong


def _play_mails(threads: ThreadPoolExecutor, console: Console, every: int) -> dict[MailCell, list[str]]:
    planned = [cell for some in threads.map(mail_cells, MAIL_LEDGERS) for cell in some][::every]
    wrong: dict[MailCell, list[str]] = {}
    played: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for cell, findings in zip(planned, threads.map(try_mail_cell, planned), strict=True):
        played[cell.trouble][cell.ledger].append(not findings)
        if findings:
            wrong[cell] = findings
    table = Table("mailing", *MAIL_LEDGERS)
    for trouble, results in played.items():
        table.add_row(trouble, *(_tally(results[ledger]) for ledger in MAIL_LEDGERS))
    console.print(table)
    console.print(f"{len(planned) - len(wrong):,} of {len(planned):,} mailings green.")
    return wrong


def _play_bugs(
    pool: EmulatorPool,
    threads: ThreadPoolExecutor,
    console: Console,
    bugs: Iterable[str],
    more: Callable[[], Sequence[Play]],
) -> list[str]:
    """Play the cells that each bug must turn red, and more; return the bugs that one of the former misses."""

    def targets(bug: str) -> list[Play]:
        with pool.one() as emulator:
            return target_cells(emulator, bug)

    def play(play_and_bug: tuple[Play, str]) -> bool:
        with pool.one() as emulator:
            return bool(play_and_bug[0](emulator, play_and_bug[1]))

    others, unnoticed = more(), []
    for bug in bugs:
        known = targets(bug)
        red = list(threads.map(play, [(one, bug) for one in (*known, *others)]))
        console.print(f"With the bug '{bug}', {sum(red)} of {len(red)} cells turn red.")
        if not all(red[: len(known)]):
            unnoticed.append(bug)
    return unnoticed


def _hardest_lies(every: int) -> list[Play]:
    hardest = [cell for cell in lying_cells() if (cell.kind, cell.ledger, cell.duplicate) == HARDEST]
    return [partial(_play_lie, cell) for cell in hardest[::every]]


def _hardest_cells(pool: EmulatorPool, every: int) -> list[Play]:
    with pool.one() as emulator:
        return [partial(_play_cell, cell) for cell in cells(emulator, HARDEST_SETTING)[::every]]


def _play_lie(cell: LyingCell, emulator: Emulator, bug: str | None) -> list[str]:
    return try_lying_cell(emulator, cell, bug)


def _play_cell(cell: Cell, emulator: Emulator, bug: str | None) -> list[str]:
    return try_cell(emulator, cell, bug)


def _play_histories(emulator: Emulator, console: Console) -> None:
    EnrollmentMachine.emulator, EnrollmentMachine.killed = emulator, 0
    how_many = hypothesis.settings(
        max_examples=HISTORIES, stateful_step_count=8, deadline=None, print_blob=True, database=None
    )
    hypothesis.stateful.run_state_machine_as_test(EnrollmentMachine, settings=how_many)
    assert EnrollmentMachine.killed, "nobody was killed"
    console.print(f"{HISTORIES} random histories with {EnrollmentMachine.killed} kills, all well.")


if __name__ == "__main__":
    sys.exit(main())
