"""Airflow as it is deployed: an API server, a scheduler, a DAG processor, a triggerer and Celery workers."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import requests
import sqlalchemy as sa

from tests.services.celery.until import until

_AIRFLOW = Path(sys.executable).parent / "airflow"
_HEALTHY_WITHIN = 150.0
# Both workers are on one machine: what tells them apart is what they were told to call themselves.
_HOSTNAME = """import os, socket

def hostname():
    return os.environ.get("TEST_HOSTNAME") or socket.gethostname()
"""


class AirflowCluster:
    """
    Airflow's processes, and its REST API.

    :param home: an empty folder; DAGs are put into its ``dags``.
    :param metadata: an empty PostgreSQL database.
    :param broker: an empty Redis database.
    :param settings: more of the environment.
    """

    def __init__(self, home: Path, metadata: sa.URL, broker: str, settings: Mapping[str, str]) -> None:
        self._home = home
        self._port = _free_port()
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            **_settings(home, metadata, broker, f"http://127.0.0.1:{self._port}"),
            **settings,
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        for folder in ("dags", "config", "output"):
            (home / folder).mkdir()
        (home / "config" / "teams_registration_test_hostname.py").write_text(_HOSTNAME)

    def start(self, workers: Sequence[str], concurrency: int) -> None:
        """
        Make the metadata database, start everything, and wait until all of it is healthy.

        :param workers: their hostnames.
        :param concurrency: how many tasks each of them runs at once.
        """
        self._start("db", "db", "migrate")
        assert self._processes.pop("db").wait(_HEALTHY_WITHIN) == 0
        self._start("api-server", "api-server", "--host", "127.0.0.1", "--port", str(self._port))
        self._start("scheduler", "scheduler")
        self._start("dag-processor", "dag-processor")
        self._start("triggerer", "triggerer", "--skip-serve-logs")
        for name in workers:
            arguments = ("--celery-hostname", name, "--concurrency", str(concurrency), "--skip-serve-logs")
            self._start(name, "celery", "worker", *arguments, TEST_HOSTNAME=name)
        until("API server, scheduler, DAG processor and triggerer are healthy", self._is_healthy, _HEALTHY_WITHIN)
        for name in workers:
            until(f"{name} is ready", lambda name=name: f"celery@{name} ready." in self._output(name), _HEALTHY_WITHIN)
        token = self._session.get(self._url("/auth/token"), timeout=30).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> Any:
        """Return what the REST API answers; None where it knows no such thing."""
        answer = self._session.get(self._url(f"/api/v2{path}"), params=query, timeout=60)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make something by the REST API."""
        answer = self._session.post(self._url(f"/api/v2{path}"), json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def kill(self, name: str) -> None:
        """End a process and all it started at once, as when its machine is gone."""
        _kill_session(self._processes[name].pid)
        self._processes.pop(name).wait()

    def stop(self) -> None:
        """End everything."""
        for name in list(self._processes):
            self.kill(name)
        self._session.close()

    @contextmanager
    def showing_logs(self) -> Iterator[None]:
        """Show how the logs of components and of tasks end, where something goes wrong meanwhile."""
        try:
            yield
        except BaseException:
            print(self._tails())
            raise

    def _tails(self, lines: int = 40) -> str:
        files = [*sorted((self._home / "output").iterdir()), *sorted((self._home / "logs").rglob("attempt=*.log"))]
        ends = (file.read_text(errors="replace").splitlines()[-lines:] for file in files)
        return "\n".join(
            f"--- {file.relative_to(self._home)}\n" + "\n".join(end) for file, end in zip(files, ends, strict=True)
        )

    def _start(self, name: str, *arguments: str, **environment: str) -> None:
        with (self._home / "output" / f"{name}.log").open("wb") as output:
            self._processes[name] = subprocess.Popen(
                [_AIRFLOW, *arguments],
                env={**self._environment, **environment},
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _is_healthy(self) -> bool:
        for name, process in self._processes.items():
            assert process.poll() is None, f"{name} ended with exit code {process.returncode}"
        try:
            health = self._session.get(self._url("/api/v2/monitor/health"), timeout=30).json()
        except requests.ConnectionError:
            return False
        components = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return all(health[name]["status"] == "healthy" for name in components)

    def _output(self, name: str) -> str:
        return (self._home / "output" / f"{name}.log").read_text(errors="replace")

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}{path}"


@contextmanager
def airflow_cluster(home: Path, metadata: sa.URL, broker: str, settings: Mapping[str, str]) -> Iterator[AirflowCluster]:
    """Make a cluster that is yet to be started, and end it in any case."""
    cluster = AirflowCluster(home, metadata, broker, settings)
    # Who ends the tests must not leave Airflow behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield cluster
    finally:
        cluster.stop()
        signal.signal(signal.SIGTERM, before)


def _settings(home: Path, metadata: sa.URL, broker: str, url: str) -> dict[str, str]:
    database = metadata.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__CELERY__BROKER_URL": broker,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "teams_registration_test_hostname.hostname",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(home / "config"), os.environ.get("PYTHONPATH")))),
    }


def _free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return int(some.getsockname()[1])


def _kill_session(leader: int) -> None:
    """Kill a process and those it started: Airflow gives a task a process group of its own, but no session."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)

    def nobody_is_left() -> bool:
        left = [process.pid for process in psutil.process_iter() if _session_of(process) == leader]
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    until(f"all of session {leader} is gone", nobody_is_left, 30, every=0.02)


def _session_of(process: psutil.Process) -> int | None:
    with suppress(ProcessLookupError, psutil.Error):
        if process.status() != psutil.STATUS_ZOMBIE:
            return os.getsid(process.pid)
    return None
