"""A proxy on this machine, for the tests of how the client reaches the services."""

import socket
from collections.abc import Iterator

import pytest

from tests.proxy import Proxy


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
