"""The cells of the proof: each kills or freezes one attempt at one point, lets a retry finish, and asks the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_teams_registration.emulator.server import Emulator
from dev.crash_matrix.fixture import Fixture, breakpoints, empty_folder

DUPLICATES = ("same", "new_link", "conflict", "bad_request", "second_record")
LAGS = (0.0, 0.25)
LEDGERS = ("sql", "state store")
FAULTS: Mapping[str, Mapping[str, Any] | None] = {
    "none": None,
    "answer lost": {"route": "POST $batch", "nth": 1, "when": "after", "drop": True},
    "request lost": {"route": "POST $batch", "nth": 1, "when": "before", "status": 503},
}
OF_OTHERS = "person 3"
PEOPLE = [*(f"person {number}" for number in range(22)), "", "person 5"]


@dataclass(frozen=True)
class Setting:
    """
    The circumstances of a row of cells.

    :param ledger: which ledger.
    :param duplicate: what a second enrollment of the same person does.
    :param lag: seconds until a new registrant shows in reads.
    :param fault: name of what goes wrong besides.
    :param kind: ``meeting`` or ``webinar``.
    """

    ledger: str
    duplicate: str
    lag: float
    fault: str
    kind: str = "meeting"

    @property
    def switches(self) -> dict[str, Any]:
        """What the emulator is set to."""
        return {"duplicate": self.duplicate, "visibility_lag": self.lag}


@dataclass(frozen=True)
class Cell:
    """
    One case.

    :param setting: the circumstances.
    :param injection: ``kill`` or ``freeze``.
    :param point: the point's name.
    :param time: which time it is passed, counted from 1.
    """

    setting: Setting
    injection: str
    point: str
    time: int


def settings() -> list[Setting]:
    """Return all circumstances. Where the service sees nothing of a request, its lag has no say."""
    return [
        Setting(ledger, duplicate, lag, fault)
        for ledger in LEDGERS
        for duplicate in DUPLICATES
        for lag in LAGS
        for fault in FAULTS
        if not (fault == "request lost" and lag)
    ] + [
        Setting("sql", duplicate, lag, fault, "webinar")
        for duplicate in DUPLICATES
        for lag in LAGS
        for fault in ("none", "answer lost")
    ]


def cells(emulator: Emulator, setting: Setting) -> list[Cell]:
    """Let one attempt go through unharmed, and return a cell for every point it passed."""
    with empty_folder() as folder:
        fixture = _fixture(emulator, folder, setting)
        rows = [fixture.event.row(person) for person in PEOPLE]
        attempt = fixture.attempt(rows)
        said = fixture.run(attempt)
        wrong = fixture.judge(rows, [OF_OTHERS])
        if said != "success" or wrong:
            raise AssertionError(f"{setting}: not even the run that nobody harmed is right: {said} {wrong}")
        passed = breakpoints(attempt)
    times = [passed[: place + 1].count(point) for place, point in enumerate(passed)]
    kills = [Cell(setting, "kill", point, time) for point, time in zip(passed, times, strict=True)]
    return kills + [
        Cell(setting, "freeze", point, time)
        for place, (point, time) in enumerate(zip(passed, times, strict=True))
        if _may_freeze(passed[:place], point) and not (time == 1 and point.endswith("GET registrants"))
    ]


def try_cell(emulator: Emulator, cell: Cell, bug: str | None = None) -> list[str]:
    """Play one case; return what is wrong, nothing where it is green."""
    with empty_folder() as folder:
        fixture = _fixture(emulator, folder, cell.setting, bug)
        rows = [fixture.event.row(person) for person in PEOPLE]
        attempt = fixture.attempt(rows, inject_at=(cell.point, cell.time))
        older: str | None
        if cell.injection == "kill":
            fixture.run(attempt)
            older, newer = "", fixture.run(fixture.attempt(rows))
        else:
            older, newer = fixture.freeze_and_overtake(attempt)
        wrong = fixture.judge(rows, [OF_OTHERS])
        if newer != "success":
            wrong.append(f"the retry ended with {newer}")
        # Whoever read the event less often this time never came to the point, and needs no fence.
        was_frozen = cell.injection == "freeze" and older is not None
        if was_frozen and "newer attempt" not in (older or "") and not _was_through(cell):
            wrong.append(f"the older attempt was not fenced off, it ended with {(older or 'nothing')[:80]}")
        return wrong


def _fixture(emulator: Emulator, folder: Path, setting: Setting, bug: str | None = None) -> Fixture:
    fixture = Fixture(emulator, folder, setting.ledger, setting.switches, bug, setting.kind)
    fault = FAULTS[setting.fault]
    if fault is not None:
        emulator.add_fault(**fault)
    fixture.event.enroll_by_others(OF_OTHERS)
    return fixture


def _may_freeze(passed: Sequence[str], point: str) -> bool:
    """
    Whether an attempt may stall here without the ledger's knowing.

    Between the ledger's "sent" and the request itself nobody can take a request back; inside a transaction the
    database holds everybody else up; and before it has begun there is nothing to fence. (It begins while a meeting's
    people are read for the first time.)
    """
    # The tables are created first, in a transaction of their own.
    has_begun = "after SET state" in passed[:-1] or passed[:-1].count("before COMMIT ledger") > 1
    is_sure = point.startswith(("after POST $batch", "before PUSH", "before GET registrants", "after GET registrants"))
    return is_sure and has_begun


def _was_through(cell: Cell) -> bool:
    """Whether the frozen attempt had nothing left to ask the ledger."""
    return "PUSH" in cell.point
