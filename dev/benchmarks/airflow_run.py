"""One DAG run in real Airflow, in a process of its own, with what it took in time, CPU and memory."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = "TEAMS_REGISTRATION_BENCHMARK_SAMPLES"
"""The environment variable that names a file. A run with it writes there what it spends its time on."""
_API_SERVER = "InProcessExecutionAPI"
NOTHING = """
from airflow.sdk import task
@task
def nothing(): ...
nothing()
"""


def dag_file(dag_id: str, tasks: str) -> str:
    """Return the text of a DAG file, given the text of its tasks."""
    body = "\n".join(f"    {line}" for line in tasks.strip().splitlines())
    return f"from airflow.sdk import DAG\nwith DAG({dag_id!r}) as dag:\n{body}\n"


@dataclass(frozen=True)
class Taken:
    """
    What a DAG run took.

    :param state: how it ended.
    :param seconds: from its start to its end.
    :param cpu_seconds: CPU time of the process meanwhile.
    :param api_cpu_seconds: how much of it went to Airflow's API server, which dag.test() runs in the same process.
    :param peak_mb: most memory that the process held, in MB.
    :param xcom_bytes: what all its XComs hold.
    :param task_instances: how many there were.
    :param task_seconds: how long they ran, all together: the time that worker slots were taken.
    """

    state: str
    seconds: float
    cpu_seconds: float
    api_cpu_seconds: float
    peak_mb: float
    xcom_bytes: int
    task_instances: int
    task_seconds: float


class AirflowHome:
    """
    An Airflow with an empty database.

    :param connections: Airflow connections by id.
    :param environment: more of the environment.
    :param is_warm: run a DAG that does nothing first, so that the start of Airflow's own in-process API server is not
        in the figures.
    """

    def __init__(
        self,
        connections: Mapping[str, Mapping[str, Any]],
        environment: Mapping[str, str] | None = None,
        is_warm: bool = False,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="benchmark-airflow-"))
        self.environment = _environment(self.folder) | {
            **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()},
            **(environment or {}),
        }
        (self.folder / "dags").mkdir()
        self._is_warm = is_warm
        if is_warm:
            (self.folder / "dags" / "warm_up.py").write_text(dag_file("warm_up", NOTHING))
        shutil.copy(_empty_database(), self.database)

    @property
    def database(self) -> Path:
        """Airflow's database."""
        return self.folder / "airflow.db"

    def add_ledger(self) -> None:
        """Give it a connection called ``ledger`` to a SQLite database that goes with it."""
        ledger = {"conn_type": "sqlite", "host": str(self.folder / "ledger.db")}
        self.environment["AIRFLOW_CONN_LEDGER"] = json.dumps(ledger)

    def run(self, tasks: str, dag_id: str = "benchmark") -> Taken:
        """Run a DAG, given as the text of its tasks, and wait for its end."""
        return self.finish(self.start(tasks, dag_id))

    def start(self, tasks: str, dag_id: str = "benchmark", logical_date: str = "") -> subprocess.Popen[str]:
        """
        Run a DAG, given as the text of its tasks, without waiting for its end.

        :param tasks: the text.
        :param dag_id: the DAG's id.
        :param logical_date: the same one again means the same DAG run again; the present moment by default.
        """
        file = self.folder / "dags" / f"{dag_id}.py"
        file.write_text(dag_file(dag_id, tasks))
        self._mark.unlink(missing_ok=True)
        command = [sys.executable, "-m", "dev.benchmarks.airflow_run", str(file), str(int(self._is_warm))]
        with (self.folder / "log").open("w") as log:
            return subprocess.Popen(
                [*command, logical_date], env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
            )

    def finish(self, process: subprocess.Popen[str]) -> Taken:
        """Wait for a run to end."""
        out, _ = process.communicate()
        last = out.strip().rpartition("\n")[2]
        if process.returncode or not last.startswith("{"):
            raise RuntimeError(f"{out[-2000:]}\n{(self.folder / 'log').read_text()[-3000:]}")
        return Taken(**json.loads(last))

    def seconds_since_start(self) -> float:
        """Return how long ago the DAG run began that is under way."""
        return time.time() - self._mark.stat().st_mtime

    def remove(self) -> None:
        """Leave no trace."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _mark(self) -> Path:
        return self.folder / "started"


def _environment(folder: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    # Whoever installs a package has its modules compiled; a process that may not keep them compiles all anew.
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return own | {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(ROOT),
    }


@functools.cache
def _empty_database() -> Path:
    """Migrating takes longer than most runs, so it is done once."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-airflow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    airflow = Path(sys.executable).parent / "airflow"
    subprocess.run([airflow, "db", "migrate"], env=_environment(folder), check=True, capture_output=True)
    return folder / "airflow.db"


def _load(file: str) -> Any:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(Path(file).stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _sampled() -> Iterator[None]:
    """Sample the run, if the environment names a file for the samples."""
    file = os.environ.get(SAMPLES)
    if file is None:
        yield
        return
    from dev.benchmarks.sampler import Sampler

    with Sampler() as sampler:
        yield
    places = sampler.cpu.keys() | sampler.wall.keys()
    Path(file).write_text(json.dumps([[*place, sampler.cpu[place], sampler.wall[place]] for place in places]))


def _run_here(file: str, is_warm: str, logical_date: str) -> Taken:
    import resource
    import sqlite3
    import threading
    from datetime import datetime

    def cpu() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)

    def api_cpu() -> float:
        servers = [thread.native_id for thread in threading.enumerate() if thread.name.startswith(_API_SERVER)]
        stats = [Path(f"/proc/self/task/{server}/stat").read_text().rpartition(")")[2].split() for server in servers]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")

    home = Path(os.environ["AIRFLOW_HOME"])
    if is_warm == "1":
        _load(str(home / "dags" / "warm_up.py")).dag.test()
    module = _load(file)
    (home / "started").touch()
    started, cpu_started, api_cpu_started = time.monotonic(), cpu(), api_cpu()
    with _sampled():
        run = module.dag.test(**({"logical_date": datetime.fromisoformat(logical_date)} if logical_date else {}))
    seconds, cpu_seconds, api_cpu_seconds = time.monotonic() - started, cpu() - cpu_started, api_cpu() - api_cpu_started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    of_run = [run.dag_id, run.run_id]
    with sqlite3.connect(home / "airflow.db") as database:
        held = "SELECT COALESCE(SUM(LENGTH(value)), 0) FROM xcom WHERE dag_id = ? AND run_id = ?"
        (xcom_bytes,) = database.execute(held, of_run).fetchone()
        tasks = "SELECT COUNT(*), COALESCE(SUM(duration), 0) FROM task_instance WHERE dag_id = ? AND run_id = ?"
        count, task_seconds = database.execute(tasks, of_run).fetchone()
    return Taken(
        state=str(run.state.value),
        seconds=round(seconds, 2),
        cpu_seconds=round(cpu_seconds, 2),
        api_cpu_seconds=round(api_cpu_seconds, 2),
        peak_mb=round(peak, 1),
        xcom_bytes=xcom_bytes,
        task_instances=count,
        task_seconds=round(task_seconds, 2),
    )


if __name__ == "__main__":
    print(json.dumps(vars(_run_here(*sys.argv[1:]))))
