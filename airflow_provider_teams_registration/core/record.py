"""The record that the ledger holds for one registrant of one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from airflow_provider_teams_registration.core.outcome import Outcome


@dataclass(frozen=True)
class TaskRun:
    """
    One task of one DAG run. Its attempts follow one another, and only the newest may send.

    :param dag_id: the DAG.
    :param run_id: the DAG run.
    :param task: the task's id, with the map index of a mapped one: ``enroll[3]``.
    """

    dag_id: str = ""
    run_id: str = ""
    task: str = ""


class RecordState(str, Enum):
    """How far a registrant is, according to the ledger. Decisions read this state and never a text."""

    CLAIMED = "claimed"
    """A run has sent the registrant, or is about to. The ledger holds no outcome yet."""
    ACCEPTED = "accepted"
    """Graph accepted the enrollment and returned no details. The ledger holds no outcome yet."""
    CANCELLING = "cancelling"
    """A run has asked Graph to cancel the registrant, or is about to. The rest of the record is as it was before."""
    DONE = "done"
    """The ledger holds the outcome."""
    LINK_PENDING = "link_pending"
    """The ledger holds the outcome, and no run has returned the registrant's link yet."""


LONGEST: Mapping[str, int] = {
    "registrant": 1024,
    "event": 512,
    "join_web_url": 8000,
    "external_id": 1024,
    "registration_id": 255,
    "error": 1000,
    "error_code": 255,
    "request_id": 255,
}
"""The longest value that a ledger stores, in characters; for a link, in bytes. The limits are the same for all ledgers,
and a record of this size fits the smallest store, Airflow's task state store."""

PENDING = frozenset({RecordState.CLAIMED, RecordState.ACCEPTED})
"""States without an outcome."""


@dataclass(frozen=True)
class RegistrationRecord:
    """
    One registrant of one event, as the ledger holds them.

    :param registrant: the registrant's key.
    :param fingerprint: a hash of the data that the operator sent to Graph.
    :param outcome: the registrant's outcome; ``unknown`` until there is one.
    :param state: how far the registrant is.
    :param external_id: the caller's own id of the person, if it is not the key.
    :param join_web_url: the registrant's link, if a run handed it out and the ledger keeps links. A credential.
    :param registration_id: Graph's own id of the registration, if it has one.
    :param error: the problem, for people to read. No decision depends on it.
    :param error_code: Graph's code for it.
    :param request_id: Graph's id of the request that it refused.
    :param run: the run that wrote the record.
    :param attempt: the attempt of that run.
    :param version: how often a run wrote the record; 0 if none has yet.
    :param first_seen: when the registrant came up first, by the ledger's clock.
    :param last_seen: when the registrant came up last, by the ledger's clock; without an outcome, when the run claimed
        them.
    :param age: how many seconds old ``last_seen`` was when the ledger returned the record, by the ledger's clock.
        Decisions use this age, so that nothing compares two machines' clocks.
    """

    registrant: str = field(repr=False)
    fingerprint: str
    outcome: Outcome
    state: RecordState = RecordState.DONE
    external_id: str | None = field(default=None, repr=False)
    join_web_url: str | None = field(default=None, repr=False)
    registration_id: str | None = None
    error: str | None = None
    error_code: str | None = None
    request_id: str | None = None
    run: TaskRun = TaskRun()
    attempt: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    version: int = 0
    age: float = field(default=0.0, compare=False)
