"""A ledger in Airflow's task state store (Airflow 3.3+), which survives the retries of a task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import count
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
    Adds a page for every write, under keys that only this attempt writes, and reads all pages when an attempt begins.

    So an attempt that was overtaken unawares cannot write over what the younger one notes. Registrants are stored as
    hashes: their ids may be personal.

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
        self._prefix = f"teams_registration/{self._key(event)}"
        self._pages = 0
        self.attempt = int(self._ask(lambda: self._store.get(f"{self._prefix}/attempt", 0))) + 1
        self._ask(lambda: self._store.set(f"{self._prefix}/attempt", self.attempt))
        for attempt in range(1, self.attempt):
            self._entries.update(self._written_by(attempt))

    def write(self, entries: Sequence[LedgerEntry]) -> Written:
        """Write entries, in one page where one holds them."""
        before = {key: self._entries.get(key) for key in (self._key(entry.registrant) for entry in entries)}
        written = super().write(entries)
        try:
            self._add_pages(list(written.stored.values()))
        except BaseException:
            # What was not stored must not count as written.
            known = {key: entry for key, entry in before.items() if entry is not None}
            self._entries = {key: entry for key, entry in self._entries.items() if key not in before} | known
            raise
        # The store has no compare-and-set: whoever began before this was written is noticed here.
        self._hold_fence()
        return written

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Note how the attempt ended, beside the entries."""
        if self.attempt:
            self._ask(lambda: self._store.set(f"{self._prefix}/summary", dict(summary)))

    def touch(self, registrants: Sequence[str]) -> None:
        """Nothing to note: nobody queries the store."""

    def _hold_fence(self) -> None:
        if self._ask(lambda: self._store.get(f"{self._prefix}/attempt", 0)) != self.attempt:
            raise FencedOff("A younger attempt of this task has taken over; this one sends no more.")

    def _add_pages(self, entries: Sequence[LedgerEntry]) -> None:
        pages = _pages([{"registrant": self._key(entry.registrant), **_dumped(entry)} for entry in entries])
        for number, page in enumerate(pages, start=self._pages):
            self._ask(partial(self._store.set, self._page(self.attempt, number), page))
            # One that is stored stays, whatever becomes of the next.
            self._pages = number + 1

    def _written_by(self, attempt: int) -> Iterator[tuple[str, LedgerEntry]]:
        for number in count():
            page = self._ask(partial(self._store.get, self._page(attempt, number), None))
            if page is None:
                return
            yield from ((item["registrant"], self._loaded(item, attempt)) for item in page)

    def _page(self, attempt: int, number: int) -> str:
        return f"{self._prefix}/{attempt}/{number}"

    def _key(self, registrant: str) -> str:
        return hashlib.sha256(registrant.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _loaded(self, item: Mapping[str, Any], attempt: int) -> LedgerEntry:
        first_seen = item.get("first_seen", item["last_seen"])
        return LedgerEntry(
            **{
                **item,
                "outcome": Outcome(item["outcome"]),
                "run": self.run,
                "attempt": attempt,
                "first_seen": datetime.fromisoformat(first_seen),
                "last_seen": datetime.fromisoformat(item["last_seen"]),
            }
        )

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except Exception as error:
            # The text may hold what was to be stored.
            raise LedgerFailure(f"Airflow's task state store failed with {type(error).__name__}.") from None


def _pages(items: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Share items out among as few values of the store as hold them."""
    pages: list[list[dict[str, Any]]] = []
    room = 0
    for item in items:
        # JSON as Airflow writes it, ASCII alone: a character is a byte.
        size = len(json.dumps(item)) + len(", ")
        if not pages or size > room:
            pages.append([])
            room = MAX_VALUE - len("[]")
        pages[-1].append(item)
        room -= size
    return pages


def _dumped(entry: LedgerEntry) -> dict[str, Any]:
    assert entry.first_seen is not None
    assert entry.last_seen is not None
    item = {
        "fingerprint": entry.fingerprint,
        "outcome": entry.outcome.value,
        "join_web_url": entry.join_web_url,
        "registration_id": entry.registration_id,
        "error": entry.error and entry.error[:500],
        "error_code": entry.error_code,
        "request_id": entry.request_id,
        # A page has little room.
        "first_seen": entry.first_seen.isoformat() if entry.first_seen != entry.last_seen else None,
        "last_seen": entry.last_seen.isoformat(),
        "version": entry.version,
    }
    return {name: value for name, value in item.items() if value is not None}
