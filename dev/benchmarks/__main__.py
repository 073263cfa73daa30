"""
Compare this provider with the code that people would write today: ``python -m dev.benchmarks``.

``python -m dev.benchmarks --quick`` runs everything with tiny numbers. After a whole run, the command
``python -m dev.benchmarks docs`` writes its figures into docs/benchmarks.md and draws the chart. The command
``python -m dev.benchmarks profile`` shows where this provider's time goes, and stores nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from dev.benchmarks.airflow_run import ROOT
from dev.benchmarks.chart import draw
from dev.benchmarks.machine import machine
from dev.benchmarks.measures import big_lists, harm, mail, online_meeting, overhead, parse, profile, webinar
from dev.benchmarks.measures.options import QUICK, Options
from dev.benchmarks.measures.sheet import Sheet
from dev.benchmarks.pages import refresh
from dev.benchmarks.service import Service
from dev.benchmarks.table import DEFERRAL

RESULTS = ROOT / "dev" / "benchmarks" / "results.json"
CHART = ROOT / "docs" / "benchmark.svg"
_MEASURES: Mapping[int, Callable[[Service, Options], Iterator[Sheet]]] = {
    1: online_meeting.measure,
    2: harm.measure,
    3: webinar.measure,
    4: big_lists.measure,
    5: lambda _, options: parse.measure(options),
    6: overhead.measure,
    7: lambda _, options: mail.measure(options),
}


def main() -> int:
    """Measure and print, or draw."""
    arguments = _arguments()
    if arguments.what == "docs":
        results = json.loads((arguments.results or RESULTS).read_text())
        CHART.write_text(draw(results))
        for page in (CHART, *refresh(ROOT, results)):
            print(page)
        return 0
    sizes = {name: getattr(arguments, name) for name in ("people", "mapped_people") if getattr(arguments, name)}
    options = replace(QUICK if arguments.quick else Options(), **sizes)
    if arguments.what == "profile":
        _profile(options)
        return 0
    is_whole = options == Options() and set(arguments.only) == set(_MEASURES)
    _run(options, arguments.only, arguments.results or (RESULTS if is_whole else _elsewhere()))
    return 0


def _profile(options: Options) -> None:
    console = _console()
    with Service() as service:
        for sheet in profile.measure(service, options):
            sheet.print(console)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 170)


def _elsewhere() -> Path:
    """Return a temporary file, so that a partial run does not replace the figures that the docs show."""
    handle, name = tempfile.mkstemp(prefix="teams-registration-benchmark-", suffix=".json")
    os.close(handle)
    return Path(name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("run", "docs", "profile"), default="run")
    parser.add_argument("--quick", action="store_true", help="tiny numbers, which say nothing but that it works")
    parser.add_argument("--people", type=int, help="people of the online meeting")
    parser.add_argument("--mapped-people", type=int, help="people for those who run a task per person")
    parser.add_argument("--only", type=int, nargs="+", choices=list(_MEASURES), default=list(_MEASURES))
    parser.add_argument("--results", type=Path, help="where the figures are kept")
    return parser.parse_args()


def _run(options: Options, only: list[int], results: Path) -> None:
    console, about, started = _console(), machine(), time.monotonic()
    console.print(", ".join(f"{name} {value}" for name, value in about.items()), highlight=False)
    console.print()
    sheets: dict[str, Sheet] = {}
    with Service() as service:
        for number in only:
            for sheet in _MEASURES[number](service, options):
                sheet.print(console)
                sheets[sheet.key] = sheet
    minutes = (time.monotonic() - started) / 60
    kept = {
        "command": " ".join(["python -m dev.benchmarks", *sys.argv[1:]]),
        "machine": about,
        "minutes": round(minutes, 1),
        "options": asdict(options),
        "measures": {**_measured_by_itself(results), **{key: asdict(sheet) for key, sheet in sheets.items()}},
    }
    results.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    console.print(f"{minutes:.1f} minutes; kept in {results}", highlight=False)


def _measured_by_itself(results: Path) -> dict[str, Any]:
    """Return the measure that another command stored, so that a run of all others does not lose it."""
    stored = json.loads(results.read_text() or "{}") if results.exists() else {}
    return {key: sheet for key, sheet in stored.get("measures", {}).items() if key == DEFERRAL}


if __name__ == "__main__":
    sys.exit(main())
