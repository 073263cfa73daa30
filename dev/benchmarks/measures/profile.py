"""``python -m dev.benchmarks profile``: what this provider spends its time on, beside (e8)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from dev.benchmarks.airflow_run import SAMPLES, AirflowHome, Taken
from dev.benchmarks.baselines import httpx_batch, ours
from dev.benchmarks.baselines.baseline import Baseline
from dev.benchmarks.measures.options import Options
from dev.benchmarks.measures.sheet import Sheet
from dev.benchmarks.service import Service

_LEAST_SHARE = 0.01
_WAYS = (httpx_batch.AS_WIDE, ours.WITH_SQL_LEDGER)


def measure(service: Service, options: Options) -> Iterator[Sheet]:
    """Enroll the people by turns in both ways, then once more with a sampler."""
    runs: dict[str, list[Taken]] = {baseline.title: [] for baseline in _WAYS}
    for _ in range(options.repeats):
        for baseline in _WAYS:
            runs[baseline.title].append(_run(baseline, service, options.people)[0])
    rows = [_totals(way, taken) for way, taken in runs.items()]
    fast, own = rows
    ratio = {name: round(own[name] / fast[name], 2) for name in fast if name != "way"}
    yield Sheet(
        "profile_totals",
        f"{options.people:,} people on an online meeting, {options.repeats} runs of each way by turns",
        [*rows, {"way": "this provider / (e8)", **ratio}],
        ["The least of a column is the figure that other work on the machine disturbed least."],
    )
    taken, samples = _run(ours.WITH_SQL_LEDGER, service, options.people, is_sampled=True)
    yield Sheet(
        "profile",
        f"{ours.WITH_SQL_LEDGER.title}: one more run, sampled ({taken.seconds} s, CPU {taken.cpu_seconds} s)",
        _parts(samples),
        [
            "CPU: of all threads. Main thread: of the time from start to end, waits included.",
            "Each sample counts for the innermost folder of this package on the stack, and for the library it calls.",
        ],
    )


def _run(
    baseline: Baseline, service: Service, people: int, *, is_sampled: bool = False
) -> tuple[Taken, list[tuple[str, str, float, float]]]:
    service.reset()
    home = AirflowHome(baseline.connections(service), service.environment, is_warm=True)
    home.add_ledger()
    samples = home.folder / "samples.json"
    if is_sampled:
        home.environment[SAMPLES] = str(samples)
    text = baseline.text(service, people).replace("registrants=people(),", "registrants=people(), xcom_limit=PEOPLE,")
    taken = home.run(text)
    found = json.loads(samples.read_text()) if is_sampled else []
    home.remove()
    return taken, found


def _totals(way: str, runs: list[Taken]) -> dict[str, Any]:
    seconds, cpu = [run.seconds for run in runs], [run.cpu_seconds for run in runs]
    return {
        "way": way,
        "seconds, least": min(seconds),
        "seconds, median": median(seconds),
        "CPU s, least": min(cpu),
        "CPU s, median": median(cpu),
    }


def _parts(samples: list[tuple[str, str, float, float]]) -> list[Mapping[str, Any]]:
    all_cpu, all_wall = sum(sample[2] for sample in samples), sum(sample[3] for sample in samples)
    rows: list[tuple[str, str, float, float]] = []
    others = [0.0, 0.0]
    for sample in sorted(samples, key=lambda sample: -sample[2]):
        _, _, cpu, wall = sample
        if max(cpu / all_cpu, wall / all_wall) < _LEAST_SHARE:
            others = [others[0] + cpu, others[1] + wall]
        else:
            rows.append(sample)
    rows.append(("others", "", others[0], others[1]))
    return [
        {
            "part": part,
            "in": library,
            "CPU %": round(100 * cpu / all_cpu),
            "main thread %": round(100 * wall / all_wall),
        }
        for part, library, cpu, wall in rows
    ]
