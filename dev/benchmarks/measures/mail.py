"""Measure 7: mails with the links, beside a bare loop of smtplib."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from dev.benchmarks.airflow_run import ROOT
from dev.benchmarks.mail_sink import MailSink
from dev.benchmarks.measures.options import Options
from dev.benchmarks.measures.sheet import Sheet

_WAYS = (
    ("a bare smtplib loop, a line of text each", "bare"),
    ("this provider: ledger, templates, calendar entry", "ours"),
)


def measure(options: Options) -> Iterator[Sheet]:
    """Mail the people in both ways, several times in turn, and keep the run with the least CPU time of each."""
    with MailSink() as sink:
        tries = [[_row(name, way, sink, options.mailed_people) for name, way in _WAYS] for _ in range(options.repeats)]
    rows = [min(some, key=lambda row: float(row["CPU ms a mail"])) for some in zip(*tries, strict=True)]
    for row in rows:
        row["beyond the loop"] = round(row["CPU ms a mail"] - rows[0]["CPU ms a mail"], 2)
    yield Sheet(
        "mail",
        f"7. {options.mailed_people:,} mails to a mail server on this machine, least of {options.repeats}",
        rows,
        [
            "The ledger is in SQLite. The operator's own work in Airflow, once a task, is not in the time.",
            "More MB: how much the process grew while it mailed, by its peak.",
        ],
    )


def _row(name: str, way: str, sink: MailSink, people: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "dev.benchmarks.mail_run", way, str(people), str(sink.port)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    taken = json.loads(done.stdout)
    connections, mails = sink.counts()
    return {
        "way": name,
        "mails": mails,
        "connections": connections,
        "seconds": round(taken["seconds"], 2),
        "CPU ms a mail": round(taken["cpu"] / people * 1000, 2),
        "more MB": round(taken["mb"], 1),
    }
