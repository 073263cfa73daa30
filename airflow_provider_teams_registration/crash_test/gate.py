"""The gate in front of the emulator: it counts HTTP exchanges, and kills the client at one of them."""

from __future__ import annotations

import os
import re
import signal
import threading
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PLAIN_SEGMENT = re.compile(r"[$A-Za-z][A-Za-z.]*")


@dataclass(frozen=True)
class KillPoint:
    """
    The moment at which a run is killed.

    :param exchange: number of the HTTP exchange, counted from 1 over the run.
    :param is_executed: whether the emulator executes the request first; the response never arrives either way.
    """

    exchange: int
    is_executed: bool

    def __str__(self) -> str:
        return "after it was executed" if self.is_executed else "before it was executed"


class Gate:
    """
    Lets exchanges through until the one at which the client is to be killed.

    :ivar requests: method and last path segment of every request since :meth:`open`, without ids and addresses.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kill_point: KillPoint | None = None
        self._process_group = 0
        self.requests: list[str] = []

    def open(self) -> None:
        """Start to count anew, and kill nobody."""
        with self._lock:
            self._kill_point = None
            self.requests = []

    def kill_at(self, kill_point: KillPoint, process_group: int) -> None:
        """
        Kill a client at an exchange.

        :param kill_point: the exchange.
        :param process_group: the client's process group, which gets SIGKILL.
        """
        with self._lock:
            self._kill_point, self._process_group = kill_point, process_group

    @property
    def has_killed(self) -> bool:
        """Whether the client that :meth:`kill_at` named came to its exchange."""
        with self._lock:
            return self._kill_point is not None and len(self.requests) >= self._kill_point.exchange

    def before(self, application: ASGIApp) -> ASGIApp:
        """Return an ASGI application that stands in front of another one."""

        async def gated(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"] == "/" or scope["path"].startswith("/emulator"):
                await application(scope, receive, send)
                return
            kill_point = self._count(scope)
            if kill_point is None:
                await application(scope, receive, send)
                return
            if kill_point.is_executed:
                await application(scope, receive, self._kill_instead_of_sending)
            else:
                self._kill()
            while (await receive())["type"] != "http.disconnect":
                continue

        return gated

    def _count(self, scope: Scope) -> KillPoint | None:
        with self._lock:
            self.requests.append(_shown(scope["method"], scope["path"]))
            is_due = self._kill_point is not None and len(self.requests) == self._kill_point.exchange
            return self._kill_point if is_due else None

    async def _kill_instead_of_sending(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._kill()

    def _kill(self) -> None:
        os.killpg(self._process_group, signal.SIGKILL)


def _shown(method: str, path: str) -> str:
    """Return a request without ids, which may be addresses of people."""
    segments = path.rstrip("/").split("/")
    last = segments[-1].partition("(")[0]
    return f"{method} {last}" if _PLAIN_SEGMENT.fullmatch(last) else f"{method} {segments[-2].partition('(')[0]}/{{id}}"


def kill_points(exchanges: int, every: int, most: int | None) -> list[KillPoint]:
    """
    Choose where to kill.

    :param exchanges: how many HTTP exchanges an undisturbed run makes.
    :param every: take every n-th of the two points that each exchange has.
    :param most: take this many at most, spread evenly; None takes all.
    """
    points = [KillPoint(number, is_executed) for number in range(1, exchanges + 1) for is_executed in (False, True)]
    points = points[every - 1 :: every] if every > 1 else points
    if most is None or len(points) <= most:
        return points
    return [points[(2 * place + 1) * len(points) // (2 * most)] for place in range(most)]
