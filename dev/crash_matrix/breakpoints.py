"""Every point where the process touches network, ledger or XCom, and what happens to it there."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import requests
import sqlalchemy as sa

T = TypeVar("T")


class Breakpoints:
    """
    Counts the breakpoints as they are passed, and sends the signal at one of them.

    :param inject_at: name of the point and which time it is passed, counted from 1; None is nowhere. (How often
        an event is read depends on the clock, so points are not numbered through.)
    :param signal_number: the signal, SIGKILL or SIGSTOP.
    :param passed: file that the names of the points passed go to.
    :ivar ledger_at_rest: held while the ledger is read or written.
    """

    def __init__(self, inject_at: tuple[str, int] | None, signal_number: int, passed: Path) -> None:
        self._inject_at = inject_at
        self._signal_number = signal_number
        self._passed = passed.open("a", buffering=1)
        self._times: Counter[str] = Counter()
        self.ledger_at_rest = threading.RLock()

    def passing(self, name: str) -> None:
        """Note a point, and injection if it is the one."""
        self._times[name] += 1
        self._passed.write(f"{name}\n")
        if (name, self._times[name]) == self._inject_at:
            # A process that is frozen inside a transaction holds its retry up instead of being overtaken. Aimed at this
            # thread the signal is exact: aimed at the process, another thread may take it, and this one go on a little.
            with self.ledger_at_rest if self._signal_number == signal.SIGSTOP else nullcontext():
                signal.pthread_kill(threading.get_ident(), self._signal_number)

    def around(self, name: str, call: Callable[[], T]) -> T:
        """Make a call with a point before and one after it."""
        self.passing(f"before {name}")
        result = call()
        self.passing(f"after {name}")
        return result

    def watch_network(self) -> None:
        """Put a point before and after every HTTP request."""
        send = requests.Session.send

        def watched(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            path = (request.path_url or "").partition("?")[0]
            name = f"{request.method} {path.rpartition('/')[2]}"
            return self.around(name, lambda: send(session, request, **options))

        requests.Session.send = watched  # type: ignore[method-assign, assignment]

    def watch_sql(self) -> None:
        """Put a point before every statement that writes and before every commit; what follows them is the next one."""

        def before_statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            verb = statement.split()[0]
            if verb in ("INSERT", "UPDATE", "DELETE", "CREATE"):
                self.passing(f"before {verb} ledger")

        sa.event.listen(sa.Engine, "before_cursor_execute", before_statement)
        sa.event.listen(sa.Engine, "commit", lambda _connection: self.passing("before COMMIT ledger"))
        sa.event.listen(sa.pool.Pool, "checkout", lambda *_: self.ledger_at_rest.acquire())
        sa.event.listen(sa.pool.Pool, "checkin", lambda *_: self.ledger_at_rest.release())


class StateStore:
    """
    Stands in for Airflow's task state store: the API server's table, as durable and as slow to forget.

    :param file: its database.
    :param breakpoints: told of every access.
    """

    def __init__(self, file: Path, breakpoints: Breakpoints) -> None:
        self._values = KeyValues(file)
        self._breakpoints = breakpoints

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under a key."""
        with self._breakpoints.ledger_at_rest:
            return self._breakpoints.around("GET state", lambda: self._values.get(key, default))

    def set(self, key: str, value: Any) -> None:
        """Put a value under a key."""
        with self._breakpoints.ledger_at_rest:
            self._breakpoints.around("SET state", lambda: self._values.set(key, value))


class KeyValues:
    """Values that outlive a killed process."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT)")

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under a key."""
        found = self._connection.execute("SELECT value FROM entries WHERE key = ?", [key]).fetchone()
        return default if found is None else json.loads(found[0])

    def set(self, key: str, value: Any) -> None:
        """Put a value under a key."""
        self._connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?)", [key, json.dumps(value)])

    def clear(self) -> None:
        """Forget everything, as Airflow does with a task's XCom when it is tried again."""
        self._connection.execute("DELETE FROM entries")
