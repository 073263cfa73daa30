"""The ledger of mails: the newest mail to each registrant. Three classes implement it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Protocol

from airflow_provider_teams_registration.core.mail import MailKind, MailRecord, MailState
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.exceptions import Fenced, LedgerFailure
from airflow_provider_teams_registration.ledger.base import refuse_impossible_event, utc_now
from airflow_provider_teams_registration.ledger.task_state import TaskStateStore

_PAGE = 50
_STORED = ("number", "message_id", "fingerprint", "link_key", "event_start", "error_code", "run_key", "version")


class MailLedger(Protocol):
    """
    Remembers who was mailed.

    :ivar is_durable: whether it outlives the process, so that a retry mails nobody again.
    :ivar is_shared: whether other runs and tasks use it, and whether it also holds the registrations with their links.
    :ivar run_key: what tells the claims of this task of this DAG run from those of others.
    """

    @property
    def is_durable(self) -> bool: ...

    @property
    def is_shared(self) -> bool: ...

    @property
    def run_key(self) -> str: ...

    def start_attempt(self, event: str) -> None:
        """
        Start an attempt on an event, and fence off the older attempts of the same task.

        :raises LedgerFailure: the ledger is out of reach, or its tables are not as this version makes them.
        """

    def registrations(self, registrants: Sequence[str]) -> dict[str, RegistrationRecord]:
        """Return the registrations of these registrants; nothing if the ledger is not shared."""

    def everybody(self) -> Iterator[RegistrationRecord]:
        """Return the registrations of the event; nothing if the ledger is not shared."""

    def load_mails(self, registrants: Sequence[str]) -> dict[str, MailRecord]:
        """Return the newest mail of each registrant whom the ledger knows."""

    def write_mail(self, record: MailRecord) -> MailRecord | None:
        """
        Write a record, unless somebody else changed it since its ``version`` was read.

        :return: the record as now stored; None if somebody else changed it.
        :raises Fenced: a newer attempt has started.
        :raises LedgerFailure: the ledger is out of reach. It wrote nothing.
        """

    def write_mails(self, records: Sequence[MailRecord]) -> list[MailRecord | None]:
        """
        Write records of different registrants, together if the ledger can.

        :return: for each, in order, what :meth:`write_mail` returns.
        :raises Fenced: a newer attempt has started.
        :raises LedgerFailure: the ledger is out of reach.
        """

    def finish_attempt(self, summary: Mapping[str, Any]) -> None:
        """Note how the attempt ended, in counts."""

    def close(self) -> None:
        """Release what the ledger holds open."""


class MemoryMailLedger:
    """
    Remembers mails while the process runs.

    :param run: the task that mails.
    """

    is_durable: ClassVar[bool] = False
    is_shared: ClassVar[bool] = False

    def __init__(self, run: TaskRun | None = None) -> None:
        run = run or TaskRun()
        self.run_key = _hash("\0".join((run.dag_id, run.run_id, run.task)))
        self._mails: dict[str, MailRecord] = {}

    def start_attempt(self, event: str) -> None:
        """Remember nobody."""
        refuse_impossible_event(event)
        self._mails = {}

    def registrations(self, registrants: Sequence[str]) -> dict[str, RegistrationRecord]:
        """Return nothing."""
        return {}

    def everybody(self) -> Iterator[RegistrationRecord]:
        """Return nothing."""
        return iter(())

    def load_mails(self, registrants: Sequence[str]) -> dict[str, MailRecord]:
        """Return the newest mail of each registrant whom the ledger knows."""
        known = ((one, self._mails.get(_hash(one))) for one in registrants)
        return {one: replace(mail, registrant=one) for one, mail in known if mail is not None}

    def write_mail(self, record: MailRecord) -> MailRecord | None:
        """Write a record."""
        before = self._mails.get(_hash(record.registrant))
        if (before.version if before else 0) != record.version:
            return None
        stored = replace(record, run_key=self.run_key, version=record.version + 1, age=0.0)
        if stored.state is MailState.MAILED:
            stored = replace(stored, mailed_at=utc_now())
        self._mails[_hash(record.registrant)] = stored
        return stored

    def write_mails(self, records: Sequence[MailRecord]) -> list[MailRecord | None]:
        """Write records, one after the other."""
        return [self.write_mail(record) for record in records]

    def finish_attempt(self, summary: Mapping[str, Any]) -> None:
        """Do nothing: XCom and the log hold the counts."""

    def close(self) -> None:
        """Do nothing: the ledger holds nothing open."""


class StateStoreMailLedger(MemoryMailLedger):
    """
    Remembers mails in Airflow's task state store, which survives the retries and the clears of a task.

    Only this attempt writes its pages, of up to 50 people each, so an older attempt cannot overwrite them. The store
    holds hashes in place of registrants.

    :param store: the task's state store.
    :param run: the task that mails.
    """

    is_durable: ClassVar[bool] = True

    def __init__(self, store: TaskStateStore, run: TaskRun | None = None) -> None:
        super().__init__(run)
        self._store = store
        self._attempt = 0
        self._pages: list[dict[str, Any]] = []
        self._page_of: dict[str, int] = {}

    def start_attempt(self, event: str) -> None:
        """Take over from older attempts and read what they wrote."""
        super().start_attempt(event)
        self._prefix = f"teams_registration_mail/{_hash(event)}"
        self._pages, self._page_of = [], {}
        self._attempt = self._newest_attempt() + 1
        self._set("attempt", self._attempt)
        for attempt in range(1, self._attempt):
            self._read_pages(attempt)

    def write_mail(self, record: MailRecord) -> MailRecord | None:
        """Write a record into its page."""
        key = _hash(record.registrant)
        before = self._mails.get(key)
        stored = super().write_mail(record)
        if stored is None:
            return None
        number = self._page_for(key)
        self._pages[number][key] = _dumped(stored)
        try:
            self._set(f"{self._attempt}/{number}", self._pages[number])
        except BaseException:
            # The store did not take the record, so it must not count as written.
            self._mails.pop(key)
            if before is not None:
                self._mails[key] = before
            raise
        # The store has no compare-and-set, so this check after the write notices an attempt that started meanwhile.
        if self._newest_attempt() != self._attempt:
            raise Fenced("A newer attempt of this task has taken over. This attempt mails nobody any more.")
        return stored

    def _page_for(self, key: str) -> int:
        if key not in self._page_of:
            if not self._pages or len(self._pages[-1]) >= _PAGE:
                self._pages.append({})
            self._page_of[key] = len(self._pages) - 1
        return self._page_of[key]

    def _newest_attempt(self) -> int:
        found = self._get("attempt")
        if found is None:
            return 0
        if type(found) is not int or found < 0:
            raise _unreadable()
        return found

    def _read_pages(self, attempt: int) -> None:
        number = 0
        while (page := self._get(f"{attempt}/{number}")) is not None:
            try:
                self._mails.update((key, _loaded(item)) for key, item in page.items())
            except (AttributeError, KeyError, TypeError, ValueError):
                raise _unreadable() from None
            number += 1

    def _get(self, key: str) -> Any:
        try:
            return self._store.get(f"{self._prefix}/{key}", None)
        except Exception as error:
            raise LedgerFailure(f"Airflow's task state store failed with {type(error).__name__}.") from None

    def _set(self, key: str, value: Any) -> None:
        try:
            self._store.set(f"{self._prefix}/{key}", value)
        except Exception as error:
            raise LedgerFailure(f"Airflow's task state store failed with {type(error).__name__}.") from None


def _unreadable() -> LedgerFailure:
    return LedgerFailure(
        "Airflow's task state store holds mails as this version does not note them. The operator cannot tell from it "
        "who was mailed, so it mails nobody. Delete the task's state, or set ledger_conn_id.",
        transient=False,
    )


def _dumped(record: MailRecord) -> dict[str, Any]:
    item: dict[str, Any] = {name: getattr(record, name) for name in _STORED}
    item["state"] = record.state.value if record.state else None
    item["kind"] = record.kind.value if record.kind else None
    item["mailed_at"] = record.mailed_at.isoformat() if record.mailed_at else None
    return {name: value for name, value in json.loads(json.dumps(item)).items() if value is not None}


def _loaded(item: Mapping[str, Any]) -> MailRecord:
    state, kind, mailed_at = item.get("state"), item.get("kind"), item.get("mailed_at")
    if type(item["version"]) is not int or type(item["number"]) is not int:
        raise TypeError
    fields: dict[str, Any] = {name: item.get(name) for name in _STORED}
    return MailRecord(
        registrant="",
        state=MailState(state) if state else None,
        kind=MailKind(kind) if kind else None,
        mailed_at=datetime.fromisoformat(mailed_at) if mailed_at else None,
        **fields,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
