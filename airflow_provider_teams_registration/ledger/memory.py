"""A ledger in the memory of the process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_provider_teams_registration.core.record import RegistrationRecord
from airflow_provider_teams_registration.ledger.base import Ledger, Written, refuse_impossible_event, utc_now
from airflow_provider_teams_registration.ledger.shared_quota import SharedQuota


class MemoryLedger(Ledger):
    """Keeps one attempt from sending a person twice. A retry starts with an empty ledger."""

    _entries: dict[str, RegistrationRecord]
    _seen_at: dict[str, float]
    _holders: dict[str, str]

    def start_attempt(self, event: str) -> None:
        """Start with an empty ledger."""
        refuse_impossible_event(event)
        self._entries = {}
        self._seen_at = {}
        self._holders = {}
        self.attempt = 1

    def load(self, registrants: Sequence[str]) -> dict[str, RegistrationRecord]:
        """Return the stored records. Their age counts from the time when this process wrote or read them."""
        keys = {registrant: self._key(registrant) for registrant in registrants}
        return {
            registrant: self._with_age(key) for registrant, key in keys.items() if self._entries.get(key) is not None
        }

    def _with_age(self, key: str) -> RegistrationRecord:
        return replace(self._entries[key], age=time.monotonic() - self._seen_at[key])

    def write(self, entries: Sequence[RegistrationRecord]) -> Written:
        """Write entries. Entries that changed since they were read are returned as lost claims."""
        stored: dict[str, RegistrationRecord] = {}
        lost: dict[str, RegistrationRecord] = {}
        shared = self._links_of_others({one.registrant: one.join_web_url for one in entries if one.join_web_url})
        now = utc_now()
        for entry in entries:
            before = self._entries.get(self._key(entry.registrant))
            if before is not None and before.version != entry.version:
                lost[entry.registrant] = self._with_age(self._key(entry.registrant))
            elif entry.registrant not in shared:
                stored[entry.registrant] = self._stamped(entry, before.first_seen if before else None, now)
        self._keep({self._key(registrant): entry for registrant, entry in stored.items()})
        return Written(stored, lost, frozenset(shared - lost.keys()))

    def _links_of_others(self, links: Mapping[str, str]) -> set[str]:
        """Return the registrants whose link the ledger holds for somebody else."""
        return {
            registrant for registrant, link in links.items() if self._holder(link) not in (None, self._key(registrant))
        }

    def _keep(self, entries: Mapping[str, RegistrationRecord]) -> None:
        """Store entries by their key, and the holder of each link."""
        self._entries.update(entries)
        self._seen_at.update(dict.fromkeys(entries, time.monotonic()))
        self._holders.update((one.join_web_url, key) for key, one in entries.items() if one.join_web_url)

    def _holder(self, link: str) -> str | None:
        """Return the key of the registrant who holds a link; None if no registrant holds it."""
        key = self._holders.get(link)
        entry = self._entries.get(key) if key is not None else None
        return key if entry is not None and entry.join_web_url == link else None

    def _key(self, registrant: str) -> str:
        """Return the key under which this ledger stores a registrant."""
        return registrant

    def _load_quota(self, quota: SharedQuota) -> None:
        """Do nothing: nobody knows of an earlier attempt."""

    def save_deferral(self, data: Mapping[str, Any]) -> None:
        """Do nothing: a run is deferred only if its ledger is durable."""

    def load_deferral(self) -> Mapping[str, Any] | None:
        """Return None: nobody knows of an earlier attempt."""
        return None

    def mark_seen(self, registrants: Sequence[str]) -> None:
        """Do nothing: within one attempt, each registrant comes up once."""

    def finish_attempt(self, summary: Mapping[str, Any]) -> None:
        """Do nothing: XCom and the log hold the counts."""

    def close(self) -> None:
        """Do nothing: the ledger holds nothing open."""
