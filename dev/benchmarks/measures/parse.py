"""Measure 5: what a DAG file costs to parse."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev.benchmarks.airflow_run import NOTHING, ROOT, AirflowHome, dag_file
from dev.benchmarks.measures.options import Options
from dev.benchmarks.measures.sheet import Sheet

_BARE = dag_file("bare", NOTHING)
_OURS = """
from airflow.sdk import DAG, task
from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
with DAG("ours") as dag:
    EnrollRegistrantOperator(task_id="enroll", meeting_id="a", organizer_id="b", registrants=["c"])
"""
_MICROSOFTS = """
from airflow.sdk import DAG, task
from airflow.providers.microsoft.azure.operators.msgraph import MSGraphAsyncOperator
with DAG("microsofts") as dag:
    MSGraphAsyncOperator(task_id="enroll", method="POST", url="a", data={"b": "c"})
"""
# A task's process has Airflow loaded before it parses the file; so has this one, by a bare DAG.
_CHILD = """
import json, os, sys, time
from pathlib import Path
def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
bare, file = (compile(Path(name).read_text(), name, "exec") for name in sys.argv[1:])
started = time.perf_counter(); exec(bare, {"__name__": "bare"}); first = time.perf_counter() - started
before, modules = held(), len(sys.modules)
started = time.perf_counter(); exec(file, {"__name__": "file"}); seconds = time.perf_counter() - started
print(json.dumps([first * 1000, seconds * 1000, held() - before, len(sys.modules) - modules]))
"""


def measure(options: Options) -> Iterator[Sheet]:
    """Parse every file in fresh processes and keep the best."""
    home = AirflowHome({})
    with tempfile.TemporaryDirectory() as folder:
        texts = (
            ("a bare DAG once more", _BARE),
            ("with this provider's operator", _OURS),
            ("with MSGraphAsyncOperator", _MICROSOFTS),
        )
        bare = Path(folder) / "bare.py"
        bare.write_text(_BARE)
        rows = [_row(name, text, bare, home, options.parses) for name, text in texts]
    home.remove()
    yield Sheet(
        "parse",
        f"5. Parsing a DAG file, beyond a bare DAG; best of {options.parses}",
        rows,
        [
            "Each in a fresh process that has parsed a bare DAG before: Airflow is loaded, as in a task's process.",
            "All modules are compiled, as they are once a package is installed.",
        ],
    )


def _row(name: str, text: str, bare: Path, home: AirflowHome, times: int) -> dict[str, Any]:
    file = bare.parent / "file.py"
    file.write_text(text)
    command = [sys.executable, "-c", _CHILD, str(bare), str(file)]
    found = []
    # The first one compiles what is not compiled yet, and is not counted.
    for _ in range(times + 1):
        done = subprocess.run(command, env=home.environment, capture_output=True, text=True, check=True, cwd=ROOT)
        found.append(json.loads(done.stdout.strip().rpartition("\n")[2]))
    first, milliseconds, megabytes, modules = (min(column) for column in zip(*found[1:], strict=True))
    return {
        "DAG file": name,
        "ms": round(milliseconds, 1),
        "MB": round(megabytes, 2),
        "modules": modules,
        "bare DAG with all of Airflow, ms": round(first),
    }
