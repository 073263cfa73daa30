"""A ledger in Airflow's task state store (Airflow 3.3+), which survives the retries of a task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar

from airflow_provider_teams_registration.enrollment.ledger import (
    FencedOff,
    LedgerEntry,
    LedgerFailure,
    Run,
    Written,
)
from airflow_provider_teams_registration.enrollment.memory_ledger import MemoryLedger
from airflow_provider_teams_registration.enrollment.outcome import Outcome

T = TypeVar("T")

MAX_VALUE = 65_535
"""Bytes that Airflow stores under one key."""


class TaskStateStore(Protocol):
    """What Airflow gives a task as ``context["task_state_store"]``."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under a key."""

    def set(self, key: str, value: Any) -> None:
        """Put a value under a key."""


class StateStoreLedger(MemoryLedger):
    """
    Writes each batch under a key of its own, and reads them all when an attempt begins.

    Registrants are stored as hashes: their ids may be personal.

    :param store: the task's state store.
    :param run: who enrolls.
    :param store_join_urls: whether links are kept.
    """

    is_durable: ClassVar[bool] = True

    def __init__(self, store: TaskStateStore, run: Run | None = None, *, store_join_urls: bool = True) -> None:
        super().__init__(run, store_join_urls=store_join_urls)
        self._store = store

    def begin(self, event: str) -> None:
        """Take over from older attempts and read what they wrote."""
        super().begin(event)
        self._prefix = f"teams_registration/{_hash(event)}"
        self._slots: dict[str, int] = {}
        self._members: list[list[str]] = []
        self.attempt = int(self._ask(lambda: self._store.get(f"{self._prefix}/attempt", 0))) + 1
        self._ask(lambda: self._store.set(f"{self._prefix}/attempt", self.attempt))
        while (batch := self._read(len(self._members))) is not None:
            number = len(self._members)
            self._members.append([])
            for entry in batch:
                known = self._entries.get(entry.registrant)
                # An entry moved to another slot stands in both for a moment.
                if known is None or (known.version, known.attempt) <= (entry.version, entry.attempt):
                    self._place(entry.registrant, number)
                    self._entries[entry.registrant] = entry
        self._slots_stored = len(self._members)

    def recall(self, registrants: Sequence[str]) -> dict[str, LedgerEntry]:
        """Return the entries there are."""
        names = {_hash(registrant): registrant for registrant in registrants}
        return _renamed(super().recall(list(names)), names)

    def write(self, entries: Sequence[LedgerEntry]) -> Written:
        """Write entries; new ones share a slot, known ones stay in theirs."""
        self._hold_fence()
        names = {_hash(entry.registrant): entry.registrant for entry in entries}
        before = {name: self._entries.get(name) for name in names}
        written = super().write([_named(entry, _hash(entry.registrant)) for entry in entries])
        try:
            for number, members in self._changed_slots(list(written.stored)).items():
                self._save(number, members)
        except LedgerFailure:
            # What was not stored must not count as written.
            known = {name: entry for name, entry in before.items() if entry is not None}
            self._entries = {name: entry for name, entry in self._entries.items() if name not in before} | known
            raise
        # The store has no compare-and-set: whoever began before this was written is noticed here.
        self._hold_fence()
        return Written(_renamed(written.stored, names), _renamed(written.foreign, names))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Note how the attempt ended, beside the entries."""
        if self.attempt:
            self._ask(lambda: self._store.set(f"{self._prefix}/summary", dict(summary)))

    def touch(self, registrants: Sequence[str]) -> None:
        """Nothing to note: nobody queries the store."""

    def _hold_fence(self) -> None:
        if self._ask(lambda: self._store.get(f"{self._prefix}/attempt", 0)) != self.attempt:
            raise FencedOff("A younger attempt of this task has taken over; this one sends no more.")

    def _changed_slots(self, registrants: Sequence[str]) -> dict[int, list[str]]:
        new = [registrant for registrant in registrants if registrant not in self._slots]
        if new:
            self._members.append([])
            for registrant in new:
                self._place(registrant, len(self._members) - 1)
        return {number: self._members[number] for number in {self._slots[name] for name in registrants}}

    def _place(self, registrant: str, number: int) -> None:
        if registrant in self._slots:
            self._members[self._slots[registrant]].remove(registrant)
        self._slots[registrant] = number
        self._members[number].append(registrant)

    def _save(self, number: int, members: Sequence[str]) -> None:
        value = [_dumped(self._entries[name]) for name in members if name in self._entries]
        if len(json.dumps(value)) > MAX_VALUE and len(members) > 1:
            # The half that moves is written to its new slot first, so that it always stands somewhere.
            moving = list(members[len(members) // 2 :])
            self._members.append([])
            new = len(self._members) - 1
            for name in moving:
                self._place(name, new)
            self._save(new, self._members[new])
            self._save(number, self._members[number])
            return
        self._put(number, value)

    def _put(self, number: int, value: Sequence[Mapping[str, Any]]) -> None:
        # Reading ends at the first slot that is missing: a failure or a kill must not leave a gap.
        while self._slots_stored < number:
            self._ask(lambda: self._store.set(f"{self._prefix}/{self._slots_stored}", []))
            self._slots_stored += 1
        self._ask(lambda: self._store.set(f"{self._prefix}/{number}", value))
        self._slots_stored = max(self._slots_stored, number + 1)

    def _read(self, number: int) -> list[LedgerEntry] | None:
        value = self._ask(lambda: self._store.get(f"{self._prefix}/{number}", None))
        return None if value is None else [self._loaded(item) for item in value]

    def _loaded(self, item: Mapping[str, Any]) -> LedgerEntry:
        return LedgerEntry(
            **{
                **item,
                "outcome": Outcome(item["outcome"]),
                "run": self.run,
                "first_seen": datetime.fromisoformat(item["first_seen"]),
                "last_seen": datetime.fromisoformat(item["last_seen"]),
            }
        )

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except Exception as error:
            # The text may hold what was to be stored.
            raise LedgerFailure(f"Airflow's task state store failed with {type(error).__name__}.") from None


def _dumped(entry: LedgerEntry) -> dict[str, Any]:
    assert entry.first_seen is not None
    assert entry.last_seen is not None
    item = {
        "registrant": entry.registrant,
        "fingerprint": entry.fingerprint,
        "outcome": entry.outcome.value,
        "join_web_url": entry.join_web_url,
        "registration_id": entry.registration_id,
        "error": entry.error and entry.error[:500],
        "error_code": entry.error_code,
        "request_id": entry.request_id,
        "attempt": entry.attempt,
        "first_seen": entry.first_seen.isoformat(),
        "last_seen": entry.last_seen.isoformat(),
        "version": entry.version,
    }
    return {name: value for name, value in item.items() if value is not None}


def _named(entry: LedgerEntry, name: str) -> LedgerEntry:
    return LedgerEntry(**{**vars(entry), "registrant": name})


def _renamed(entries: Mapping[str, LedgerEntry], names: Mapping[str, str]) -> dict[str, LedgerEntry]:
    return {names[name]: _named(entry, names[name]) for name, entry in entries.items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
