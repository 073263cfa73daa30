"""What the engine needs to know of an event, whichever kind it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from airflow_provider_teams_registration.enrollment.outcome import Outcome
from airflow_provider_teams_registration.graph.errors import TeamsRegistrationError
from airflow_provider_teams_registration.graph.pace import Pace


class InvalidRow(ValueError):
    """A row is no registrant. The sentence names columns and kinds of value, never a value."""


@dataclass(frozen=True)
class Registrant:
    """
    One person to enroll.

    :param position: where the row stood in the input, counted from 1.
    :param row: the input row as it came.
    :param key: what tells this person from the others on the event.
    :param body: what Graph is to be told, as the event's kind has it.
    """

    position: int
    row: Mapping[str, Any] = field(repr=False)
    key: str = field(repr=False)
    body: Any = field(repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what Graph is to be told; it changes where the row changed in a way that matters."""
        told = repr(sorted(vars(self.body).items()))
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True)
class Standing:
    """
    How a person stands on the event, as the service says.

    :param outcome: what became of them; ``unknown`` where the service took the enrollment and said no more.
    :param join_web_url: their link, where it was handed out.
    :param registration_id: the service's own id of the registration.
    :param is_link_due: whether the link may be missing only for now; with an error where the service refuses it.
    :param is_link_withheld: whether the link is missing because it may not be read: the enrollment is good.
    :param error: what stands in the way of the link, or of the person.
    """

    outcome: Outcome
    join_web_url: str | None = field(default=None, repr=False)
    registration_id: str | None = None
    is_link_due: bool = False
    is_link_withheld: bool = False
    error: str | None = None


@dataclass(frozen=True)
class Found:
    """
    What reading an event told of people. Whoever is in neither of the two is certainly not on it.

    :param standings: of those who are on the event, as many as they have records.
    :param unproved: those who were not found and may be on it all the same, and why: a ``GraphError`` where the
        service refused to look for them.
    """

    standings: Mapping[str, Sequence[Standing]]
    unproved: Mapping[str, TeamsRegistrationError] = field(default_factory=dict)


class Event(Protocol):
    """
    An online meeting or a webinar.

    :ivar id: the event's id.
    :ivar pace: how fast its requests may go.
    :ivar batch_size: how many people one call of :meth:`enroll` takes; 0 where the pace has no room for any now.
    :ivar hands_links_out_once: whether a link can be had only in the answer to the enrollment.
    """

    id: str
    hands_links_out_once: bool

    @property
    def pace(self) -> Pace: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def own_link(self) -> str | None:
        """The event's own link, a credential, once it is prepared; None where there is none to show."""

    def prepare(self) -> None:
        """
        Learn what rows must look like.

        :raises TeamsRegistrationError: the event cannot be read, or is not open.
        """

    def close(self) -> None:
        """Drop what :meth:`prepare` has begun to read and nobody has asked for."""

    def read(self, position: int, row: Mapping[str, Any]) -> Registrant:
        """
        Read a row.

        :raises InvalidRow: it is no registrant of this event.
        """

    def enroll(self, registrants: Sequence[Registrant]) -> list[Standing | TeamsRegistrationError]:
        """Put up to :attr:`batch_size` people on the event, in one call that is sent once."""

    def cancel(self, registrants: Sequence[Registrant]) -> list[TeamsRegistrationError | None]:
        """Take up to :attr:`batch_size` people off the event, one record of each; None where they are off."""

    def present(self, registrants: Sequence[Registrant]) -> Found:
        """
        Tell which of the registrants were on the event before this run sent anybody.

        :raises TeamsRegistrationError: the event cannot be read.
        """

    def find(self, registrants: Sequence[Registrant], witness: Registrant | None = None) -> Found:
        """
        Tell which of the registrants are on the event.

        :param witness: somebody who was on it when last heard of: a way of reading that finds them finds people.
        :raises TeamsRegistrationError: the event cannot be read.
        """

    def keys_to_cancel(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str] | InvalidRow]:
        """
        Return whom rows mean: the keys of each, or why it means nobody.

        :raises TeamsRegistrationError: the event cannot be read.
        """
