"""Cells of several attempts: a second kill, a deferral, two runs that overlap, and cancelling beside enrolling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_teams_registration.emulator.server import Emulator
from dev.crash_matrix.attempt import Attempt
from dev.crash_matrix.fixture import Fixture, breakpoints, empty_folder, ending
from dev.crash_matrix.matrix import FAULTS, OF_OTHERS, PEOPLE

Point = tuple[str, int]
"""Name of a breakpoint, and which time it is passed, counted from 1."""

SECOND_KILL, DEFERRAL = "second kill", "deferral"
OVERLAP, CANCEL_BESIDE = "overlapping runs", "cancel beside enroll"
SEQUENCES = (SECOND_KILL, DEFERRAL, OVERLAP, CANCEL_BESIDE)
MOST_ATTEMPTS = 6
# Another run leaves somebody alone whose claim is younger than this.
_PATIENT = {"settle_after": 30.0}
_THROTTLED = {"route": "POST $batch", "nth": 2, "when": "before", "status": 429, "retry_after": "3"}
_DEFERS = {"deferrable": True, "defer_over": 1.0}


@dataclass(frozen=True)
class SequenceCell:
    """
    One case.

    :param sequence: which sequence.
    :param kind: ``meeting`` or ``webinar``.
    :param ledger: ``sql`` or ``state store``.
    :param duplicate: what a second enrollment of the same person does.
    :param points: where each attempt in turn is killed or, of overlapping runs, frozen; None leaves it alone.
    """

    sequence: str
    kind: str
    ledger: str
    duplicate: str = "second_record"
    points: tuple[Point | None, ...] = ()

    def __str__(self) -> str:
        return f"{self.sequence}, {self.kind}, {self.ledger}, {self.duplicate}: {self.points}"


def sequence_settings() -> list[SequenceCell]:
    """Return every sequence in its circumstances, without the points."""
    shared = [("meeting", "sql"), ("webinar", "sql")]
    return [
        *(SequenceCell(sequence, kind, "sql") for sequence in (OVERLAP, CANCEL_BESIDE) for kind, _ in shared),
        *(
            SequenceCell(sequence, kind, ledger, duplicate)
            for sequence in (SECOND_KILL, DEFERRAL)
            for kind, ledger in [*shared, ("meeting", "state store")]
            for duplicate in ("second_record", "new_link")
        ),
    ]


def sequence_cells(emulator: Emulator, setting: SequenceCell) -> list[SequenceCell]:
    """Return a cell for every breakpoint that the attempts of an undisturbed sequence pass."""
    if setting.sequence == OVERLAP:
        points = [("before POST $batch", 1), ("after POST $batch", 1), ("before POST $batch", 2)]
        return [_at(setting, point) for point in points]
    with empty_folder() as folder:
        fixture = _fixture(emulator, setting, folder)
        attempts: list[Attempt] = []
        wrong = _PLAYS[setting.sequence](fixture, setting, attempts)
        if wrong:
            raise AssertionError(f"{setting}: not even the sequence that nobody harmed is right: {wrong}")
        passed = [_points(attempt) for attempt in attempts]
    if setting.sequence == SECOND_KILL:
        return [_at(setting, point, (point[0], 1)) for point in passed[0]]
    if setting.sequence == CANCEL_BESIDE:
        return [_at(setting), *(_at(setting, point) for point in passed[0])]
    first, resumed = passed
    return [*(_at(setting, point) for point in first), *(_at(setting, None, point) for point in resumed)]


def try_sequence(emulator: Emulator, cell: SequenceCell, bug: str | None = None) -> list[str]:
    """Play one case; return what is wrong, nothing where it is green."""
    with empty_folder() as folder:
        return _PLAYS[cell.sequence](_fixture(emulator, cell, folder, bug), cell, [])


def _enroll_until_it_ends(fixture: Fixture, cell: SequenceCell, attempts: list[Attempt]) -> list[str]:
    """Resume what was deferred and retry what was killed, until an attempt ends by itself."""
    rows = [fixture.event.row(person) for person in PEOPLE]
    arguments = _DEFERS if cell.sequence == DEFERRAL else {}
    said: str | None = None
    for number in range(MOST_ATTEMPTS):
        point = cell.points[number] if number < len(cell.points) else None
        attempts.append(fixture.attempt(rows, arguments=arguments, inject_at=point))
        said = fixture.run(attempts[-1])
        if said not in (None, "deferred"):
            break
    wrong = fixture.judge(rows, [OF_OTHERS])
    is_deferred = any(ending(attempt) == "deferred" for attempt in attempts)
    if cell.sequence == DEFERRAL and not cell.points and not is_deferred:
        wrong.append("the run never asked to be deferred")
    return wrong if said == "success" else [*wrong, f"the last attempt ended with {said}"]


def _overlap(fixture: Fixture, cell: SequenceCell, _: list[Attempt]) -> list[str]:
    """While a run is frozen in the middle, another run of the same people waits for it, or does the rest."""
    rows = [fixture.event.row(person) for person in PEOPLE]
    (point,) = cell.points
    monday = fixture.attempt(rows, arguments=_PATIENT, run_id="monday", inject_at=point)
    tuesday = fixture.attempt(rows, arguments=_PATIENT, run_id="tuesday")
    endings = fixture.freeze_beside(monday, tuesday)
    wrong = [f"{run}: {one}" for run in ("monday", "tuesday") for one in fixture.judge(rows, [OF_OTHERS], run)]
    return wrong if endings == ("success", "success") else [*wrong, f"the runs ended with {endings}"]


def _cancel_beside(fixture: Fixture, cell: SequenceCell, attempts: list[Attempt]) -> list[str]:
    """Kill a run that cancels, and let its retry and a run that enrolls the same people work side by side."""
    rows = [fixture.event.row(person) for person in dict.fromkeys(PEOPLE) if person]
    none_rejected = {"max_rejected": 0}
    said = fixture.run(fixture.attempt(rows, arguments=none_rejected, run_id="monday"))
    wrong = [] if said == "success" else [f"the first run ended with {said}"]
    attempts.append(fixture.attempt(rows, action="cancel", run_id="cancel", inject_at=(*cell.points, None)[0]))
    fixture.run(attempts[-1])
    both: Mapping[str, Mapping[str, Any]] = {
        "tuesday": {"arguments": none_rejected},
        "cancel": {"action": "cancel"},
    }
    beside = {run: fixture.attempt(rows, run_id=run, **details) for run, details in both.items()}
    processes = [fixture.start(attempt) for attempt in beside.values()]
    for process in processes:
        fixture.finish(process)
    for run, attempt in beside.items():
        last = ending(attempt)
        for _ in range(MOST_ATTEMPTS):
            if last == "success":
                break
            last = fixture.run(fixture.attempt(rows, run_id=run, **both[run]))
        wrong += [] if last == "success" else [f"{run} ended with {last}"]
    wrong += fixture.judge_both("tuesday", "cancel")
    said = fixture.run(fixture.attempt(rows, arguments=none_rejected, run_id="wednesday"))
    wrong += [] if said == "success" else [f"the last run ended with {said}"]
    return wrong + fixture.judge(rows, run_id="wednesday")


_PLAYS: Mapping[str, Callable[[Fixture, SequenceCell, list[Attempt]], list[str]]] = {
    SECOND_KILL: _enroll_until_it_ends,
    DEFERRAL: _enroll_until_it_ends,
    OVERLAP: _overlap,
    CANCEL_BESIDE: _cancel_beside,
}


def _fixture(emulator: Emulator, cell: SequenceCell, folder: Any, bug: str | None = None) -> Fixture:
    switches = {"duplicate": cell.duplicate, "visibility_lag": 0.0 if cell.sequence == CANCEL_BESIDE else 0.25}
    fixture = Fixture(emulator, folder, cell.ledger, switches, bug, cell.kind)
    fault = {SECOND_KILL: FAULTS["answer lost"], DEFERRAL: _THROTTLED}.get(cell.sequence)
    if fault is not None:
        emulator.add_fault(**fault)
    if cell.sequence != CANCEL_BESIDE:
        fixture.event.enroll_by_others(OF_OTHERS)
    return fixture


def _at(setting: SequenceCell, *points: Point | None) -> SequenceCell:
    return SequenceCell(setting.sequence, setting.kind, setting.ledger, setting.duplicate, points)


def _points(attempt: Attempt) -> list[Point]:
    passed = breakpoints(attempt)
    return [(point, passed[: place + 1].count(point)) for place, point in enumerate(passed)]
