"""Refuse a value that cannot be the id that its argument takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_teams_registration.events.kinds import KINDS, NEVER_AN_ID, WEBINAR, EventKind
from airflow_provider_teams_registration.graph.arguments import looks_like
from airflow_provider_teams_registration.graph.event_link import read_event_link

ORGANIZER = "organizer_id"
"""Name of the argument that takes the organizer's object id."""

_NEVER_AN_ORGANIZER = (*NEVER_AN_ID, "a webinar's id", "an online meeting's id")


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
