"""A task about one event, of whatever kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_teams_registration.events.reference import (
    KINDS,
    ORGANIZER,
    EventKind,
    EventRef,
    check_ids,
    load,
)
from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure
from airflow_provider_teams_registration.xcom.masked_rows import is_final

EVENT_FIELDS = (*(kind.argument for kind in KINDS), ORGANIZER)
"""The arguments that name an event. They are template fields of each :class:`EventTask`."""


class EventTask(BaseOperator):
    """
    A task about one event of any kind. Exactly one of the event arguments is given.

    :param meeting_id: the online meeting's ``id`` in Graph (not its join URL or its number). (templated)
    :param webinar_id: the webinar's ``id`` in Graph. (templated)
    :param organizer_id: object id of the meeting's organizer; None is the signed-in user. (templated)
    :raises ValueError: not exactly one event is given, or a value cannot be the id that the argument takes.
    """

    meeting_id = TextArgument()
    webinar_id = TextArgument()
    organizer_id = TextArgument()

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
        _check_written_event({name: getattr(self, name) for name in EVENT_FIELDS})

    def event_ref(self) -> EventRef:
        """
        Return the event that the rendered arguments name.

        :raises PermanentFailure: not exactly one event is given, or a value cannot be the id that the argument takes.
        """
        try:
            return EventRef.read({name: getattr(self, name) for name in EVENT_FIELDS})
        except ValueError as error:
            raise PermanentFailure(str(error)) from None


def check_written_ids(**arguments: Any) -> None:
    """
    Refuse, when the DAG is parsed, a value that cannot be the id that its argument takes.

    :param arguments: values by argument name. A template, or another task's result, is ignored until it is rendered.
    :raises ValueError: the sentence says what to give instead.
    """
    check_ids({name: value for name, value in arguments.items() if is_final(value)})


def check_rendered_ids(**arguments: Any) -> None:
    """
    Refuse, before the first request, a value that cannot be the id that its argument takes.

    :param arguments: values by argument name.
    :raises PermanentFailure: the sentence says what to give instead.
    """
    try:
        check_ids(arguments)
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


def _check_written_event(values: Mapping[str, Any]) -> None:
    """Check a DAG's arguments when it is parsed. A template may turn out to be empty, so it is checked later."""
    given = {kind.argument: values[kind.argument] for kind in KINDS if values[kind.argument] is not None}
    final = {name: value for name, value in given.items() if is_final(value)}
    if not given or len(final) > 1:
        # This raises, and says why.
        EventRef.read(final)
    if any(kind.takes_organizer for kind in KINDS if kind.argument in given):
        final[ORGANIZER] = values[ORGANIZER]
    check_written_ids(**final)
