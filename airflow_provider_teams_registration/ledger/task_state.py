"""A ledger in Airflow's task state store (Airflow 3.3 and newer), which survives the retries of a task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any, ClassVar, Protocol, TypeVar

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord, TaskRun
from airflow_provider_teams_registration.exceptions import Fenced, LedgerFailure
from airflow_provider_teams_registration.ledger.base import Written, utc_now
from airflow_provider_teams_registration.ledger.memory import MemoryLedger
from airflow_provider_teams_registration.ledger.shared_quota import SharedQuota, from_json, to_json

T = TypeVar("T")

_TEXTS = ("registrant", "fingerprint", "join_web_url", "registration_id", "error", "error_code", "request_id")
_ATTEMPTS_TO_READ = 8
"""A deferred run has many attempts. The pages of more than this many are put together."""
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
    Stores a page for every write, under keys that only this attempt writes.

    An attempt that does not know of a newer one therefore cannot overwrite its pages. When an attempt starts, it reads
    the pages of all older ones. The ledger stores registrants as hashes, because their ids may be personal data.

    :param store: the task's state store.
    :param run: the run that enrolls.
    :param store_join_urls: whether the ledger stores links.
    """

    is_durable: ClassVar[bool] = True

    def __init__(self, store: TaskStateStore, run: TaskRun | None = None, *, store_join_urls: bool = True) -> None:
        super().__init__(run, store_join_urls=store_join_urls)
        self._store = store

    def start_attempt(self, event: str) -> None:
        """Take over from older attempts and read what they wrote."""
        super().start_attempt(event)
        self._prefix = f"teams_registration/{self._key(event)}"
        self._pages = 0
        self.attempt = self._youngest_attempt() + 1
        self._ask(lambda: self._store.set(f"{self._prefix}/attempt", self.attempt))
        first = self._ask_for_number("first", 1)
        for attempt in range(first, self.attempt):
            self._keep(dict(self._written_by(attempt)))
        if self.attempt - first > _ATTEMPTS_TO_READ:
            self._gather()

    def _gather(self) -> None:
        """Write all records once more, so that later attempts need not read the pages of all earlier ones."""
        self._add_pages(dict(self._entries))
        self._ask(lambda: self._store.set(f"{self._prefix}/first", self.attempt))

    def write(self, entries: Sequence[RegistrationRecord]) -> Written:
        """Write entries, in one page if they fit."""
        before = {key: self._entries.get(key) for key in (self._key(entry.registrant) for entry in entries)}
        written = super().write(entries)
        try:
            self._note_quota()
            self._add_pages({self._key(registrant): entry for registrant, entry in written.stored.items()})
        except BaseException:
            # The store did not take these entries, so they must not count as written.
            known = {key: entry for key, entry in before.items() if entry is not None}
            self._entries = {key: entry for key, entry in self._entries.items() if key not in before} | known
            raise
        # The store has no compare-and-set, so this check after the write notices an attempt that started meanwhile.
        self._hold_fence()
        return written

    def _load_quota(self, quota: SharedQuota) -> None:
        # The store tells no time. A clock that is wrong leads to answers with 429 at worst, which the run obeys.
        stored = self._ask(lambda: self._store.get(f"{self._prefix}/quota", None))
        quota.count_own(from_json(stored, utc_now(), quota.window))

    def save_deferral(self, data: Mapping[str, Any]) -> None:
        """Keep what the attempt that resumes this one has to know."""
        self._ask(lambda: self._store.set(f"{self._prefix}/deferral", dict(data)))

    def load_deferral(self) -> Mapping[str, Any] | None:
        """Return what an earlier attempt of this task kept."""
        found = self._ask(lambda: self._store.get(f"{self._prefix}/deferral", None))
        return found if isinstance(found, dict) else None

    def finish_attempt(self, summary: Mapping[str, Any]) -> None:
        """Store the counts of the attempt beside the entries."""
        if self.attempt:
            self._ask(lambda: self._store.set(f"{self._prefix}/summary", dict(summary)))

    def mark_seen(self, registrants: Sequence[str]) -> None:
        """Do nothing: users cannot query the store."""

    def _hold_fence(self) -> None:
        if self._youngest_attempt() != self.attempt:
            raise Fenced("A newer attempt of this task has taken over. This attempt sends no more.")

    def _youngest_attempt(self) -> int:
        return self._ask_for_number("attempt", 0)

    def _ask_for_number(self, name: str, default: int) -> int:
        found = self._ask(lambda: self._store.get(f"{self._prefix}/{name}", default))
        if type(found) is not int or found < 0:
            raise _unreadable("an attempt that is no number")
        return found

    def _note_quota(self) -> None:
        if self._quota is not None:
            writes = to_json(self._quota.own_writes(), utc_now())
            self._ask(lambda: self._store.set(f"{self._prefix}/quota", writes))
            self._quota.grant()

    def _add_pages(self, entries: Mapping[str, RegistrationRecord]) -> None:
        pages = _pages([{"registrant": key, **_dumped(entry)} for key, entry in entries.items()])
        for number, page in enumerate(pages, start=self._pages):
            self._ask(partial(self._store.set, self._page(self.attempt, number), page))
            # The page stays stored even if the next one fails, so its number must not be used again.
            self._pages = number + 1

    def _written_by(self, attempt: int) -> Iterator[tuple[str, RegistrationRecord]]:
        for number in count():
            page = self._ask(partial(self._store.get, self._page(attempt, number), None))
            if page is None:
                return
            try:
                yield from [(item["registrant"], self._loaded(item, attempt)) for item in page]
            except (KeyError, TypeError, ValueError, AttributeError):
                raise _unreadable("people as this version does not note them") from None

    def _page(self, attempt: int, number: int) -> str:
        return f"{self._prefix}/{attempt}/{number}"

    def _key(self, registrant: str) -> str:
        return hashlib.sha256(registrant.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _loaded(self, item: Mapping[str, Any], attempt: int) -> RegistrationRecord:
        first_seen = item.get("first_seen", item["last_seen"])
        if type(item["version"]) is not int or any(not isinstance(item.get(name, ""), str) for name in _TEXTS):
            raise TypeError
        return RegistrationRecord(
            **{
                **item,
                "outcome": Outcome(item["outcome"]),
                "state": RecordState(item["state"]),
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
            # The error's text may quote the entries.
            raise LedgerFailure(f"Airflow's task state store failed with {type(error).__name__}.") from None


def _unreadable(what: str) -> LedgerFailure:
    return LedgerFailure(
        f"Airflow's task state store holds {what}. The operator cannot tell from it who was sent, so it "
        "sends nobody. Delete the task's state, or set ledger_conn_id.",
        transient=False,
    )


def _pages(items: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Distribute items over as few values of the store as possible."""
    pages: list[list[dict[str, Any]]] = []
    room = 0
    for item in items:
        # Airflow writes JSON in ASCII, so a character is a byte.
        size = len(json.dumps(item)) + len(", ")
        if not pages or size > room:
            pages.append([])
            room = MAX_VALUE - len("[]")
        pages[-1].append(item)
        room -= size
    return pages


def _dumped(entry: RegistrationRecord) -> dict[str, Any]:
    assert entry.first_seen is not None
    assert entry.last_seen is not None
    item = {
        "fingerprint": entry.fingerprint,
        "outcome": entry.outcome.value,
        "state": entry.state.value,
        "join_web_url": entry.join_web_url,
        "registration_id": entry.registration_id,
        "error": entry.error,
        "error_code": entry.error_code,
        "request_id": entry.request_id,
        # Leave out what can be derived: a page has little room.
        "first_seen": entry.first_seen.isoformat() if entry.first_seen != entry.last_seen else None,
        "last_seen": entry.last_seen.isoformat(),
        "version": entry.version,
    }
    return {name: value for name, value in item.items() if value is not None}
