"""What an online meeting is, as Graph words it (beta)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_provider_teams_registration.core.event_facts import EventFacts, read_event_facts
from airflow_provider_teams_registration.graph.moments import moment_or_none
from airflow_provider_teams_registration.graph.shapes import an_object, link_or_none, text


@dataclass(frozen=True)
class MeetingInfo:
    """
    What an online meeting is.

    :param join_web_url: the meeting's own link, for its organizer. A credential.
    :param subject: what it is about, where it is said.
    :param start: when it begins, where it is said.
    :param end: when it ends, where it is said.
    :param organizer_email: the organizer's user principal name, where it is said.
    :param organizer_name: the organizer's name, where it is said.
    """

    join_web_url: str | None = field(repr=False)
    subject: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    organizer_email: str | None = None
    organizer_name: str | None = None

    def facts(self, meeting_id: str) -> EventFacts:
        """
        Return what a mail or a log may name of the meeting.

        :param meeting_id: its id, as the caller spells it.
        """
        is_possible = self.start is not None and self.end is not None and self.start < self.end
        return read_event_facts(
            {
                "meeting_id": meeting_id,
                "title": self.subject,
                "start": self.start if is_possible or self.end is None else None,
                "end": self.end if is_possible else None,
                "organizer_name": self.organizer_name,
                "organizer_email": self.organizer_email,
            }
        )


def read_meeting(body: Any) -> MeetingInfo:
    """
    Read a meeting's body. What only mails name keeps nobody from being enrolled, whatever stands there.

    Service page: https://learn.microsoft.com/graph/api/onlinemeeting-get

    :raises Unreadable: it is none.
    """
    meeting = an_object(body)
    text(meeting, "id")
    organizer = _object(_object(meeting, "participants"), "organizer")
    user = _object(_object(organizer, "identity"), "user")
    upn = _text(organizer, "upn")
    return MeetingInfo(
        join_web_url=link_or_none(meeting, "joinWebUrl"),
        subject=_text(meeting, "subject"),
        start=moment_or_none(meeting.get("startDateTime")),
        end=moment_or_none(meeting.get("endDateTime")),
        organizer_email=upn if upn and upn.count("@") == 1 else None,
        organizer_name=_text(user, "displayName"),
    )


def meeting_number(item: Mapping[str, Any]) -> str | None:
    """
    Return the number that people type in to join.

    :param item: an online meeting, or a session of a webinar.
    :return: the number; None if Graph shows none.
    """
    return _text(_object(item, "joinMeetingIdSettings"), "joinMeetingId")


def _object(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = item.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) else None
