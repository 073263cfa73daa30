"""
``python -m benchmarks``: this provider beside what people would write today, in one run.

``python -m benchmarks --quick`` tries everything with tiny numbers; ``python -m benchmarks chart`` draws the image, and
``python -m benchmarks table`` prints what the README says.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from benchmarks.airflow_run import ROOT
from benchmarks.chart import draw
from benchmarks.machine import machine
from benchmarks.measures import big_lists, harm, online_meeting, overhead, parse, webinar
from benchmarks.measures.options import QUICK, Options
from benchmarks.measures.sheet import Sheet
from benchmarks.service import Service
from benchmarks.table import write_table

RESULTS = ROOT / "benchmarks" / "results.json"
QUICK_RESULTS = Path(tempfile.gettempdir()) / "teams-registration-benchmark.json"
CHART = ROOT / "docs" / "benchmark.svg"
_MEASURES: Mapping[int, Callable[[Service, Options], Iterator[Sheet]]] = {
    1: online_meeting.measure,
    2: harm.measure,
    3: webinar.measure,
    4: lambda _, options: big_lists.measure(options),
    5: lambda _, options: parse.measure(options),
    6: overhead.measure,
}


def main() -> int:
    """Measure and print, or draw."""
    arguments = _arguments()
    results: Path = arguments.results or (QUICK_RESULTS if arguments.quick else RESULTS)
    if arguments.what == "table":
        print(write_table(json.loads(results.read_text())))
        return 0
    if arguments.what == "chart":
        arguments.chart.write_text(draw(json.loads(results.read_text())))
        print(arguments.chart)
        return 0
    sizes = {name: getattr(arguments, name) for name in ("people", "mapped_people") if getattr(arguments, name)}
    _run(replace(QUICK if arguments.quick else Options(), **sizes), arguments.only, results)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("run", "chart", "table"), default="run")
    parser.add_argument("--quick", action="store_true", help="tiny numbers, which say nothing but that it works")
    parser.add_argument("--people", type=int, help="people of the online meeting")
    parser.add_argument("--mapped-people", type=int, help="people for those who run a task per person")
    parser.add_argument("--only", type=int, nargs="+", choices=list(_MEASURES), default=list(_MEASURES))
    parser.add_argument("--results", type=Path, help="where the figures are kept")
    parser.add_argument("--chart", type=Path, default=CHART, help="where the image goes")
    return parser.parse_args()


def _run(options: Options, only: list[int], results: Path) -> None:
    console, about, started = Console(width=None if sys.stdout.isatty() else 170), machine(), time.monotonic()
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
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
        "machine": about,
        "minutes": round(minutes, 1),
        "options": asdict(options),
        "measures": {key: asdict(sheet) for key, sheet in sheets.items()},
    }
    results.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    console.print(f"{minutes:.1f} minutes; kept in {results}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
