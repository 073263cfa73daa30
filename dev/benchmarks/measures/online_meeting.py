"""Measure 1: many people on an online meeting, nothing goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dev.benchmarks.airflow_run import NOTHING, AirflowHome, Taken
from dev.benchmarks.baselines import BASELINES
from dev.benchmarks.baselines.baseline import Baseline
from dev.benchmarks.measures.capacity import people_per_second
from dev.benchmarks.measures.options import Options
from dev.benchmarks.measures.sheet import Sheet
from dev.benchmarks.service import LATENCY, Service, doubles_and_losses, ids, people_on

_NO_WAY = "Airflow itself: a task that does nothing"
_OF_TIME = ("people", "state", "seconds", "ms per person", "before the first", "sending", "CPU s", "API CPU s")


def measure(service: Service, options: Options) -> Iterator[Sheet]:
    """Enroll the people in every way, one after another."""
    alone, batched = people_per_second(service, 1), people_per_second(service, 20)
    home = AirflowHome({}, service.environment, is_warm=True)
    rows: list[dict[str, Any]] = [{"way": _NO_WAY, "people": None, **_figures(home.run(NOTHING))}]
    home.remove()
    for baseline in BASELINES:
        people = options.mapped_people if baseline.is_mapped else options.people
        tries = [_row(baseline, service, people) for _ in range(options.repeats if baseline.is_batched else 1)]
        rows.append(sorted(tries, key=lambda row: float(row["seconds"]))[len(tries) // 2])
    yield Sheet(
        "online_meeting",
        f"1. {options.people:,} people on an online meeting: time, as the median of {options.repeats}",
        [{name: row.get(name) for name in ("way", *_OF_TIME)} for row in rows],
        [
            "Those who send a person per call take long, and are run once. A task per person is measured with "
            f"{options.mapped_people:,} people: compare ms per person.",
            "Run by dag.test(), which favours them: no scheduler, no worker process and no triggerer per task.",
            "The process is warm: the start of Airflow and the parse of the DAG file are not in the time; what a task "
            "imports when it runs is.",
            "Before the first: seconds from the first sign-in to the first person's request. Sending: from then to the "
            "last person's.",
            "API CPU s: how much of the CPU time was Airflow's API server's, which is another process on a deployment.",
        ],
    )
    yield Sheet(
        "online_meeting_cost",
        "   The same runs: what they took and what came of it",
        [{name: value for name, value in row.items() if name not in _OF_TIME} for row in rows],
    )
    yield _capacity_sheet(rows, alone, batched)


def _row(baseline: Baseline, service: Service, people: int) -> dict[str, Any]:
    service.reset()
    home = AirflowHome(baseline.connections(service), service.environment, is_warm=True)
    home.add_ledger()
    busy = service.cpu_seconds()
    taken = home.run(baseline.text(service, people))
    busy = service.cpu_seconds() - busy
    doubles, losses = doubles_and_losses(ids(people), people_on(service.links()))
    home.remove()
    return {
        "way": baseline.title,
        "people": people,
        **_figures(taken),
        **_phases(service),
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
        "API CPU s": taken.api_cpu_seconds,
        "peak MB": taken.peak_mb,
        "tasks": taken.task_instances,
        "XCom bytes": taken.xcom_bytes,
    }


def _phases(service: Service) -> Mapping[str, float]:
    enrollments = [entry["at"] for entry in service.journal() if entry["effect"] == "enrolled"]
    signed_in = [entry["at"] for entry in service.sign_ins()]
    if not enrollments or not signed_in:
        return {}
    return {
        "before the first": round(min(enrollments) - min(signed_in), 2),
        "sending": round(max(enrollments) - min(enrollments), 2),
    }


def _capacity_sheet(rows: list[dict[str, Any]], alone: float, batched: float) -> Sheet:
    ways: list[dict[str, Any]] = []
    for is_batched, can in ((False, alone), (True, batched)):
        keys = [baseline.title for baseline in BASELINES if baseline.is_batched == is_batched]
        used, fastest = max(
            (row["people"] / (row["sending"] + LATENCY), row["way"])
            for row in rows
            if row["way"] in keys and row.get("sending")
        )
        ways.append(
            {
                "people travel": "20 per $batch" if is_batched else "one per call",
                "emulator can, people/s": round(can),
                "fastest way used, people/s": round(used),
                "which": fastest,
                "share %": round(used / can * 100),
            }
        )
    return Sheet(
        "capacity",
        "   The emulator is not the bottleneck",
        ways,
        [
            "What it can is measured without latency, by four connections of a client that shares its cores: a floor.",
            "What a way used is its people by the time from the first person's request to the last one's answer.",
        ],
    )
