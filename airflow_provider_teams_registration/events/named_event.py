"""The event that a task's arguments name: by its id, or by a link that leads to it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from airflow_provider_teams_registration.events.id_checks import is_link_to
from airflow_provider_teams_registration.events.kinds import KINDS, EventKind, load
from airflow_provider_teams_registration.events.reference import EventRef

if TYPE_CHECKING:
    from airflow_provider_teams_registration.core.event_facts import EventFacts
    from airflow_provider_teams_registration.graph.session import GraphSession

log = logging.getLogger(__name__)


class FindByLink(Protocol):
    """Finds an event by a link."""

    def __call__(self, session: GraphSession, url: str, organizer_id: str | None) -> EventFacts:
        """
        Return the event's id, and what the event is.

        :param session: the authorized session.
        :param url: the link, a credential.
        :param organizer_id: object id of the organizer; None if it is not known, or if it is the signed-in user.
        :raises TeamsRegistrationError: the connection finds no such event.
        """


@dataclass(frozen=True)
class NamedEvent:
    """
    An event, before its id is known for certain.

    :param kind: which kind of event it is.
    :param value: the event's id, or a link to the event, which is a credential.
    :param organizer: object id of its organizer. None if the kind takes none, or if it is the signed-in user.
    """

    kind: EventKind
    value: str = field(repr=False)
    organizer: str | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, Any], kinds: Sequence[EventKind] = KINDS) -> NamedEvent:
        """
        Return the event that a task's arguments name. This makes no request.

        :param arguments: values by argument name. Empty values count as not given.
        :param kinds: the table of kinds.
        :raises ValueError: the arguments do not name exactly one event, or a value is neither the id that the argument
            takes nor a link to such an event.
        """
        named = EventRef.read(arguments, kinds, takes_links=True)
        return cls(named.kind, named.id, named.organizer)

    @property
    def is_link(self) -> bool:
        """Whether the event is named by a link."""
        return is_link_to(self.kind, self.value)

    def with_id(self, event_id: str) -> EventRef:
        """
        Return the event, whose id is known.

        :param event_id: the event's id in Graph.
        """
        return EventRef(self.kind, event_id, self.organizer)

    def find(self, session: GraphSession) -> EventRef:
        """
        Return the event. A link is looked up in Graph, and the log says which event it leads to, but not the link.

        :param session: the authorized session.
        :raises TeamsRegistrationError: the connection finds no event by the link.
        """
        if not self.is_link:
            return self.with_id(self.value)
        find = cast("FindByLink", load(self.kind.finds_by_link or ""))
        facts = find(session, self.value, self.organizer)
        found = self.with_id(facts.id or "")
        log.info(
            "The link in %s leads to the %s %s. Its id is %s.",
            self.kind.argument,
            self.kind.name,
            facts.sentence(),
            found.id,
        )
        return found
