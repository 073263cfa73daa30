"""One DAG run in real Airflow, in a process of its own, with what it took in time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Taken:
    """
    What a DAG run took.

    :param state: how it ended.
    :param seconds: from its start to its end.
    :param peak_mb: most memory that the process held, in MB.
    :param xcom_bytes: what all its XComs hold.
    """

    state: str
    seconds: float
    peak_mb: float
    xcom_bytes: int


class AirflowHome:
    """
    An Airflow with an empty database.

    :param connections: Airflow connections by id.
    """

    def __init__(self, connections: Mapping[str, Mapping[str, Any]]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="benchmark-airflow-"))
        own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self.environment = own | {
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.folder / "dags"),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.folder}/airflow.db",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "PYTHONPATH": str(ROOT),
            **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()},
        }
        (self.folder / "dags").mkdir()
        airflow = Path(sys.executable).parent / "airflow"
        subprocess.run([airflow, "db", "migrate"], env=self.environment, check=True, capture_output=True)

    def run(self, tasks: str, dag_id: str = "benchmark") -> Taken:
        """Run a DAG, given as the text of its tasks, and wait for its end."""
        file = self.folder / "dags" / f"{dag_id}.py"
        body = "\n".join(f"    {line}" for line in tasks.strip().splitlines())
        file.write_text(f"from airflow.sdk import DAG\nwith DAG({dag_id!r}) as dag:\n{body}\n")
        command = [sys.executable, "-m", "benchmarks.airflow_run", str(file), dag_id]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, cwd=ROOT)
        last = done.stdout.strip().rpartition("\n")[2]
        if done.returncode or not last.startswith("{"):
            raise RuntimeError(f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
        return Taken(**json.loads(last))


def _run_here(file: str, dag_id: str) -> Taken:
    import resource
    import sqlite3
    import time
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(dag_id, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    started = time.monotonic()
    run = module.dag.test()
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with sqlite3.connect(f"{os.environ['AIRFLOW_HOME']}/airflow.db") as database:
        held = database.execute("SELECT COALESCE(SUM(LENGTH(value)), 0) FROM xcom WHERE run_id = ?", [run.run_id])
        xcom_bytes = held.fetchone()[0]
    return Taken(str(run.state.value), round(seconds, 2), round(peak, 1), xcom_bytes)


if __name__ == "__main__":
    print(json.dumps(vars(_run_here(*sys.argv[1:]))))
