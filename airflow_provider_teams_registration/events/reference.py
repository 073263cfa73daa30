"""The reference to an event, and the table of the kinds of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from airflow_provider_teams_registration.graph.arguments import looks_like
from airflow_provider_teams_registration.graph.event_link import read_event_link

if TYPE_CHECKING:
    from airflow_provider_teams_registration.core.event_facts import EventFacts
    from airflow_provider_teams_registration.events.base import Event
    from airflow_provider_teams_registration.graph.session import GraphSession

ORGANIZER = "organizer_id"
"""Name of the argument that takes the organizer's object id."""

_PACKAGE = __name__.rpartition(".")[0]
_GRAPH = "airflow_provider_teams_registration.graph"
_NEVER_AN_ID = ("a join URL", "a link", "a number", "an e-mail address")
_NEVER_AN_ORGANIZER = (*_NEVER_AN_ID, "a webinar's id", "an online meeting's id")


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
class EventKind:
    """
    One kind of event: a line of :data:`KINDS`.

    The paths name functions and classes that are imported on first use, so that a DAG file does not pay for them.

    :param name: what a message calls an event of this kind.
    :param argument: name of the argument that takes the event's id.
    :param example: the beginning of an id.
    :param takes_organizer: whether a request for the event names its organizer.
    :param takes_audience: whether the event is open to an audience that the sensor can wait for.
    :param links_are_readable: whether a later read of the event shows a registrant's join link.
    :param is_keyed_by_id: whether the caller's own id of a person identifies the registrant. If not, the mailbox does.
    :param makes_event: path of the :class:`MakeEvent`, such as ``package.module:function``.
    :param looks_if_open: path of the :class:`LookIfOpen`.
    :param reads_facts: path of the :class:`ReadFacts`.
    :param extra_link: path of the class that Airflow's UI shows as a button on a task, as Airflow's provider
        information takes it; None if a task of this kind has no link.
    :param id_looks_like: what :func:`looks_like` says about an id of this kind and of no other; empty if ids have no
        form of their own.
    :param finds_by_link: path of the :class:`FindByLink`; None if an event of this kind cannot be found by a link.
    :param refused: what :func:`looks_like` says about values that cannot be an id of this kind.
    """

    name: str
    argument: str
    example: str
    takes_organizer: bool
    takes_audience: bool
    links_are_readable: bool
    is_keyed_by_id: bool
    makes_event: str = field(repr=False)
    looks_if_open: str = field(repr=False)
    reads_facts: str = field(repr=False)
    extra_link: str | None = field(default=None, repr=False)
    id_looks_like: str = field(default="", repr=False)
    finds_by_link: str | None = field(default=None, repr=False)
    refused: Sequence[str] = field(default=_NEVER_AN_ID, repr=False)


MEETING = EventKind(
    name="online meeting",
    argument="meeting_id",
    example="MSpkYzE3...",
    takes_organizer=True,
    takes_audience=True,
    links_are_readable=False,
    is_keyed_by_id=True,
    makes_event=f"{_PACKAGE}.online_meeting:make_event",
    looks_if_open=f"{_PACKAGE}.online_meeting_opening:look_if_open",
    reads_facts=f"{_PACKAGE}.facts:read_meeting_facts",
    extra_link="airflow_provider_teams_registration.links.meeting.MeetingLink",
    id_looks_like="an online meeting's id",
    finds_by_link=f"{_GRAPH}.event_search:meeting_by_link",
    refused=(*_NEVER_AN_ID, "a GUID", "a webinar's id"),
)
WEBINAR = EventKind(
    name="webinar",
    argument="webinar_id",
    example="f4b39f1c-...@a1a56d21-...",
    takes_organizer=False,
    takes_audience=False,
    links_are_readable=True,
    is_keyed_by_id=False,
    makes_event=f"{_PACKAGE}.webinar.event:make_event",
    looks_if_open=f"{_PACKAGE}.webinar.opening:look_if_open",
    reads_facts=f"{_PACKAGE}.facts:read_webinar_facts",
    id_looks_like="a webinar's id",
    finds_by_link=f"{_GRAPH}.webinar_by_link:webinar_by_link",
    refused=(*_NEVER_AN_ID, "an online meeting's id"),
)
KINDS: Sequence[EventKind] = (MEETING, WEBINAR)
"""Every kind of event. A new kind is a line here, a package beside this module, and an argument of ``EventTask``."""


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


def given_kinds(arguments: Mapping[str, Any], kinds: Sequence[EventKind] = KINDS) -> list[EventKind]:
    """
    Return the kinds of which a task's arguments name an event.

    :param arguments: values by argument name. Empty values count as not given.
    :param kinds: the table of kinds.
    """
    return [kind for kind in kinds if arguments.get(kind.argument)]


def check_ids(arguments: Mapping[str, Any], kinds: Sequence[EventKind] = KINDS, *, takes_links: bool = False) -> None:
    """
    Refuse a value that cannot be the id that its argument takes, such as a number.

    :param arguments: values by argument name. Arguments that take no id, and empty values, are ignored.
    :param kinds: the table of kinds.
    :param takes_links: whether a link to an event is taken, too, because the caller finds its id. Default False.
    :raises ValueError: the sentence says what the value looks like and what to give instead, and does not quote it.
    """
    by_argument = {kind.argument: kind for kind in kinds}
    for name, value in arguments.items():
        if not value:
            continue
        if (name in by_argument or name == ORGANIZER) and not _is_text_or_number(value):
            raise ValueError(f"{name} is a {type(value).__name__}. It takes a text.")
        looks = looks_like(str(value))
        if name == ORGANIZER and looks in _NEVER_AN_ORGANIZER:
            raise ValueError(
                f"{name} looks like {looks}. It takes the object id of the organizer in Microsoft Entra, which is a "
                "GUID, here and in FindEventOperator. The user's page in the Entra admin center shows the object id."
            )
        kind = by_argument.get(name)
        if kind is not None and looks in kind.refused and not (takes_links and is_link_to(kind, value)):
            raise ValueError(f"{name} looks like {looks}. {_advice(kind, looks, kinds)}")


def is_link_to(kind: EventKind, value: Any) -> bool:
    """
    Return whether a value is a link by which an event of a kind can be found.

    :param kind: the kind.
    :param value: the value of an argument.
    """
    if kind.finds_by_link is None or not isinstance(value, str):
        return False
    link = read_event_link(value)
    return link is not None and (link.webinar_id is None or kind is WEBINAR)


def _is_text_or_number(value: Any) -> bool:
    # A number is told from an id by how it looks, with the same advice as the text of a number.
    return isinstance(value, str | int) and not isinstance(value, bool)


def load(path: str) -> Any:
    """
    Import what a path names.

    :param path: such as ``package.module:name``, or ``package.module.name``.
    """
    module, _, name = path.rpartition(":" if ":" in path else ".")
    return getattr(import_module(module), name)


def _advice(kind: EventKind, looks: str, kinds: Sequence[EventKind]) -> str:
    link = ", or a join URL" if kind.finds_by_link else ""
    takes = f"It takes the {kind.name}'s id in Graph, such as {kind.example!r}{link}."
    other = next((one for one in kinds if one.id_looks_like == looks), None)
    if other is not None:
        return f"{takes} Pass this value as {other.argument} if you mean the {other.name}."
    return (
        f"{takes} FindEventOperator finds an event's id by a join URL, a meeting number, a calendar event or a "
        "webinar's name."
    )


def _not_one_event(given: Sequence[EventKind], kinds: Sequence[EventKind]) -> str:
    names = _listed([kind.argument for kind in kinds])
    if not given:
        return f"No event is given. Give exactly one of {names}."
    return f"More than one event is given ({_listed([kind.argument for kind in given])}). Give exactly one of {names}."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
