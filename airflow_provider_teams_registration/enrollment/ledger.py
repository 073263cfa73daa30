"""The ledger: per event and registrant, what was sent and what came of it. One interface, three kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, ClassVar

from airflow_provider_teams_registration.enrollment.outcome import Outcome
from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError


class FencedOff(TeamsRegistrationError):
    """A younger attempt of the same task has taken over; this one must not send any more."""


class LedgerFailure(TeamsRegistrationError):
    """The ledger cannot be read or written."""

    transient = True


@dataclass(frozen=True)
class Run:
    """
    Who enrolls: one task of one DAG run. Its attempts follow one another, and the youngest alone may send.

    :param dag_id: the DAG.
    :param run_id: the DAG run.
    :param task: the task's id, with the map index of a mapped one: ``enroll[3]``.
    """

    dag_id: str = ""
    run_id: str = ""
    task: str = ""


@dataclass(frozen=True)
class LedgerEntry:
    """
    What is known of one registrant of one event.

    :param registrant: the registrant's key.
    :param fingerprint: a hash of what Graph was told of them.
    :param outcome: what became of them; ``unknown`` from before they are sent until an answer is recorded.
    :param join_web_url: their link, if it was handed out and is to be kept.
    :param registration_id: the service's own id of the registration, if it has one.
    :param error: what stands in the way.
    :param error_code: Graph's code for it.
    :param request_id: Graph's id of the request that was refused.
    :param run: who wrote this.
    :param attempt: which attempt of that run.
    :param first_seen: when they came up first.
    :param last_seen: when they came up last; of an ``unknown`` one, when they were sent.
    :param version: how often the entry was written; 0 is not yet.
    """

    registrant: str = field(repr=False)
    fingerprint: str
    outcome: Outcome
    join_web_url: str | None = field(default=None, repr=False)
    registration_id: str | None = None
    error: str | None = None
    error_code: str | None = None
    request_id: str | None = None
    run: Run = Run()
    attempt: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    version: int = 0


@dataclass(frozen=True)
class Written:
    """
    What came of a write.

    :param stored: the entries as they now stand, by registrant.
    :param foreign: those that somebody else wrote meanwhile, as they stand; ours were not written.
    """

    stored: Mapping[str, LedgerEntry]
    foreign: Mapping[str, LedgerEntry]


class Ledger(ABC):
    """
    Remembers across attempts, and where it can across runs, who was sent and what came of it.

    :cvar is_durable: whether it outlives the process, so that a retry may go on from it.
    :cvar is_shared: whether other runs use it too.
    :param run: who enrolls.
    :param store_join_urls: whether links are kept.
    """

    is_durable: ClassVar[bool] = False
    is_shared: ClassVar[bool] = False

    def __init__(self, run: Run | None = None, *, store_join_urls: bool = True) -> None:
        self.run = run or Run()
        self.attempt = 0
        self.store_join_urls = store_join_urls

    @abstractmethod
    def begin(self, event: str) -> None:
        """
        Start an attempt on an event, and fence off the older ones of the same run.

        :param event: the event's id.
        :raises LedgerFailure: the ledger is out of reach.
        """

    @abstractmethod
    def recall(self, registrants: Sequence[str]) -> dict[str, LedgerEntry]:
        """Return the entries of those among the registrants who have one."""

    @abstractmethod
    def write(self, entries: Sequence[LedgerEntry]) -> Written:
        """
        Write entries, each only if nobody wrote that registrant since ``entry.version`` was read.

        :raises FencedOff: a younger attempt has begun.
        :raises LedgerFailure: the ledger is out of reach; nothing was written.
        """

    @abstractmethod
    def touch(self, registrants: Sequence[str]) -> None:
        """Note that registrants with a recorded outcome came up again."""

    @abstractmethod
    def finish(self, summary: Mapping[str, Any]) -> None:
        """Note how the attempt ended, in counts."""

    @abstractmethod
    def close(self) -> None:
        """Release what the ledger holds open."""

    def _stamped(self, entry: LedgerEntry, first_seen: datetime | None, now: datetime) -> LedgerEntry:
        """The entry as this attempt writes it, given when its registrant came up first, if they did before."""
        return replace(
            entry,
            join_web_url=entry.join_web_url if self.store_join_urls else None,
            run=self.run,
            attempt=self.attempt,
            first_seen=first_seen or now,
            last_seen=now,
            version=entry.version + 1,
        )


def utc_now() -> datetime:
    """Return the present moment in UTC, without a zone, as every database can hold it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)
