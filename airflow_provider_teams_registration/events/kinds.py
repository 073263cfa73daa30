"""The table of the kinds of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from airflow_provider_teams_registration.graph.arguments import LINKS

NEVER_AN_ID = (*LINKS, "a number", "an e-mail address")
"""What ``looks_like`` of ``graph/arguments.py`` says about values that are the id of no event, whatever its kind."""

_PACKAGE = __name__.rpartition(".")[0]
_GRAPH = "airflow_provider_teams_registration.graph"


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
    :param makes_event: path of the ``MakeEvent`` that ``events/reference.py`` describes, such as
        ``package.module:function``.
    :param looks_if_open: path of the ``LookIfOpen``.
    :param reads_facts: path of the ``ReadFacts``.
    :param extra_link: path of the class that Airflow's UI shows as a button on a task, as Airflow's provider
        information takes it; None if a task of this kind has no link.
    :param id_looks_like: what ``looks_like`` says about an id of this kind and of no other; empty if ids have no
        form of their own.
    :param finds_by_link: path of the ``FindByLink`` that ``events/named_event.py`` describes; None if an event of this
        kind cannot be found by a link.
    :param refused: what ``looks_like`` says about values that cannot be an id of this kind.
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
    refused: Sequence[str] = field(default=NEVER_AN_ID, repr=False)


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
    refused=(*NEVER_AN_ID, "a GUID", "a webinar's id"),
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
    refused=(*NEVER_AN_ID, "an online meeting's id"),
)
KINDS: Sequence[EventKind] = (MEETING, WEBINAR)
"""Every kind of event. A new kind is a line here, a package beside this module, and an argument of ``EventTask``."""


def given_kinds(arguments: Mapping[str, Any], kinds: Sequence[EventKind] = KINDS) -> list[EventKind]:
    """
    Return the kinds of which a task's arguments name an event.

    :param arguments: values by argument name. Empty values count as not given.
    :param kinds: the table of kinds.
    """
    return [kind for kind in kinds if arguments.get(kind.argument)]


def load(path: str) -> Any:
    """
    Import what a path names.

    :param path: such as ``package.module:name``, or ``package.module.name``.
    """
    module, _, name = path.rpartition(":" if ":" in path else ".")
    return getattr(import_module(module), name)
