"""Measure 6: this provider as one task, as ten mapped chunks, and as a task per person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dev.benchmarks.airflow_run import AirflowHome
from dev.benchmarks.baselines import ours
from dev.benchmarks.baselines.baseline import meeting_text
from dev.benchmarks.measures.options import Options
from dev.benchmarks.measures.sheet import Sheet
from dev.benchmarks.service import Service


def measure(service: Service, options: Options) -> Iterator[Sheet]:
    """Enroll the same people in three ways."""
    people = options.overhead_people
    ways = (
        ("one task", ours.TASKS),
        ("10 mapped chunks", f"\nCHUNKS = 10\n{ours.CHUNK_TASKS}"),
        ("a task per person", f"\nCHUNKS = PEOPLE\n{ours.CHUNK_TASKS}"),
    )
    yield Sheet(
        "overhead",
        f"6. {people:,} people: one task, or many of this provider's",
        [_row(name, tasks, service, people) for name, tasks in ways],
        ["By dag.test(), one task after another: what is beyond one task is Airflow's own and each task's sign-in."],
    )


def _row(name: str, tasks: str, service: Service, people: int) -> dict[str, Any]:
    service.reset()
    home = AirflowHome(ours.ours_connection(service), service.environment, is_warm=True)
    taken = home.run(meeting_text(tasks, service, people))
    home.remove()
    return {
        "way": name,
        "state": taken.state,
        "seconds": taken.seconds,
        "CPU s": taken.cpu_seconds,
        "ms per person": round(taken.seconds / people * 1000, 2),
        "tasks": taken.task_instances,
        "HTTP calls": service.http_calls(),
        "on the event": len(service.links()),
    }
