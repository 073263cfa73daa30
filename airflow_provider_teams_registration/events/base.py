"""The interface of an event, of any kind, and the values that it exchanges with the runner."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.core.registration import (
    Absent,
    Evidence,
    Inconclusive,
    ListedRegistration,
    Present,
    RemoteRegistration,
)
from airflow_provider_teams_registration.events.problems import problem_of
from airflow_provider_teams_registration.exceptions import GraphError, TeamsRegistrationError
from airflow_provider_teams_registration.graph.rate_limit import RateLimiter


class InvalidRow(ValueError):
    """A row does not describe a registrant. The sentence names columns and kinds of value, never a value."""


class NotOnTheEvent(TeamsRegistrationError):
    """
    Nobody was taken off, because a read of the event proved that the person is not on it.

    The proof does not hold for a person who was sent a moment ago, because an enrollment may show late.
    """


@dataclass(frozen=True)
class Registrant:
    """
    One person to enroll or to cancel.

    :param position: the row's place in the input, counted from 1.
    :param row: the input row as it came.
    :param key: the key that identifies the person on the event.
    :param body: the data to send to Graph, in the form of the event's kind; None for a person to cancel.
    """

    position: int
    row: Mapping[str, Any] = field(repr=False)
    key: str = field(repr=False)
    body: Any = field(repr=False)

    @property
    def external_id(self) -> str | None:
        """The caller's own id of the person, if it is not the key."""
        return getattr(self.body, "registration_id", None)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the data to send to Graph, which changes if they do. It is empty if nothing is to be sent."""
        if self.body is None:
            return ""
        told = repr(sorted(vars(self.body).items()))
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True)
class Lookup:
    """
    The result of a lookup of some registrants. Registrants in neither mapping are not on the event.

    :param registrations: the registrations of registrants who are on the event, by key.
    :param inconclusive: for registrants who were not found and may be on the event, by key, why the lookup proves
        nothing: a ``GraphError`` if Graph refused the lookup.
    """

    registrations: Mapping[str, Sequence[RemoteRegistration]]
    inconclusive: Mapping[str, TeamsRegistrationError] = field(default_factory=dict)

    def evidence(self, key: str) -> Evidence:
        """Return what the lookup proves about one of the registrants."""
        registrations = self.registrations.get(key)
        if registrations:
            return Present(registrations)
        why = self.inconclusive.get(key)
        return Absent() if why is None else Inconclusive(problem_of(why), is_refused=isinstance(why, GraphError))


class Event(Protocol):
    """
    An online meeting or a webinar.

    :ivar id: the event's id.
    :ivar rate_limiter: the rate limit of its requests.
    :ivar batch_size: how many people one call of :meth:`enroll` takes; 0 if the rate limit allows none now.
    :ivar links_are_readable: whether a later read of the event shows a registrant's link.
    :ivar removes_by_key: whether :meth:`cancel` finds a registrant by their key. If not, :meth:`find_to_cancel` has to
        find them first.
    """

    id: str
    links_are_readable: bool
    removes_by_key: bool

    @property
    def rate_limiter(self) -> RateLimiter: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def own_link(self) -> str | None:
        """The event's own link, a credential, after :meth:`prepare`; None if the event has none."""

    @property
    def facts(self) -> EventFacts | None:
        """What the event is called and when it is, after :meth:`prepare`; None if Graph does not say so in time."""

    def prepare(self) -> None:
        """
        Read from Graph what a row must hold.

        :raises TeamsRegistrationError: the event cannot be read, or is not open.
        """

    def remembered(self) -> Any:
        """
        Return, as JSON holds it, what :meth:`prepare` read and :meth:`restore` can take instead.

        :return: nothing personal and no link; None if :meth:`prepare` has to read it again.
        """

    def restore(self, remembered: Any) -> bool:
        """
        Prepare the event from what :meth:`remembered` returned in an earlier attempt.

        :param remembered: what it returned, or anything else.
        :return: whether the event is prepared.
        """

    def close(self) -> None:
        """Stop the reads that :meth:`prepare` started and that are still running."""

    def read(self, position: int, row: Mapping[str, Any]) -> Registrant:
        """
        Read a row.

        :raises InvalidRow: the row does not describe a registrant of this event.
        """

    def enroll(self, registrants: Sequence[Registrant]) -> list[RemoteRegistration | TeamsRegistrationError]:
        """Enroll up to :attr:`batch_size` people in one call, which is not repeated."""

    def cancel(self, registrants: Sequence[Registrant]) -> list[TeamsRegistrationError | None]:
        """
        Remove one registration of each of up to :attr:`batch_size` people.

        :return: for each person, in order, None if Graph removed the registration, :class:`NotOnTheEvent` if a read
            proved that they are not on the event, or another error.
        """

    def present(self, registrants: Sequence[Registrant]) -> Lookup:
        """
        Look up which registrants were on the event before this run sent anybody.

        :raises TeamsRegistrationError: the event cannot be read.
        """

    def find(self, registrants: Sequence[Registrant], control: Registrant | None = None) -> Lookup:
        """
        Look up which registrants are on the event now.

        :param control: a person who was on the event when we last checked. A lookup that finds this person is known to
            work.
        :raises TeamsRegistrationError: the event cannot be read.
        """

    def find_to_cancel(self, registrants: Sequence[Registrant]) -> Lookup:
        """
        Look up which registrants are on the event now, without their links. A registration that :meth:`cancel` removed
        does not count.

        :raises TeamsRegistrationError: the event cannot be read.
        """

    def listed(self, keys: Collection[str]) -> Mapping[str, Sequence[ListedRegistration]]:
        """
        Read the list once, and return every registration of some people, also those that are cancelled.

        :param keys: the people's keys.
        :return: the registrations by key, without people whom the list does not show.
        :raises TeamsRegistrationError: the list cannot be read, or may not.
        """

    def resolve_keys(self, rows: Sequence[Mapping[str, Any]]) -> list[list[str] | InvalidRow]:
        """
        Return the keys of the people whom each row refers to, or why the row refers to nobody.

        :raises TeamsRegistrationError: the event cannot be read.
        """
