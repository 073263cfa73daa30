"""The ledger records, per event and registrant, what was sent and its outcome. Three classes implement it."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar, Protocol

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import LONGEST, RegistrationRecord, TaskRun
from airflow_provider_teams_registration.core.replacing import replace
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.shared_quota import SharedQuota


@dataclass(frozen=True)
class Written:
    """
    The outcome of a write.

    :param stored: the records that were written, as now stored, by registrant.
    :param lost_claims: records that another writer changed in the meantime, as now stored, by registrant. Our versions
        of them were not written.
    :param shared_links: registrants whose link the ledger holds for somebody else. Their records were not written.
    """

    stored: Mapping[str, RegistrationRecord]
    lost_claims: Mapping[str, RegistrationRecord]
    shared_links: frozenset[str] = frozenset()


class RowStore(Protocol):
    """
    A ledger with room for rows that are too many for XCom.

    :ivar run_key: what tells this run's rows from those of others.
    """

    run_key: str

    def write_results(self, rows: Sequence[tuple[int, str | None, Mapping[str, Any], Outcome, str | None]]) -> None:
        """Keep rows: position, registrant's key (None where the row is no registrant), row, outcome and error."""


class Ledger(ABC):
    """
    Remembers whom the attempts of a run have sent, and the outcomes. Some ledgers are shared by several runs.

    :cvar is_durable: whether the ledger outlives the process, so that a retry can continue from it.
    :cvar is_shared: whether other runs use the same ledger.
    :param run: the run that enrolls.
    :param store_join_urls: whether the ledger stores links.
    """

    is_durable: ClassVar[bool] = False
    is_shared: ClassVar[bool] = False

    def __init__(self, run: TaskRun | None = None, *, store_join_urls: bool = True) -> None:
        self.run = run or TaskRun()
        self.attempt = 0
        self.store_join_urls = store_join_urls
        self._quota: SharedQuota | None = None

    @property
    def row_store(self) -> RowStore | None:
        """Where rows can be kept that are too many for XCom; None where this ledger has no room for them."""
        return None

    def open_early(self) -> None:  # noqa: B027 - most ledgers have nothing to open
        """
        Start what :meth:`start_attempt` needs and what does not depend on the event, without waiting for it.

        An error of it comes from :meth:`start_attempt`.
        """

    @abstractmethod
    def start_attempt(self, event: str) -> None:
        """
        Start an attempt on an event, and fence off the older attempts of the same run.

        :param event: the event's id.
        :raises LedgerFailure: the ledger is out of reach, or its tables are not as this version makes them.
        """

    @abstractmethod
    def load(self, registrants: Sequence[str]) -> dict[str, RegistrationRecord]:
        """Return the stored records of the registrants, each with its ``age``."""

    @abstractmethod
    def write(self, entries: Sequence[RegistrationRecord]) -> Written:
        """
        Write records.

        The ledger does not write a record that another writer changed since its ``version`` was read, nor one whose
        link it holds for somebody else.

        :raises Fenced: a newer attempt has started.
        :raises LedgerFailure: the ledger is out of reach. It wrote nothing.
        """

    def now(self) -> datetime:
        """Return the time in UTC by the ledger's clock, without a time zone. The attempt must have started."""
        return utc_now()

    def share_quota(self, quota: SharedQuota) -> None:
        """
        Tell the quota what was sent in its window, and note from now on what this attempt sends.

        From now on, :meth:`write` may raise ``QuotaTaken``: another run took the room for writes that were reserved.

        :param quota: the quota of the event's app.
        """
        if quota.key is not None and self.is_durable:
            self._quota = quota
            self._load_quota(quota)

    @abstractmethod
    def _load_quota(self, quota: SharedQuota) -> None:
        """Tell the quota what the ledger knows of its window."""

    @abstractmethod
    def save_deferral(self, data: Mapping[str, Any]) -> None:
        """Keep what the attempt that resumes this one has to know. It holds nothing personal."""

    @abstractmethod
    def load_deferral(self) -> Mapping[str, Any] | None:
        """Return what an earlier attempt of this run kept; None if there is nothing."""

    def save_input(self, rows: Sequence[Mapping[str, Any]]) -> bool:
        """
        Keep the input rows of an attempt that is deferred. They are personal data, and the next attempt deletes them.

        :param rows: the input rows.
        :return: whether the ledger has room for rows and gives them back as they are.
        :raises Fenced: a newer attempt has started.
        :raises LedgerFailure: the ledger is out of reach. It kept nothing.
        """
        return False

    def load_input(self, event: str, attempt: int) -> list[dict[str, Any]] | None:
        """
        Return the input rows that an attempt of this run kept when it was deferred. Call it before the next one starts.

        :param event: the event's id.
        :param attempt: the attempt that was deferred.
        :return: the rows; None if it kept none, or if another attempt ran in between.
        :raises LedgerFailure: the ledger is out of reach.
        """
        return None

    @abstractmethod
    def mark_seen(self, registrants: Sequence[str]) -> None:
        """Note that registrants with a recorded outcome came up again."""

    @abstractmethod
    def finish_attempt(self, summary: Mapping[str, Any]) -> None:
        """Note how the attempt ended, in counts."""

    @abstractmethod
    def close(self) -> None:
        """Release what the ledger holds open."""

    def _stamped(self, entry: RegistrationRecord, first_seen: datetime | None, now: datetime) -> RegistrationRecord:
        """Return the entry with the run, the attempt, the times and the texts that this attempt stores."""
        return replace(
            entry,
            join_web_url=_storable_link(entry.join_web_url) if self.store_join_urls else None,
            external_id=storable_text("external_id", entry.external_id),
            registration_id=storable_text("registration_id", entry.registration_id),
            error=storable_text("error", entry.error),
            error_code=storable_text("error_code", entry.error_code),
            request_id=storable_text("request_id", entry.request_id),
            run=self.run,
            attempt=self.attempt,
            first_seen=first_seen or now,
            last_seen=now,
            version=entry.version + 1,
            age=0.0,
        )


def refuse_impossible_event(event: str) -> None:
    """
    Refuse an event whose id no ledger can store.

    :raises LedgerFailure: the id is too long, or holds a control character.
    """
    if len(event) > LONGEST["event"] or not event.isprintable():
        raise LedgerFailure(
            f"The event's id is longer than {LONGEST['event']} characters or holds a control character. No "
            "ledger can store it. Correct the id of the event.",
            transient=False,
        )


def storable_text(column: str, text: str | None) -> str | None:
    """Return a text from Graph, shortened and cleaned so that every ledger can store it."""
    if text is None or (len(text) <= LONGEST[column] and text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()[: LONGEST[column]]


def _storable_link(link: str | None) -> str | None:
    """Return the link if every ledger can store it, or else None: a shortened link does not work."""
    if link is None or (len(link) <= LONGEST["join_web_url"] and link.isascii() and "\0" not in link):
        return link
    is_storable = "\0" not in link and len(link.encode("utf-8", "surrogatepass")) <= LONGEST["join_web_url"]
    return link if is_storable and not any("\ud800" <= character <= "\udfff" for character in link) else None


def link_key(link: str) -> str:
    """Return a hash that compares links without revealing them."""
    return hashlib.sha256(link.encode("utf-8", "surrogatepass")).hexdigest()


def utc_now() -> datetime:
    """Return the current time in UTC, without a time zone, as every database can store it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)
