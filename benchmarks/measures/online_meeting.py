"""Measure 1: many people on an online meeting, nothing goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.airflow_run import AirflowHome, Taken
from benchmarks.measures.capacity import people_per_second
from benchmarks.measures.options import Options
from benchmarks.measures.sheet import Sheet
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import Rival
from benchmarks.service import Service, doubles_and_losses, ids, people_on

_NOTHING = """
from airflow.sdk import task
@task
def nothing(): ...
nothing()
"""


def measure(service: Service, options: Options) -> Iterator[Sheet]:
    """Enroll the people in every way, one after another."""
    alone, batched = people_per_second(service, 1), people_per_second(service, 20)
    home = AirflowHome({}, service.environment, is_warm=True)
    rows = [{"way": "Airflow itself: a task that does nothing", "people": None, **_figures(home.run(_NOTHING))}]
    home.remove()
    rows += [_row(rival, service, options.mapped_people if rival.is_mapped else options.people) for rival in RIVALS]
    yield Sheet(
        "online_meeting",
        f"1. {options.people:,} people on an online meeting",
        rows,
        [
            f"A task per person is shown for {options.mapped_people:,} people: compare ms per person.",
            "Run by dag.test(), which favours them: no scheduler, no worker process and no triggerer per task.",
            "The process is warm: the start of Airflow and the parse of the DAG file are not in the time; what a task "
            "imports when it runs is.",
        ],
    )
    yield _capacity_sheet(rows, alone, batched)


def _row(rival: Rival, service: Service, people: int) -> dict[str, Any]:
    service.reset()
    home = AirflowHome(rival.connections(service), service.environment, is_warm=True)
    busy = service.cpu_seconds()
    taken = home.run(rival.text(service, people))
    busy = service.cpu_seconds() - busy
    doubles, losses = doubles_and_losses(ids(people), people_on(service.links()))
    home.remove()
    return {
        "way": rival.title,
        "people": people,
        **_figures(taken),
        "ms per person": round(taken.seconds / people * 1000, 2),
        "HTTP calls": service.http_calls(),
        "doubles": doubles,
        "losses": losses,
        "emulator busy %": round(busy / taken.seconds * 100),
    }


def _figures(taken: Taken) -> dict[str, Any]:
    return {
        "state": taken.state,
        "seconds": taken.seconds,
        "CPU s": taken.cpu_seconds,
        "peak MB": taken.peak_mb,
        "tasks": taken.task_instances,
        "XCom bytes": taken.xcom_bytes,
    }


def _capacity_sheet(rows: list[dict[str, Any]], alone: float, batched: float) -> Sheet:
    ways: list[dict[str, Any]] = []
    for is_batched, can in ((False, alone), (True, batched)):
        keys = [rival.title for rival in RIVALS if rival.is_batched == is_batched]
        fastest = min((row for row in rows if row["way"] in keys), key=lambda row: row["ms per person"])
        used = 1000 / fastest["ms per person"]
        ways.append(
            {
                "people travel": "20 per $batch" if is_batched else "one per call",
                "emulator can, people/s": round(can),
                "fastest used, people/s": round(used),
                "which": fastest["way"],
                "share %": round(used / can * 100),
            }
        )
    return Sheet(
        "capacity",
        "   The emulator is not the bottleneck",
        ways,
        ["What it can is measured without latency, by four connections of a client that shares its cores: a floor."],
    )
