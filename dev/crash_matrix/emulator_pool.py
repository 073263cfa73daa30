"""Emulators that the cells of the crash matrix share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

from airflow_provider_teams_registration.emulator.server import Emulator


class EmulatorPool:
    """Holds emulators, one for each cell that is played at the same time."""

    def __init__(self) -> None:
        self._free: Queue[Emulator] = Queue()

    def add(self, emulator: Emulator) -> None:
        """Put one more emulator into the pool."""
        self._free.put(emulator)

    @contextmanager
    def one(self) -> Iterator[Emulator]:
        """Borrow an emulator, and wait while all of them are lent."""
        emulator = self._free.get()
        try:
            yield emulator
        finally:
            self._free.put(emulator)
