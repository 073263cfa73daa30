"""What a path below ``/solutions/virtualEvents/webinars`` names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_teams_registration.emulator.odata import read_call

_ABOVE = ["solutions", "virtualevents", "webinars"]


@dataclass(frozen=True)
class WebinarPath:
    """
    A path to a webinar, or to something of it.

    :param webinar_id: the webinar's id.
    :param below: the segments below it, with ``*`` for an id or a key: ``("registrations", "*", "cancel")``.
    :param key_name: what the ``*`` goes by: ``id``, ``email``, ``userid``; empty where there is none.
    :param key: the value of it.
    """

    webinar_id: str
    below: tuple[str, ...] = ()
    key_name: str = ""
    key: str = ""


def is_virtual_event(segments: Sequence[str]) -> bool:
    """Whether a path leads to virtual events."""
    return [segment.lower() for segment in segments[:2]] == _ABOVE[:2]


def below_webinars(segments: Sequence[str]) -> list[str] | None:
    """Return the segments below ``webinars``; None where the path leads elsewhere."""
    return list(segments[3:]) if [segment.lower() for segment in segments[:3]] == _ABOVE else None


def read_webinar_path(segments: Sequence[str]) -> WebinarPath | None:
    """
    Read a path.

    :param segments: all of the path's segments, decoded.
    :return: None where the path names no webinar.
    """
    path = below_webinars(segments)
    if not path:
        return None
    webinar_id, *below = path
    if not below:
        return WebinarPath(webinar_id)
    name, arguments = read_call(below[0])
    if name == "registrations" and len(arguments) == 1:
        ((key_name, key),) = arguments.items()
        return WebinarPath(webinar_id, (name, "*", *below[1:]), key_name.lower(), key)
    if below[0] in ("registrations", "sessions") and len(below) > 1:
        return WebinarPath(webinar_id, (below[0], "*", *below[2:]), "id", below[1])
    return WebinarPath(webinar_id, tuple(below))
