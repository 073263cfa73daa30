"""A proxy on this machine, for the tests of how the client reaches the services."""

import socket
import threading
from collections.abc import Iterator

import pytest


class Proxy:
    """
    A real HTTP proxy that opens tunnels.

    :ivar asked: the targets of all tunnels asked for, in order.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listening]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._tunnel, args=[client], daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        asked = client.makefile("rb")
        target = asked.readline().decode().split(" ")[1]
        while asked.readline().strip():
            continue
        self.asked.append(target)
        host, port = target.rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        self._open.append(server)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=_pass_on, args=[server, client], daemon=True).start()
        _pass_on(client, server)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy that works."""
    running = Proxy()
    yield running
    running.close()


@pytest.fixture
def broken_proxy() -> Iterator[str]:
    """Address of a proxy that does not work."""
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{nobody_listens.getsockname()[1]}"


@pytest.fixture(autouse=True)
def no_proxies_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set up where the tests run is out of their way."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
