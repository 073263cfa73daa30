"""One person's registration for a webinar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

REGISTERED, WAITLISTED, PENDING_APPROVAL = "registered", "waitlisted", "pendingApproval"
REJECTED, CANCELED = "rejectedByOrganizer", "canceled"


@dataclass(frozen=True)
class Registration:
    """
    One registration, as the service stores it.

    :param id: the id that the service gave it.
    :param email: the person's address. It identifies the person; upper and lower case are the same.
    :param first_name: the person's first name.
    :param last_name: the person's last name.
    :param user_id: Entra object id; None for a person from outside the tenant.
    :param status: ``registered``, ``waitlisted``, ``pendingApproval``, ``rejectedByOrganizer``, ``canceled``, or the
        value of the switch ``new_registration_status``.
    :param join_web_url: the person's own join link; None until they are registered.
    :param preferred_timezone: as it was sent.
    :param preferred_language: as it was sent.
    :param answers: answers as they were sent.
    :param referrer: ``externalRegistrationInformation.referrer`` as it was sent.
    :param external_registration_id: ``externalRegistrationInformation.registrationId`` as it was sent.
    :param registered_at: monotonic seconds.
    :param registered_on: UTC, without a time zone.
    :param canceled_on: UTC, without a time zone; None while the registration is not cancelled.
    """

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    user_id: str | None = None
    status: str = REGISTERED
    join_web_url: str | None = None
    preferred_timezone: str | None = None
    preferred_language: str | None = None
    answers: tuple[Mapping[str, Any], ...] = ()
    referrer: str | None = None
    external_registration_id: str | None = None
    registered_at: float = 0.0
    registered_on: str = ""
    canceled_on: str | None = None

    @property
    def is_canceled(self) -> bool:
        """Whether the registration is cancelled."""
        return self.status == CANCELED

    def is_known_as(self, name: str, value: str) -> bool:
        """Whether this registration has that ``id``, ``email`` or ``userid``."""
        if name == "email":
            return self.email.lower() == value.lower()
        return value == (self.id if name == "id" else self.user_id)


def look_up(registrations: Iterable[Registration], name: str, value: str) -> Registration | None:
    """
    Find a person's registration.

    :param registrations: the registrations to search, the oldest first.
    :param name: the property to compare: ``id``, ``email`` or ``userid``.
    :param value: its value.
    :return: the newest one that is not cancelled; if all are cancelled, the newest one; None if there is none.
    """
    found = [one for one in registrations if one.is_known_as(name, value)]
    return next((one for one in reversed(found) if not one.is_canceled), found[-1] if found else None)
