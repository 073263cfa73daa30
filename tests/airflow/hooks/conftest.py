"""A proxy that stands for the whole internet."""

from collections.abc import Iterator

import pytest

from airflow_provider_teams_registration.emulator.server import Emulator
from tests.proxy import Proxy


@pytest.fixture
def internet(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The proxy of this machine, behind which every host is the emulator."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    running = Proxy(leads_to=emulator.port)
    monkeypatch.setenv("HTTPS_PROXY", running.url)
    yield running
    running.close()
