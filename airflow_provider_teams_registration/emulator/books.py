"""The emulator's books: who is really enrolled, and every request that was made. Tests take them as the judge."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from airflow_provider_teams_registration.emulator.journal import JournalEntry
from airflow_provider_teams_registration.emulator.late_writes import LateWrites
from airflow_provider_teams_registration.emulator.seeded import (
    CLOSED_EVENT_ID,
    CLOSED_MEETING_ID,
    EVENT_ID,
    MEETING_ID,
    ORGANIZATION_EVENT_ID,
    ORGANIZATION_MEETING_ID,
    ORGANIZER_ID,
    REFRESH_TOKEN,
    TENANT_ID,
)
from airflow_provider_teams_registration.emulator.seeded_webinars import SEEDED_WEBINARS
from airflow_provider_teams_registration.emulator.webinar_books import WebinarBooks


@dataclass(frozen=True)
class RegistrantRecord:
    """
    One enrollment as the service knows it.

    :param id: the caller's own id.
    :param tenant_id: the person's tenant, or None.
    :param user_id: the person's Entra object id, or None.
    :param join_web_url: the link that was handed out last.
    :param enrolled_at: monotonic seconds.
    :param cancelled: whether they were taken off again.
    """

    id: str
    tenant_id: str | None
    user_id: str | None
    join_web_url: str
    enrolled_at: float
    cancelled: bool = False


@dataclass(frozen=True)
class Meeting:
    """
    One online meeting.

    :param id: the meeting's id.
    :param organizer_id: object id of the organizer.
    :param subject: what it is about.
    :param allowed_registrant: who may register; None while the registration is not open.
    :param registration_id: id of the registration; None while it is not open.
    :param event_id: id of its event in the organizer's calendar; None where it is in no calendar.
    """

    id: str
    organizer_id: str
    subject: str
    allowed_registrant: str | None = None
    registration_id: str | None = None
    event_id: str | None = None

    @property
    def thread(self) -> str:
        """The chat thread that the links name."""
        return quote(f"19:meeting_{hashlib.sha256(self.id.encode()).hexdigest()[:20]}@thread.v2", safe="")

    @property
    def join_web_url(self) -> str:
        """The organizer's own link."""
        return f"https://teams.microsoft.com/l/meetup-join/{self.thread}/0?context={quote('{}')}"

    @property
    def join_meeting_id(self) -> str:
        """The number that people type in to join."""
        return str(2 * 10**11 + int(hashlib.sha256(self.id.encode()).hexdigest(), 16) % 10**11)


class Books:
    """
    Meetings, registrants and the journal. Whoever changes several things at once holds :attr:`lock`.

    :ivar journal: what reached Graph with a good token.
    :ivar sign_ins: what reached Entra, and what Graph turned away for its token.
    :ivar late_writes: writes that were answered and have not taken effect yet.
    :ivar webinars: the other kind of event.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.late_writes = LateWrites(self.lock)
        self.webinars = WebinarBooks(self.lock)
        self.reset()

    def reset(self) -> None:
        """Go back to the seeded meetings and webinars, with nobody on them and an empty journal."""
        with self.lock:
            self.late_writes.discard()
            self.webinars.reset(SEEDED_WEBINARS)
            self.journal: list[JournalEntry] = []
            self.sign_ins: list[JournalEntry] = []
            self._meetings: dict[str, Meeting] = {}
            self._registrants: dict[str, dict[str, list[RegistrantRecord]]] = {}
            self.refresh_tokens = {REFRESH_TOKEN}
            self.device_codes: dict[str, int] = {}
            self.add_meeting("Open to everyone", MEETING_ID, "everyone", EVENT_ID)
            self.add_meeting("Open to the organization", ORGANIZATION_MEETING_ID, "organization", ORGANIZATION_EVENT_ID)
            self.add_meeting("Not open yet", CLOSED_MEETING_ID, event_id=CLOSED_EVENT_ID)

    def add_meeting(
        self,
        subject: str,
        meeting_id: str | None = None,
        allowed_registrant: str | None = None,
        event_id: str | None = None,
    ) -> Meeting:
        """Make a meeting of the seeded organizer; open it at once where an audience is named."""
        with self.lock:
            meeting_id = meeting_id or f"MSp{secrets.token_urlsafe(32)}"
            meeting = Meeting(meeting_id, ORGANIZER_ID, subject, event_id=event_id)
            self._meetings[meeting.id] = meeting
            self._registrants[meeting.id] = {}
            return self.open(meeting.id, allowed_registrant) if allowed_registrant else meeting

    def meetings(self) -> list[Meeting]:
        """All meetings, the oldest first."""
        return list(self._meetings.values())

    def meeting(self, meeting_id: str) -> Meeting | None:
        """One meeting."""
        return self._meetings.get(meeting_id)

    def meeting_of_event(self, event_id: str) -> Meeting | None:
        """The meeting of a calendar event."""
        return next((meeting for meeting in self.meetings() if meeting.event_id == event_id), None)

    def open(self, meeting_id: str, allowed_registrant: str) -> Meeting:
        """Open a meeting for registrants."""
        with self.lock:
            opened = replace(
                self._meetings[meeting_id],
                allowed_registrant=allowed_registrant,
                registration_id=secrets.token_hex(16),
            )
            self._meetings[meeting_id] = opened
            return opened

    def close(self, meeting_id: str) -> None:
        """Close a meeting; everybody on it is taken off."""
        with self.lock:
            self._meetings[meeting_id] = replace(
                self._meetings[meeting_id], allowed_registrant=None, registration_id=None
            )
            for registrant in self.enrolled(meeting_id):
                self.cancel(meeting_id, registrant.id)

    def registrants(self, meeting_id: str) -> list[RegistrantRecord]:
        """Every record of a meeting, those taken off included, in the order of enrollment."""
        with self.lock:
            records = [record for same_id in self._registrants[meeting_id].values() for record in same_id]
        return sorted(records, key=lambda record: record.enrolled_at)

    def enrolled(self, meeting_id: str) -> list[RegistrantRecord]:
        """The records of those who are on a meeting."""
        return [record for record in self.registrants(meeting_id) if not record.cancelled]

    def find(self, meeting_id: str, registrant_id: str) -> RegistrantRecord | None:
        """The record of one person who is on a meeting."""
        same_id = self._registrants[meeting_id].get(registrant_id, [])
        return next((record for record in reversed(same_id) if not record.cancelled), None)

    def enroll(
        self, meeting: Meeting, registrant_id: str, tenant_id: str | None = None, user_id: str | None = None
    ) -> RegistrantRecord:
        """Add a record, whether or not there is one already."""
        record = RegistrantRecord(
            registrant_id, tenant_id, user_id, _join_web_url(meeting, registrant_id), time.monotonic()
        )
        with self.lock:
            self._registrants[meeting.id].setdefault(registrant_id, []).append(record)
        return record

    def give_new_link(self, meeting: Meeting, record: RegistrantRecord) -> RegistrantRecord:
        """Replace a record's link."""
        renewed = replace(record, join_web_url=_join_web_url(meeting, record.id))
        self._replace(meeting.id, record, renewed)
        return renewed

    def cancel(self, meeting_id: str, registrant_id: str) -> bool:
        """Take one person off; False where they are not on the meeting."""
        with self.lock:
            record = self.find(meeting_id, registrant_id)
            if record is not None:
                self._replace(meeting_id, record, replace(record, cancelled=True))
            return record is not None

    def write(self, entry: Mapping[str, Any]) -> JournalEntry:
        """Add a line to the journal, and return it."""
        with self.lock:
            self.journal.append(JournalEntry(number=len(self.journal) + 1, **entry))
            return self.journal[-1]

    def write_effect(self, entry: JournalEntry, effect: str | None) -> None:
        """Complete a line of the journal with an effect that came late; a journal that was cleared stays clear."""
        with self.lock:
            self.journal[:] = [replace(each, effect=effect) if each is entry else each for each in self.journal]

    def write_sign_in(self, entry: Mapping[str, Any]) -> None:
        """Add a line to the sign-ins."""
        with self.lock:
            self.sign_ins.append(JournalEntry(number=len(self.sign_ins) + 1, **entry))

    def _replace(self, meeting_id: str, old: RegistrantRecord, new: RegistrantRecord) -> None:
        with self.lock:
            same_id = self._registrants[meeting_id][old.id]
            same_id[next(place for place, record in enumerate(same_id) if record is old)] = new


def _join_web_url(meeting: Meeting, registrant_id: str) -> str:
    context = json.dumps(
        {
            "Tid": TENANT_ID,
            "Oid": meeting.organizer_id,
            "prid": registrant_id,
            "isPublic": meeting.allowed_registrant == "everyone",
            # Tells the link of a second enrollment from that of the first.
            "emulator": secrets.token_hex(8),
        },
        separators=(",", ":"),
    )
    return f"https://teams.microsoft.com/l/meetup-join/{meeting.thread}/0?context={quote(context, safe='')}"
