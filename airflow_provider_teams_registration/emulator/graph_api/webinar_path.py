"""The paths below ``/solutions/virtualEvents/webinars``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_teams_registration.emulator.graph_api.odata import read_call

_ABOVE = ["solutions", "virtualevents", "webinars"]


@dataclass(frozen=True)
class WebinarPath:
    """
    A path to a webinar, or to a resource below it.

    :param webinar_id: the webinar's id.
    :param below: the segments below it in lower case, with ``*`` for an id or a key:
        ``("registrations", "*", "cancel")``.
    :param key_name: the kind of key that ``*`` stands for: ``id``, ``email``, ``userid``; empty if there is none.
    :param key: the value of the key.
    """

    webinar_id: str
    below: tuple[str, ...] = ()
    key_name: str = ""
    key: str = ""


def is_virtual_event(segments: Sequence[str]) -> bool:
    """Whether a path leads to virtual events."""
    return [segment.lower() for segment in segments[:2]] == _ABOVE[:2]


def below_webinars(segments: Sequence[str]) -> list[str] | None:
    """Return the segments below ``webinars``; None for any other path."""
    return list(segments[3:]) if [segment.lower() for segment in segments[:3]] == _ABOVE else None


def of_event(segments: Sequence[str]) -> list[str] | None:
    """
    Return the segments below ``events``. Generated libraries send the actions of every kind of event there.

    :param segments: all segments of the path, decoded.
    :return: the segments; None for any other path.
    """
    is_below = [segment.lower() for segment in segments[:3]] == [*_ABOVE[:2], "events"]
    return list(segments[3:]) if is_below else None


def read_webinar_path(segments: Sequence[str]) -> WebinarPath | None:
    """
    Read a path.

    :param segments: all segments of the path, decoded.
    :return: what the path names; None if it names no webinar.
    """
    path = below_webinars(segments)
    if not path:
        return None
    webinar_id, *below = path
    if not below:
        return WebinarPath(webinar_id)
    name, arguments = read_call(below[0])
    words = [segment.lower() for segment in below]
    if name.lower() == "registrations" and len(arguments) == 1:
        ((key_name, key),) = arguments.items()
        return WebinarPath(webinar_id, ("registrations", "*", *words[1:]), key_name, key)
    if words[0] in ("registrations", "sessions") and len(below) > 1:
        return WebinarPath(webinar_id, (words[0], "*", *words[2:]), "id", below[1])
    return WebinarPath(webinar_id, tuple(words))
