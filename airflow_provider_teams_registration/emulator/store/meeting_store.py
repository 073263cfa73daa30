"""
The meetings, the people on them, and the journal of all requests.

Tests compare what a client reports with this store.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airflow_provider_teams_registration.emulator.behaviour.delayed_writes import DelayedWrites
from airflow_provider_teams_registration.emulator.store.device_code import DeviceCode
from airflow_provider_teams_registration.emulator.store.journal import JournalEntry
from airflow_provider_teams_registration.emulator.store.meeting import Meeting, RegistrantRecord
from airflow_provider_teams_registration.emulator.store.seeded import (
    CLOSED_EVENT_ID,
    CLOSED_MEETING_ID,
    EVENT_ID,
    MEETING_ID,
    ORGANIZATION_EVENT_ID,
    ORGANIZATION_MEETING_ID,
    ORGANIZER_ID,
    REFRESH_TOKEN,
)
from airflow_provider_teams_registration.emulator.store.seeded_webinars import SEEDED_WEBINARS
from airflow_provider_teams_registration.emulator.store.teams_apps import TeamsAppStore
from airflow_provider_teams_registration.emulator.store.webinar_store import WebinarStore


class MeetingStore:
    """
    Meetings, registrants and the journal. Code that changes several things at once holds :attr:`lock`.

    :ivar journal: requests that reached Graph with a valid token.
    :ivar sign_ins: requests to Entra, and requests that Graph refused because of their token.
    :ivar delayed_writes: writes that were answered and have not taken effect yet.
    :ivar webinars: the webinars and their registrations.
    :ivar teams_apps: the Teams apps of the organization, and the chats that have them.
    :ivar refresh_tokens: the refresh tokens that are valid.
    :ivar signing_key: the key that signs tokens. A token with another signature is refused.
    :ivar device_codes: sign-ins on another device that are not finished, by device code.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.delayed_writes = DelayedWrites(self.lock)
        self.webinars = WebinarStore(self.lock)
        self.teams_apps = TeamsAppStore(self.lock)
        self.signing_key = secrets.token_hex(32)
        self.reset()

    def reset(self) -> None:
        """Restore the seeded meetings and webinars, with nobody on them and an empty journal."""
        with self.lock:
            self.delayed_writes.discard()
            self.webinars.reset(SEEDED_WEBINARS)
            self.teams_apps.reset()
            self.journal: list[JournalEntry] = []
            self.sign_ins: list[JournalEntry] = []
            self._meetings: dict[str, Meeting] = {}
            self._registrants: dict[str, dict[str, list[RegistrantRecord]]] = {}
            self.refresh_tokens = {REFRESH_TOKEN}
            self.device_codes: dict[str, DeviceCode] = {}
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
        """
        Add a meeting of the seeded organizer.

        :param subject: the meeting's title.
        :param meeting_id: its id; None makes a new one.
        :param allowed_registrant: ``everyone`` or ``organization`` opens its registration at once; None does not.
        :param event_id: id of its event in the organizer's calendar; None puts it in no calendar.
        """
        with self.lock:
            meeting_id = meeting_id or f"MSp{secrets.token_urlsafe(32)}"
            meeting = Meeting(meeting_id, ORGANIZER_ID, subject, event_id=event_id)
            self._meetings[meeting.id] = meeting
            self._registrants[meeting.id] = {}
            return self.open(meeting.id, allowed_registrant) if allowed_registrant else meeting

    def meetings(self) -> list[Meeting]:
        """Return all meetings, the oldest first."""
        return list(self._meetings.values())

    def meeting(self, meeting_id: str) -> Meeting | None:
        """Return a meeting; None if there is no such meeting."""
        return self._meetings.get(meeting_id)

    def meeting_of_event(self, event_id: str) -> Meeting | None:
        """Return the meeting of a calendar event; None if there is no such event."""
        return next((meeting for meeting in self.meetings() if meeting.event_id == event_id), None)

    def open(self, meeting_id: str, allowed_registrant: str) -> Meeting:
        """Open a meeting's registration to ``everyone`` or the ``organization``."""
        with self.lock:
            opened = replace(
                self._meetings[meeting_id],
                allowed_registrant=allowed_registrant,
                registration_id=secrets.token_hex(16),
            )
            self._meetings[meeting_id] = opened
            return opened

    def close(self, meeting_id: str) -> None:
        """Close a meeting's registration, and take everybody off the meeting."""
        with self.lock:
            self._meetings[meeting_id] = replace(
                self._meetings[meeting_id], allowed_registrant=None, registration_id=None
            )
            for registrant in self.enrolled(meeting_id):
                self.cancel(meeting_id, registrant.id)

    def registrants(self, meeting_id: str) -> list[RegistrantRecord]:
        """Return every record of a meeting in the order of enrollment, including people who were taken off."""
        with self.lock:
            records = [record for same_id in self._registrants[meeting_id].values() for record in same_id]
        return sorted(records, key=lambda record: record.enrolled_at)

    def enrolled(self, meeting_id: str) -> list[RegistrantRecord]:
        """Return the records of the people who are on a meeting."""
        return [record for record in self.registrants(meeting_id) if not record.cancelled]

    def find(self, meeting_id: str, registrant_id: str) -> RegistrantRecord | None:
        """Return the newest record of a person who is on a meeting; None if they are not on it."""
        same_id = self._registrants[meeting_id].get(registrant_id, [])
        return next((record for record in reversed(same_id) if not record.cancelled), None)

    def enroll(
        self,
        meeting: Meeting,
        registrant_id: str,
        tenant_id: str | None = None,
        user_id: str | None = None,
        *,
        enrolled_at: float | None = None,
    ) -> RegistrantRecord:
        """
        Add a record, even if the person has one already.

        :param meeting: the meeting.
        :param registrant_id: the id that the caller sent.
        :param tenant_id: the person's tenant, or None.
        :param user_id: the person's Entra object id, or None.
        :param enrolled_at: monotonic seconds; now by default.
        """
        enrolled_at = time.monotonic() if enrolled_at is None else enrolled_at
        link = meeting.new_link(registrant_id)
        record = RegistrantRecord(registrant_id, tenant_id, user_id, link, enrolled_at)
        with self.lock:
            self._registrants[meeting.id].setdefault(registrant_id, []).append(record)
        return record

    def give_new_link(self, meeting: Meeting, record: RegistrantRecord) -> RegistrantRecord:
        """Replace the join link of a record, and return the new record."""
        renewed = replace(record, join_web_url=meeting.new_link(record.id))
        self._replace(meeting.id, record, renewed)
        return renewed

    def cancel(self, meeting_id: str, registrant_id: str) -> bool:
        """Take a person off a meeting; return False if they are not on it."""
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
        """Add a delayed effect to its line of the journal. If the line was cleared, nothing happens."""
        with self.lock:
            self.journal[:] = [replace(each, effect=effect) if each is entry else each for each in self.journal]

    def write_sign_in(self, entry: Mapping[str, Any]) -> None:
        """Add a line to :attr:`sign_ins`."""
        with self.lock:
            self.sign_ins.append(JournalEntry(number=len(self.sign_ins) + 1, **entry))

    def _replace(self, meeting_id: str, old: RegistrantRecord, new: RegistrantRecord) -> None:
        with self.lock:
            same_id = self._registrants[meeting_id][old.id]
            same_id[next(place for place, record in enumerate(same_id) if record is old)] = new
