"""The two kinds of event as the proof sees them: how to name one, what a row looks like, and who is really on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from airflow_provider_teams_registration.emulator.server import Emulator

_LONG_AGO = 3600.0


class EventOnStage(Protocol):
    """One event of the emulator."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What the operator is told of it."""

    def row(self, person: str) -> dict[str, str]:
        """Return a person's row; an empty name makes one that is nobody."""

    def enroll_by_others(self, person: str) -> None:
        """Let somebody else have enrolled a person, so long ago that everybody can see it."""

    def links(self) -> list[tuple[str, str | None]]:
        """Return who is on the event, as often as they are, and their links."""

    def person_in(self, link: str) -> str:
        """Return whom a link was made for."""


class MeetingOnStage:
    """The meeting that is open to everyone."""

    def __init__(self, emulator: Emulator) -> None:
        self._books = emulator.books
        self._meeting_id = emulator.meeting_id
        self.arguments = {"meeting_id": emulator.meeting_id, "organizer_id": emulator.organizer_id}

    def row(self, person: str) -> dict[str, str]:
        """Return an id."""
        return {"id": person}

    def enroll_by_others(self, person: str) -> None:
        """Write into the books."""
        meeting = self._books.meeting(self._meeting_id)
        assert meeting is not None
        if self._books.find(meeting.id, person) is None:
            record = self._books.enroll(meeting, person)
            self._books._replace(meeting.id, record, replace(record, enrolled_at=record.enrolled_at - _LONG_AGO))

    def links(self) -> list[tuple[str, str | None]]:
        """Look into the books."""
        return [(record.id, record.join_web_url) for record in self._books.enrolled(self._meeting_id)]

    def person_in(self, link: str) -> str:
        """The link holds the id that was sent."""
        return _context(link)["prid"]


class WebinarOnStage:
    """The webinar that is published and has room for everybody."""

    def __init__(self, emulator: Emulator) -> None:
        self._books = emulator.books.webinars
        self._webinar_id = emulator.webinar_id
        self.arguments = {"webinar_id": emulator.webinar_id}

    def row(self, person: str) -> dict[str, str]:
        """Return what the form needs."""
        return {
            "id": person,
            "email": f"{person.replace(' ', '.')}@example.org" if person else "",
            "first_name": "Ada",
            "last_name": "Example",
            "preferred_timezone": "Europe/Rome",
            "preferred_language": "en-us",
        }

    def enroll_by_others(self, person: str) -> None:
        """Write into the books."""
        email = self.row(person)["email"]
        if self._books.find(self._webinar_id, email) is None:
            made = self._books.register(self._webinar_id, email)
            self._books._keep(self._webinar_id, replace(made, registered_at=made.registered_at - _LONG_AGO))

    def links(self) -> list[tuple[str, str | None]]:
        """Look into the books."""
        live = [one for one in self._books.registrations(self._webinar_id) if not one.is_canceled]
        return [(_name(one.email), one.join_web_url) for one in live]

    def person_in(self, link: str) -> str:
        """The link holds the registration's id."""
        one = self._books.registration(self._webinar_id, _context(link)["prid"])
        return _name(one.email) if one else "nobody"


KINDS: Mapping[str, type[MeetingOnStage] | type[WebinarOnStage]] = {
    "meeting": MeetingOnStage,
    "webinar": WebinarOnStage,
}


def _name(email: str) -> str:
    return email.partition("@")[0].replace(".", " ")


def _context(link: str) -> dict[str, str]:
    context: dict[str, str] = json.loads(parse_qs(urlsplit(link).query)["context"][0])
    return context
