"""The reference to an event: which kind, which id, whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from airflow_provider_teams_registration.events.id_checks import ORGANIZER, check_ids
from airflow_provider_teams_registration.events.kinds import KINDS, EventKind, given_kinds, load

if TYPE_CHECKING:
    from airflow_provider_teams_registration.core.event_facts import EventFacts
    from airflow_provider_teams_registration.events.base import Event
    from airflow_provider_teams_registration.graph.session import GraphSession


class MakeEvent(Protocol):
    """Makes the event of a reference, without a request."""

    def __call__(self, session: GraphSession, reference: EventRef, **form: str | None) -> Event:
        """
        Return the event, as the runner uses it.

        :param session: the authorized session.
        :param reference: the event.
        :param form: defaults for columns that a row leaves out. A kind without such columns ignores them.
        """


class LookIfOpen(Protocol):
    """Reads once from Graph whether people can register for an event."""

    def __call__(
        self, session: GraphSession, reference: EventRef, allowed_registrant: str | None
    ) -> dict[str, str] | None:
        """
        Return what Graph shows about the open event; None if it is not open yet.

        :param session: the authorized session.
        :param reference: the event.
        :param allowed_registrant: the audience that it must be open to; None accepts each one.
        :raises TeamsRegistrationError: waiting cannot help.
        """


class ReadFacts(Protocol):
    """Reads from Graph what an event is called, when it is, and whose it is."""

    def __call__(self, session: GraphSession, reference: EventRef) -> EventFacts:
        """
        Return the facts of the event.

        :param session: the authorized session.
        :param reference: the event.
        :raises TeamsRegistrationError: the event cannot be read.
        """


@dataclass(frozen=True)
class EventRef:
    """
    One event.

    :param kind: which kind of event it is.
    :param id: the event's id in Graph.
    :param organizer: object id of its organizer. None if the kind takes none, or if it is the signed-in user.
    """

    kind: EventKind
    id: str
    organizer: str | None = None

    @classmethod
    def read(
        cls, arguments: Mapping[str, Any], kinds: Sequence[EventKind] = KINDS, *, takes_links: bool = False
    ) -> EventRef:
        """
        Return the event that a task's arguments name.

        :param arguments: values by argument name. Empty values count as not given.
        :param kinds: the table of kinds.
        :param takes_links: whether a link to an event is taken for its id, too, because the caller finds the id.
            Default False.
        :raises ValueError: the arguments do not name exactly one event, or a value cannot be the id that the argument
            takes.
        """
        given = given_kinds(arguments, kinds)
        if len(given) != 1:
            raise ValueError(_not_one_event(given, kinds))
        (kind,) = given
        organizer = (arguments.get(ORGANIZER) or None) if kind.takes_organizer else None
        check_ids({kind.argument: arguments[kind.argument], ORGANIZER: organizer}, kinds, takes_links=takes_links)
        return cls(kind, arguments[kind.argument], organizer)

    @classmethod
    def of(cls, facts: EventFacts) -> EventRef | None:
        """
        Return the event that facts name, without its organizer; None if they name none.

        :param facts: facts that a task read or was told.
        :raises ValueError: the facts name several events, or a value cannot be an id of its kind.
        """
        named = facts.as_json()
        return cls.read(named) if given_kinds(named) else None

    def event(self, session: GraphSession, **form: str | None) -> Event:
        """
        Return the event, as the runner uses it. This makes no request.

        :param session: the authorized session.
        :param form: defaults for columns that a row leaves out. A kind without such columns ignores them.
        """
        make = cast("MakeEvent", load(self.kind.makes_event))
        return make(session, self, **form)

    def look_if_open(self, session: GraphSession, allowed_registrant: str | None = None) -> dict[str, str] | None:
        """
        Read once from Graph whether people can register.

        :param session: the authorized session.
        :param allowed_registrant: the audience that it must be open to; None accepts each one.
        :return: what Graph shows about the open event. None if it is not open yet, or if Graph has passing trouble.
        :raises TeamsRegistrationError: waiting cannot help.
        """
        look = cast("LookIfOpen", load(self.kind.looks_if_open))
        return look(session, self, allowed_registrant)

    def facts(self, session: GraphSession) -> EventFacts:
        """
        Read from Graph what the event is called, when it is, and whose it is.

        :param session: the authorized session.
        :raises TeamsRegistrationError: the event cannot be read.
        """
        read = cast("ReadFacts", load(self.kind.reads_facts))
        return read(session, self)


def _not_one_event(given: Sequence[EventKind], kinds: Sequence[EventKind]) -> str:
    names = _listed([kind.argument for kind in kinds])
    if not given:
        return f"No event is given. Give exactly one of {names}."
    return f"More than one event is given ({_listed([kind.argument for kind in given])}). Give exactly one of {names}."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
