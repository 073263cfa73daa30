"""A ledger that lasts as long as the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_teams_registration.enrollment.ledger import Ledger, LedgerEntry, Written, utc_now


class MemoryLedger(Ledger):
    """Keeps one attempt from sending anybody twice. A retry knows nothing of it."""

    _entries: dict[str, LedgerEntry]

    def begin(self, event: str) -> None:
        """Start with nobody."""
        self._entries = {}
        self.attempt = 1

    def recall(self, registrants: Sequence[str]) -> dict[str, LedgerEntry]:
        """Return the entries there are."""
        found = {registrant: self._entries.get(self._key(registrant)) for registrant in registrants}
        return {registrant: entry for registrant, entry in found.items() if entry is not None}

    def write(self, entries: Sequence[LedgerEntry]) -> Written:
        """Write entries; those that changed since they were read come back as foreign."""
        stored: dict[str, LedgerEntry] = {}
        foreign: dict[str, LedgerEntry] = {}
        now = utc_now()
        for entry in entries:
            before = self._entries.get(self._key(entry.registrant))
            if before is not None and before.version != entry.version:
                foreign[entry.registrant] = before
            else:
                stored[entry.registrant] = self._stamped(entry, before.first_seen if before else None, now)
        self._entries.update((self._key(registrant), entry) for registrant, entry in stored.items())
        return Written(stored, foreign)

    def _key(self, registrant: str) -> str:
        """What stands for a registrant here."""
        return registrant

    def touch(self, registrants: Sequence[str]) -> None:
        """Nothing to note: within one attempt everybody comes up once."""

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Nothing to note: XCom and the log have the counts."""

    def close(self) -> None:
        """Nothing to release."""
