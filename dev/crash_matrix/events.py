"""The two kinds of event as the proof sees them: how to name one, what a row looks like, and who is really on it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from airflow_provider_teams_registration.emulator.server import Emulator

_LONG_AGO = 3600.0


class EmulatedEvent(Protocol):
    """One event of the emulator."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What the operator is told of it."""

    def row(self, person: str) -> dict[str, str]:
        """Return a person's row; an empty name makes one that is nobody."""

    def enroll_by_others(self, person: str) -> None:
        """Let somebody else have enrolled a person, so long ago that everybody can see it."""

    def take_off(self, person: str) -> None:
        """Take a person off whom others enrolled."""

    def list_reads(self) -> int:
        """Return how many pages of the list of registrants were read."""

    def links(self) -> list[tuple[str, str | None]]:
        """Return who is on the event, as often as they are, and their links."""

    def person_in(self, link: str) -> str:
        """Return whom a link was made for."""


class EmulatedMeeting:
    """The meeting that is open to everyone."""

    def __init__(self, emulator: Emulator) -> None:
        self._store = emulator.store
        self._meeting_id = emulator.meeting_id
        self.arguments = {"meeting_id": emulator.meeting_id, "organizer_id": emulator.organizer_id}

    def row(self, person: str) -> dict[str, str]:
        """Return an id."""
        return {"id": person}

    def enroll_by_others(self, person: str) -> None:
        """Write into the emulator's store."""
        meeting = self._store.meeting(self._meeting_id)
        assert meeting is not None
        if self._store.find(meeting.id, person) is None:
            self._store.enroll(meeting, person, enrolled_at=time.monotonic() - _LONG_AGO)

    def take_off(self, person: str) -> None:
        """Write into the emulator's store."""
        self._store.cancel(self._meeting_id, person)

    def list_reads(self) -> int:
        """Read the emulator's journal."""
        return sum(one.method == "GET" and one.path.endswith("/registrants") for one in list(self._store.journal))

    def links(self) -> list[tuple[str, str | None]]:
        """Look into the emulator's store."""
        return [(record.id, record.join_web_url) for record in self._store.enrolled(self._meeting_id)]

    def person_in(self, link: str) -> str:
        """The link holds the id that was sent."""
        return _context(link)["prid"]


class EmulatedWebinar:
    """The webinar that is published and has room for everybody."""

    def __init__(self, emulator: Emulator) -> None:
        self._store = emulator.store.webinars
        self._journal = emulator.store
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
        """Write into the emulator's store."""
        email = self.row(person)["email"]
        if self._store.find(self._webinar_id, email) is None:
            self._store.register(self._webinar_id, email, registered_at=time.monotonic() - _LONG_AGO)

    def take_off(self, person: str) -> None:
        """Write into the emulator's store."""
        registration = self._store.find(self._webinar_id, self.row(person)["email"])
        if registration is not None:
            self._store.cancel(self._webinar_id, registration.id)

    def list_reads(self) -> int:
        """Read the emulator's journal."""
        entries = list(self._journal.journal)
        return sum(one.method == "GET" and one.path.endswith("/registrations") for one in entries)

    def links(self) -> list[tuple[str, str | None]]:
        """Look into the emulator's store."""
        live = [one for one in self._store.registrations(self._webinar_id) if not one.is_canceled]
        return [(_name(one.email), one.join_web_url) for one in live]

    def person_in(self, link: str) -> str:
        """The link holds the registration's id."""
        one = self._store.registration(self._webinar_id, _context(link)["prid"])
        return _name(one.email) if one else "nobody"


KINDS: Mapping[str, type[EmulatedMeeting] | type[EmulatedWebinar]] = {
    "meeting": EmulatedMeeting,
    "webinar": EmulatedWebinar,
}


def _name(email: str) -> str:
    return email.partition("@")[0].replace(".", " ")


def _context(link: str) -> dict[str, str]:
    context: dict[str, str] = json.loads(parse_qs(urlsplit(link).query)["context"][0])
    return context
