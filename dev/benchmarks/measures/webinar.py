"""Measure 3: a webinar at the service's limit, in a window made shorter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from dev.benchmarks.airflow_run import AirflowHome
from dev.benchmarks.baselines import httpx_batch, ours
from dev.benchmarks.baselines.baseline import webinar_text
from dev.benchmarks.measures.options import Options
from dev.benchmarks.measures.sheet import Sheet
from dev.benchmarks.service import Service, doubles_and_losses

LIMIT = 15


def measure(service: Service, options: Options) -> Iterator[Sheet]:
    """Register the people with the fastest baseline and with this provider."""
    ways = ((httpx_batch.BASELINE.title, httpx_batch.WEBINAR_TASKS), (ours.BASELINE.title, ours.WEBINAR_TASKS))
    window = f"{LIMIT} writes per {options.window:g} s"
    yield Sheet(
        "webinar",
        f"3. {options.webinar_people:,} people on a webinar at the service's limit, scaled to {window}",
        [_row(title, tasks, service, options) for title, tasks in ways],
        [
            "Share of the write quota: the least time that the limit lets the writes take, first to last, by the time "
            "they took.",
            "The limit is told to (f) by its connection's write_limit and write_window; links are read in the time.",
        ],
    )


def _row(title: str, tasks: str, service: Service, options: Options) -> dict[str, Any]:
    people = options.webinar_people
    service.reset(write_limit=LIMIT, write_window=options.window)
    own = dict(ours.ours_connection(service))
    own["teams_registration_default"] = {
        **own["teams_registration_default"],
        "extra": {
            **own["teams_registration_default"]["extra"],
            "write_limit": LIMIT,
            "write_window": options.window,
        },
    }
    home = AirflowHome({**httpx_batch.BASELINE.connections(service), **own}, service.environment, is_warm=True)
    taken = home.run(webinar_text(tasks, service, people))
    home.remove()
    journal = service.journal()
    done = [entry["at"] for entry in journal if entry["effect"] == "enrolled"]
    ideal = (-(-len(done) // LIMIT) - 1) * options.window
    spent = max(done) - min(done) if done else 0
    emails = [f"person.{number}@example.org" for number in range(people)]
    doubles, losses = doubles_and_losses(emails, service.registrations())
    return {
        "way": title,
        "state": taken.state,
        "seconds": taken.seconds,
        "least possible s": round(ideal, 2),
        "writes took s": round(spent, 2),
        "quota used %": round(ideal / spent * 100, 1) if spent else None,
        "429s": Counter(entry["status"] for entry in journal)[429],
        "slot seconds": taken.task_seconds,
        "HTTP calls": service.http_calls(),
        "doubles": doubles,
        "losses": losses,
    }
