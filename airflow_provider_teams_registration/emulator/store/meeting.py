"""An online meeting, and a person's registration for it."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from urllib.parse import quote

from airflow_provider_teams_registration.emulator.store.seeded import TENANT_ID


@dataclass(frozen=True)
class RegistrantRecord:
    """
    One enrollment in a meeting, as the service stores it.

    :param id: the id that the caller sent.
    :param tenant_id: the person's tenant, or None.
    :param user_id: the person's Entra object id, or None.
    :param join_web_url: the newest join link of this enrollment.
    :param enrolled_at: monotonic seconds.
    :param cancelled: whether the person was taken off again.
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
    :param subject: the meeting's title.
    :param allowed_registrant: ``everyone`` or ``organization``; None while the registration is not open.
    :param registration_id: id of the registration; None while it is not open.
    :param event_id: id of the meeting's event in the organizer's calendar; None if it is in no calendar.
    :param start: when it begins, in UTC.
    :param end: when it ends, in UTC.
    """

    id: str
    organizer_id: str
    subject: str
    allowed_registrant: str | None = None
    registration_id: str | None = None
    event_id: str | None = None
    start: str = "2027-03-01T09:00:00Z"
    end: str = "2027-03-01T10:00:00Z"

    @property
    def join_web_url(self) -> str:
        """The organizer's own join link."""
        return self._link("{}")

    @property
    def join_meeting_id(self) -> str:
        """The number that people type in to join."""
        return str(2 * 10**11 + int(hashlib.sha256(self.id.encode()).hexdigest(), 16) % 10**11)

    def new_link(self, registrant_id: str) -> str:
        """Return a join link for one person. It differs from every link that was made before."""
        context = {
            "Tid": TENANT_ID,
            "Oid": self.organizer_id,
            "prid": registrant_id,
            "isPublic": self.allowed_registrant == "everyone",
            "emulator": secrets.token_hex(8),
        }
        return self._link(json.dumps(context, separators=(",", ":")))

    def _link(self, context: str) -> str:
        thread = quote(f"19:meeting_{hashlib.sha256(self.id.encode()).hexdigest()[:20]}@thread.v2", safe="")
        return f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={quote(context, safe='')}"
