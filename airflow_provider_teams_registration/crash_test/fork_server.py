"""
A process that has imported Airflow once, and forks one child for each attempt: an import takes longer than most runs.

``python -m airflow_provider_teams_registration.crash_test.fork_server`` is that process. It reads an order a line, and
answers each with the child's process id and, once the child has ended, with its exit code.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

_MODULE = "airflow_provider_teams_registration.crash_test.fork_server"


class ForkServerEnded(Exception):
    """The process ended by itself, most likely because Airflow cannot be imported. Its log says why."""


class ForkServer:
    """
    The process, as the crash test uses it.

    :param environment: its environment variables.
    :param log: file for what it prints outside of attempts.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )
        self._child = 0

    def start(self, order: Mapping[str, Any], log: Path) -> int:
        """
        Start a child.

        :param order: arguments of :func:`.attempt.make_attempt`; an empty one makes the metadata database.
        :param log: file for what it prints.
        :return: its process id, which is the id of its process group as well.
        :raises ForkServerEnded: there is no process to fork.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"order": order, "log": str(log)}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ForkServerEnded from None
        self._child = self._answer(None)
        return self._child

    def wait(self, timeout: float) -> int:
        """
        Wait for the child to end.

        :param timeout: seconds.
        :return: its exit code; negative is the signal that ended it.
        :raises TimeoutError: it has not ended.
        """
        code = self._answer(timeout)
        self._child = 0
        return code

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child:
            os.killpg(self._child, signal.SIGKILL)
        self._process.kill()
        self._process.communicate()

    def _answer(self, timeout: float | None) -> int:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], timeout)
        if not ready:
            raise TimeoutError
        line = self._process.stdout.readline()
        if not line:
            raise ForkServerEnded
        return int(line)


def serve() -> None:
    """Fork a child for each line on standard input."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    # What Airflow prints while it is imported is no answer.
    os.dup2(2, 1)
    from airflow_provider_teams_registration.crash_test.attempt import import_airflow, make_attempt, migrate

    import_airflow()
    for line in sys.stdin:
        said = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            log = os.open(said["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = 1
            try:
                make_attempt(**said["order"]) if said["order"] else migrate()
                code = 0
            except Exception:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        print(child, file=answers)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers)


if __name__ == "__main__":
    serve()
