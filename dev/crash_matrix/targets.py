"""For every planted bug a few cells that it is known to turn red, so that a sample of the matrix cannot miss it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from airflow_provider_teams_registration.emulator.server import Emulator
from dev.crash_matrix.bugs import ANOTHER_CLOCK
from dev.crash_matrix.lies import SOMEBODY_LEAVES, LyingCell, lying_cells, try_lying_cell
from dev.crash_matrix.matrix import Setting, cells, try_cell
from dev.crash_matrix.sequences import OVERLAP, SequenceCell, sequence_cells, try_sequence

Play = Callable[[Emulator, "str | None"], list[str]]
"""Plays one cell with a bug, or without; returns what is wrong."""

HARDEST_SETTING = Setting("state store", "second_record", 0.25, "answer lost")


def target_cells(emulator: Emulator, bug: str) -> list[Play]:
    """Return the cells of a bug: each is green without it, and red with it."""
    return _TARGETS[bug](emulator)


def _at_a_call(injection: str, place: int, emulator: Emulator) -> list[Play]:
    found = [cell for cell in cells(emulator, HARDEST_SETTING) if cell.injection == injection]
    cell = [one for one in found if one.point == "after POST $batch"][place]
    return [lambda emulator, bug: try_cell(emulator, cell, bug)]


def _lies(names: tuple[str, ...], _: Emulator) -> list[Play]:
    wanted = {f"meeting, sql, second_record: {name}" for name in names}
    found = [cell for cell in lying_cells() if str(cell) in wanted]
    assert len(found) == len(names)
    return [partial(_try_lie, cell) for cell in found]


def _try_lie(cell: LyingCell, emulator: Emulator, bug: str | None) -> list[str]:
    return try_lying_cell(emulator, cell, bug)


def _overlapping_runs(emulator: Emulator) -> list[Play]:
    first, *_ = sequence_cells(emulator, SequenceCell(OVERLAP, "meeting", "sql"))
    return [lambda emulator, bug: try_sequence(emulator, first, bug)]


_TARGETS: Mapping[str, Callable[[Emulator], list[Play]]] = {
    # The last call is the enrollment that repairs a lost answer; frozen at the first, much is left to do.
    "send again instead of settling": partial(_at_a_call, "kill", -1),
    "write the ledger only after the answer": partial(_at_a_call, "kill", -1),
    "remove the fence": partial(_at_a_call, "freeze", 0),
    ANOTHER_CLOCK: _overlapping_runs,
    "believe any 200": partial(_lies, ("read 2 of the list is null",)),
    "follow redirects": partial(_lies, ("list redirects", "sign-in redirects")),
    "absence from one read": partial(_lies, (SOMEBODY_LEAVES,)),
}
PLANTED = tuple(_TARGETS)
"""The names of all planted bugs."""
