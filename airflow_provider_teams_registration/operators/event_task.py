"""A task about one event, of whatever kind."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_teams_registration.core.event_facts import EventFacts, read_event_facts
from airflow_provider_teams_registration.events.id_checks import ORGANIZER, check_ids
from airflow_provider_teams_registration.events.kinds import KINDS, EventKind, given_kinds, load
from airflow_provider_teams_registration.events.named_event import NamedEvent
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure
from airflow_provider_teams_registration.xcom.join_link import EventIdArgument, unmasked
from airflow_provider_teams_registration.xcom.masked_rows import is_final

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession

log = logging.getLogger(__name__)

EVENT_FIELDS = (*(kind.argument for kind in KINDS), ORGANIZER)
"""The arguments that name an event. They are template fields of each :class:`EventTask`."""


class EventTask(BaseOperator):
    """
    A task about one event of any kind. Exactly one of the event arguments is given.

    :param meeting_id: the online meeting's ``id`` in Graph, or its join URL. (templated)
    :param webinar_id: the webinar's ``id`` in Graph, or its join URL. (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user. (templated)
    :cvar is_event_optional: whether a task of the class may name no event.
    :raises ValueError: not exactly one event is given, or a value cannot be the id that the argument takes.
    """

    is_event_optional: ClassVar[bool] = False

    meeting_id = EventIdArgument()
    webinar_id = EventIdArgument()
    organizer_id = TextArgument()

    _found: tuple[NamedEvent, EventRef] | None = None

    def __init__(
        self,
        *,
        meeting_id: str | None = None,
        webinar_id: str | None = None,
        organizer_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.meeting_id = meeting_id
        self.webinar_id = webinar_id
        self.organizer_id = organizer_id
        _check_written_event(self._named(), is_optional=self.is_event_optional)

    def named_event(self) -> NamedEvent:
        """
        Return the event that the rendered arguments name. This makes no request.

        :raises PermanentFailure: not exactly one event is given, or a value cannot be the id that the argument takes.
        """
        try:
            return NamedEvent.read(self._named())
        except ValueError as error:
            raise PermanentFailure(str(error)) from None

    def find_event(self, session: GraphSession) -> EventRef:
        """
        Return the event. If a link names it, the first call looks its id up.

        :param session: the authorized session.
        :raises PermanentFailure: not exactly one event is given, or a value cannot be the id that the argument takes.
        :raises TeamsRegistrationError: the connection finds no event by the link.
        """
        known = self.known_event()
        if known is not None:
            return known
        named = self.named_event()
        found = named.find(session)
        self._found = named, found
        return found

    def known_event(self) -> EventRef | None:
        """
        Return the event if no request is needed for it; None if a link names it and nobody has looked the link up.

        :raises PermanentFailure: not exactly one event is given, or a value cannot be the id that the argument takes.
        """
        named = self.named_event()
        # dag.test() runs several attempts, and what is rendered for them may differ.
        if self._found is not None and self._found[0] == named:
            return self._found[1]
        return None if named.is_link else named.with_id(named.value)

    def names_event(self) -> bool:
        """Return whether the rendered arguments name an event."""
        return bool(given_kinds(self._named()))

    def found_id(self) -> str | None:
        """Return the id that a link was found to lead to; None if the arguments name the id, or if nobody looked."""
        return self._found[1].id if self._found is not None and self._found[0].is_link else None

    def remember_found(self, event_id: str | None) -> None:
        """
        Take an id that an earlier part of the task found, so that the link is not looked up again.

        :param event_id: what :meth:`found_id` returned then.
        """
        named = self.named_event()
        if event_id and named.is_link:
            self._found = named, named.with_id(event_id)

    def _named(self) -> dict[str, Any]:
        return {name: unmasked(getattr(self, name)) for name in EVENT_FIELDS}


def find_id(session: GraphSession, kind: EventKind, value: Any, organizer_id: str | None = None) -> Any:
    """
    Return an event's id. A link is looked up in Graph.

    :param session: the authorized session.
    :param kind: the kind of event.
    :param value: a checked argument: the id, or a link. An empty value is returned as it is.
    :param organizer_id: object id of the organizer; None if the kind takes none, or if it is the signed-in user.
    """
    return NamedEvent(kind, unmasked(value), organizer_id).find(session).id if value else value


def facts_or_id(reference: EventRef, session: GraphSession) -> EventFacts:
    """
    Read the facts of an event for a task's summary. The summary holds the id alone if Graph does not tell them at once.

    A task that has done its work must not fail for this, nor wait.

    :param reference: the event.
    :param session: the authorized session. It waits for nothing afterwards.
    """
    session.rate_limiter.max_wait = 0
    try:
        return reference.facts(session)
    except (TeamsRegistrationError, ValueError) as error:
        log.info("The summary names the event by its id alone, because the event could not be read: %s", error)
        return read_event_facts({reference.kind.argument: reference.id})


def check_written_ids(**arguments: Any) -> None:
    """
    Refuse, when the DAG is parsed, a value that cannot be the id that its argument takes.

    :param arguments: values by argument name. A template, or another task's result, is ignored until it is rendered.
    :raises ValueError: the sentence says what to give instead.
    """
    final = {name: unmasked(value) for name, value in arguments.items() if is_final(value)}
    check_ids(final, takes_links=True)


def check_rendered_ids(**arguments: Any) -> None:
    """
    Refuse, before the first request, a value that cannot be the id that its argument takes.

    :param arguments: values by argument name.
    :raises PermanentFailure: the sentence says what to give instead.
    """
    try:
        check_ids({name: unmasked(value) for name, value in arguments.items()}, takes_links=True)
    except ValueError as error:
        raise PermanentFailure(str(error)) from None


def extra_links(task: Any, kinds: Sequence[EventKind] = KINDS) -> tuple[Any, ...]:
    """
    Return the links of the kinds of event that a task may turn out to name.

    :param task: the task, or a mapped task, whose arguments are in ``partial()`` and in what it is mapped over.
    :param kinds: the table of kinds.
    """
    given = set(_given_arguments(task, kinds))
    named = [kind for kind in kinds if kind.argument in given] or kinds
    return tuple(load(path)() for path in dict.fromkeys(kind.extra_link for kind in named) if path is not None)


def _given_arguments(task: Any, kinds: Iterable[EventKind]) -> Iterable[str]:
    names = [kind.argument for kind in kinds]
    written = getattr(task, "partial_kwargs", None)
    if written is None:
        return [name for name in names if getattr(task, name, None) is not None]
    mapped_over = getattr(task.expand_input, "value", None)
    found = {**written, **(mapped_over if isinstance(mapped_over, Mapping) else {})}
    return [name for name in names if found.get(name) is not None]


def _check_written_event(values: Mapping[str, Any], *, is_optional: bool) -> None:
    """Check a DAG's arguments when it is parsed. A template may turn out to be empty, so it is checked later."""
    given = {kind.argument: values[kind.argument] for kind in KINDS if values[kind.argument] is not None}
    final = {name: value for name, value in given.items() if is_final(value)}
    if len(final) > 1 or not (given or is_optional):
        # This raises, and says why.
        NamedEvent.read(final)
    if any(kind.takes_organizer for kind in KINDS if kind.argument in given):
        final[ORGANIZER] = values[ORGANIZER]
    check_written_ids(**final)
