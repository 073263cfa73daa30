"""Which event is to be checked, as the user named it."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_teams_registration.doctor.finding import Finding, missing
from airflow_provider_teams_registration.events.id_checks import is_link_to
from airflow_provider_teams_registration.events.kinds import MEETING, WEBINAR
from airflow_provider_teams_registration.graph.arguments import LINKS, looks_like

_WAYS = ("webinar_id", "meeting_id", "join_web_url", "join_meeting_id", "event_id", "webinar_name")
_NO_ID = (*LINKS, "a number", "an e-mail address", "empty", "the word for no value")


@dataclass(frozen=True)
class EventQuery:
    """
    An event, by what people know of it: one of its names at most.

    :param webinar_id: the webinar's ``id`` in Graph, or a link to it, which is a credential.
    :param meeting_id: or the online meeting's.
    :param join_web_url: or a meeting's own link, which is a credential.
    :param join_meeting_id: or the number that people type in to join a meeting.
    :param event_id: or the ``id`` of the event in the organizer's calendar.
    :param webinar_name: or a webinar's name.
    :param organizer_id: object id of the organizer; None is the signed-in user.
    :raises ValueError: the event is named in two ways.
    """

    webinar_id: str | None = field(default=None, repr=False)
    meeting_id: str | None = field(default=None, repr=False)
    join_web_url: str | None = field(default=None, repr=False)
    join_meeting_id: str | None = None
    event_id: str | None = None
    webinar_name: str | None = field(default=None, repr=False)
    organizer_id: str | None = None

    def __post_init__(self) -> None:
        if len(self._ways()) > 1:
            raise ValueError(f"Name the event in one way, not by {' and '.join(self._ways())}.")

    @property
    def is_named(self) -> bool:
        """Whether there is an event to check."""
        return bool(self._ways())

    @property
    def is_of_webinar(self) -> bool:
        """Whether it names a webinar."""
        return self.webinar_id is not None or self.webinar_name is not None

    def _ways(self) -> list[str]:
        return [way for way in _WAYS if getattr(self, way) is not None]


def refuse_other_kind(query: EventQuery) -> Finding | None:
    """
    Return what is wrong with a value of another kind than the one that is wanted, before anything is sent.

    :param query: the event.
    """
    for name, value, takes in (("webinar_id", query.webinar_id, WEBINAR), ("meeting_id", query.meeting_id, MEETING)):
        kind = looks_like(value) if value is not None else "an id"
        if kind in _NO_ID and not is_link_to(takes, value):
            return missing(
                "event",
                f"{name} takes the event's id in Graph or a join URL; the value looks like {kind}.",
                "Name a meeting by join_web_url (--join-url) or join_meeting_id (--meeting-number), and a webinar by "
                "webinar_name (--name); FindEventOperator finds the id by them.",
            )
    kind = looks_like(query.organizer_id) if query.organizer_id is not None else "a GUID"
    if kind != "a GUID":
        return missing(
            "organizer",
            f"organizer_id takes the organizer's object id, which is a GUID; the value looks like {kind}.",
            '(Get-MgUser -UserId "<what the organizer signs in with>").Id shows the object id.',
        )
    return None
