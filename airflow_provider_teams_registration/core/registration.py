"""Registrations as Graph shows them, and what a read of the event proves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.problem import Problem


@dataclass(frozen=True)
class RemoteRegistration:
    """
    One registration as Graph shows it.

    :param outcome: the registrant's outcome; ``unknown`` if Graph accepted the enrollment and returned no details.
    :param join_web_url: the registrant's link, if Graph showed it. A credential.
    :param registration_id: Graph's own id of the registration.
    :param link_pending: whether a later read may show the link.
    :param link_forbidden: whether Graph refuses to show the link. The registrant is enrolled all the same.
    :param error: why the registrant, or the link, is missing.
    """

    outcome: Outcome
    join_web_url: str | None = field(default=None, repr=False)
    registration_id: str | None = None
    link_pending: bool = False
    link_forbidden: bool = False
    error: str | None = None


@dataclass(frozen=True)
class ListedRegistration:
    """
    One registration in the event's list.

    :param registration_id: Graph's own id of it, if it has one.
    :param join_web_url: the registrant's link, if the list shows it. A credential.
    :param is_active: whether it is not cancelled.
    """

    registration_id: str | None = None
    join_web_url: str | None = field(default=None, repr=False)
    is_active: bool = True


@dataclass(frozen=True)
class Present:
    """
    A read shows the registrant on the event.

    :param registrations: every registration of theirs that the read shows, at least one.
    """

    registrations: Sequence[RemoteRegistration]

    @property
    def best(self) -> RemoteRegistration:
        """The registration with a link, if there is one."""
        return next((one for one in self.registrations if one.join_web_url), self.registrations[0])


@dataclass(frozen=True)
class Absent:
    """A complete read does not show the registrant. A recent request may still show later."""


@dataclass(frozen=True)
class Inconclusive:
    """
    A read does not show the registrant, and does not prove that they are absent.

    :param why: why the read proves nothing.
    :param is_refused: whether Graph refused every lookup.
    """

    why: Problem
    is_refused: bool = False


Evidence = Present | Absent | Inconclusive
