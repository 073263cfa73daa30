"""Measure 2: many people on an online meeting while much goes wrong, and one SIGKILL."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from dev.benchmarks.airflow_run import AirflowHome
from dev.benchmarks.baselines import HARMED
from dev.benchmarks.baselines.baseline import Baseline
from dev.benchmarks.measures.options import Options
from dev.benchmarks.measures.sheet import Sheet
from dev.benchmarks.service import Service, doubles_and_losses, ids, people_on

_WHEN = "2026-01-01T00:00:00+00:00"
_LOOK_EVERY = 0.05


def measure(service: Service, options: Options) -> Iterator[Sheet]:
    """Enroll the people in every way, one after another."""
    rows = []
    for baseline in HARMED:
        people = options.harmed_mapped_people if baseline.is_mapped else options.harmed_people
        rows.append(_row(baseline, service, people))
    yield Sheet(
        "harm",
        f"2. {options.harmed_people:,} people: 10 % 429, 2 % 503 after it was applied, broken connections, one SIGKILL",
        rows,
        [
            "The service makes a second record for a second POST (duplicate=second_record), which shows doubles.",
            "Every hundred people one connection breaks after the request was applied; in a $batch 20 answers go with "
            "it, so those who send batches lose more answers.",
            "SIGKILL when half of the people are on the event; who is on it when the process "
            "is dead is 'on the event when killed'. "
            "Then the same task of the same DAG run again, at once. Time is that of both attempts.",
            f"A task per person: {options.harmed_mapped_people:,} people and no SIGKILL (dag.test() is one process; a "
            "real one would strike one person's task). Their faults are retried by Airflow: retries=3, "
            "as (fs) has it; (c) to (e) have none, for their tasks do not fail.",
            "(fs) keeps its ledger in SQLite: dag.test() deletes the run of before and its task state store with it. "
            "settle_after=5 instead of 120: the emulator shows everybody at once.",
            "(er) reads who is on the event first and sends the others alone. The list holds no links.",
            "Links missing: people in the input for whom no link was handed on that leads them to the event.",
        ],
    )


def _row(baseline: Baseline, service: Service, people: int) -> dict[str, Any]:
    service.reset(duplicate="second_record")
    _plant_faults(service, people, baseline.is_batched)
    text = baseline.text(service, people)
    home = AirflowHome(baseline.connections(service), service.environment, is_warm=True)
    home.add_ledger()
    process, seconds, when_killed = home.start(text, logical_date=_WHEN), 0.0, None
    if not baseline.is_mapped and _kill_at_half(service, process, people):
        seconds = home.seconds_since_start()
        process.communicate()
        when_killed = len(people_on(service.links()))
        process = home.start(text, logical_date=_WHEN)
    taken = home.finish(process)
    links = service.links()
    doubles, losses = doubles_and_losses(ids(people), people_on(links))
    handed_on = _texts_in_xcom(home)
    home.remove()
    return {
        "way": baseline.title,
        "people": people,
        "on the event when killed": when_killed,
        "state": taken.state,
        "doubles": doubles,
        "losses": losses,
        "links missing": len(set(ids(people)) - {person for person, link in links if link in handed_on}),
        "seconds": round(seconds + taken.seconds, 2),
        "HTTP calls": service.http_calls(),
    }


def _plant_faults(service: Service, people: int, is_batched: bool) -> None:
    route, hits = "POST registrants", 3 * people
    for nth in range(5, hits, 10):
        service.add_fault(route, nth=nth, status=429, retry_after="1")
    for nth in range(28, hits, 50):
        service.add_fault(route, nth=nth, when="after", status=503)
    # One in a hundred people, wherever they sit: a batch of 20 is the whole of its connection's traffic.
    where, first, every = ("POST $batch", 3, 5) if is_batched else (route, 62, 100)
    for nth in range(first, hits // (20 if is_batched else 1), every):
        service.add_fault(where, nth=nth, when="after", drop=True)


def _kill_at_half(service: Service, process: subprocess.Popen[str], people: int) -> bool:
    while process.poll() is None:
        if len(set(people_on(service.links()))) >= people / 2:
            process.kill()
            return True
        time.sleep(_LOOK_EVERY)
    return False


def _texts_in_xcom(home: AirflowHome) -> set[str]:
    """Return every text that the task handed on, wherever in its results it stands."""
    with sqlite3.connect(home.database) as database:
        values = database.execute("SELECT value FROM xcom WHERE task_id = 'enroll' AND key = 'return_value'")
        found = [value for (value,) in values]
    texts: set[str] = set()
    while found:
        value = found.pop()
        if isinstance(value, str | bytes):
            texts.add(str(value))
            try:
                value = json.loads(value)
            except ValueError:
                continue
        if isinstance(value, dict):
            found.extend(value.values())
        elif isinstance(value, list):
            found.extend(value)
    return texts
