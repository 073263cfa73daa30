"""
One time limit for a whole HTTP call: name look-up, connection, TLS, a proxy's tunnel, request, headers and body.

The time limits of requests and urllib3 hold for one connection attempt and for one read of the socket. A service that
sends a byte a second never meets them.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillOpening
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_end: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """
    Let every HTTP call in the block, on a session with :class:`LimitedAdapter`, end within so many seconds together.

    :param seconds: the time limit.
    """
    token = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def _left() -> float | None:
    """
    Return the seconds until the call must end; None where no limit is set.

    :raises TimeoutError: it must have ended.
    """
    end = _end.get()
    if end is None:
        return None
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class LimitedSocket:
    """
    A socket whose every operation ends when the call that it serves must. Pooled, it serves one call after another.

    :param sock: the socket, of whatever kind urllib3 has made.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def gettimeout(self) -> float | None:
        """Return the seconds that are left. A TLS handshake takes its limit from here."""
        left = _left()
        timeout: float | None = self._sock.gettimeout() if left is None else left
        return timeout

    def limit(self) -> None:
        """Let the socket's next operation end when the call must."""
        if (left := _left()) is not None:
            self._sock.settimeout(left)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive."""
        self.limit()
        received: bytes = self._sock.recv(size, flags)
        return received

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send as much as goes at once."""
        self.limit()
        sent: int = self._sock.send(data, flags)
        return sent

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        """Send everything."""
        with memoryview(data) as view, view.cast("B") as octets:
            sent = 0
            while sent < len(octets):
                sent += self.send(octets[sent:], flags)

    def makefile(self, mode: str = "r", buffering: int | None = None, **_: Any) -> io.BufferedReader:
        """Return a file to read answers from, as ``http.client`` asks for it."""
        return io.BufferedReader(_LimitedFile(self, self._sock.makefile("rb", buffering=0)))


class _LimitedFile(io.RawIOBase):
    def __init__(self, sock: LimitedSocket, file: io.RawIOBase) -> None:
        self._sock = sock
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.limit()
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _LimitedConnection:
    """What is put before urllib3's kinds of connection. A connection that does not come about in time sends nothing."""

    sock: Any

    def _new_conn(self) -> LimitedSocket:
        return LimitedSocket(_open_in_time(super()._new_conn, self))  # type: ignore[misc]

    def _connect_tls_proxy(self, *args: Any, **kwargs: Any) -> LimitedSocket:
        return LimitedSocket(super()._connect_tls_proxy(*args, **kwargs))  # type: ignore[misc]

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except TimeoutError:
            raise ConnectTimeoutError(self, "No connection in time.") from None
        except ConnectionError as error:
            raise NewConnectionError(self, f"The connection broke ({type(error).__name__}).") from None  # type: ignore[arg-type]
        if not isinstance(self.sock, LimitedSocket):
            self.sock = LimitedSocket(self.sock)


def _open_in_time(open_socket: Callable[[], socket.socket], connection: Any) -> socket.socket:
    """
    Open a connection in a thread of its own: nothing can interrupt the look-up of a name.

    :raises ConnectTimeoutError: it takes too long. The thread closes what it still opens.
    """
    opening: Future[socket.socket] = Future()

    def run() -> None:
        try:
            opening.set_result(open_socket())
        except BaseException as error:
            opening.set_exception(error)

    threading.Thread(target=run, name="connect", daemon=True).start()
    try:
        return opening.result(_left())
    except StillOpening:
        opening.add_done_callback(_close)
        raise ConnectTimeoutError(connection, "No connection in time.") from None
    except BaseException:
        opening.add_done_callback(_close)
        raise


def _close(opened: Future[socket.socket]) -> None:
    if opened.exception() is None:
        opened.result().close()


class LimitedAdapter(HTTPAdapter):
    """Makes calls that keep to :func:`within`, directly and through proxies of every kind."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        _limit(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools of connections through a proxy."""
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if is_new:
            _limit(manager)
        return manager


def _limit(manager: Any) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _limited_pool(pool) for scheme, pool in pools.items()}


@lru_cache
def _limited_pool(pool: Any) -> Any:
    connection = type(f"Limited{pool.ConnectionCls.__name__}", (_LimitedConnection, pool.ConnectionCls), {})
    return type(f"Limited{pool.__name__}", (pool,), {"ConnectionCls": connection})
