"""The webinars and the registrations for them."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from airflow_provider_teams_registration.emulator.store.registration import (
    CANCELED,
    PENDING_APPROVAL,
    REGISTERED,
    REJECTED,
    WAITLISTED,
    Registration,
    look_up,
)
from airflow_provider_teams_registration.emulator.store.seeded import TENANT_ID
from airflow_provider_teams_registration.emulator.store.webinar import CANCELED as CALLED_OFF
from airflow_provider_teams_registration.emulator.store.webinar import PUBLISHED, Webinar


class EventFull(Exception):
    """The webinar has no seat left and no waitlist."""


class WrongStatus(ValueError):
    """The status of the webinar or the registration does not allow this action."""


class WebinarStore:
    """
    Webinars and their registrations.

    :param lock: the lock of the whole store; code that changes several things at once holds it.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self.reset(())

    def reset(self, webinars: Iterable[Webinar]) -> None:
        """Drop everything, and start with these webinars and nobody registered."""
        with self._lock:
            self._webinars = {webinar.id: webinar for webinar in webinars}
            self._registrations: dict[str, dict[str, Registration]] = {one: {} for one in self._webinars}

    def add(self, display_name: str, webinar_id: str | None = None, **properties: Any) -> Webinar:
        """Add a webinar; the properties are the fields of :class:`.Webinar`."""
        webinar = Webinar(webinar_id or f"{uuid.uuid4()}@{TENANT_ID}", display_name, **properties)
        with self._lock:
            self._webinars[webinar.id] = webinar
            self._registrations[webinar.id] = {}
        return webinar

    def all(self) -> list[Webinar]:
        """Return all webinars, the oldest first."""
        return list(self._webinars.values())

    def webinar(self, webinar_id: str) -> Webinar | None:
        """Return a webinar; None if there is no such webinar."""
        return self._webinars.get(webinar_id)

    def change(self, webinar_id: str, **properties: Any) -> Webinar:
        """Change properties of a webinar, such as ``capacity``."""
        with self._lock:
            self._webinars[webinar_id] = replace(self._webinars[webinar_id], **properties)
            return self._webinars[webinar_id]

    def publish(self, webinar_id: str) -> Webinar:
        """
        Publish a draft.

        :raises WrongStatus: the webinar was cancelled, which is final.
        """
        if self._webinars[webinar_id].status == CALLED_OFF:
            raise WrongStatus("A canceled webinar cannot be published.")
        return self.change(webinar_id, status=PUBLISHED)

    def call_off(self, webinar_id: str) -> Webinar:
        """Cancel a webinar. Its registrations do not change."""
        return self.change(webinar_id, status=CALLED_OFF)

    def registrations(self, webinar_id: str) -> list[Registration]:
        """Return every registration of a webinar, the oldest first, including cancelled ones."""
        return list(self._registrations[webinar_id].values())

    def registered(self, webinar_id: str) -> list[Registration]:
        """Return the registrations of the people who have a seat."""
        return [one for one in self.registrations(webinar_id) if one.status == REGISTERED]

    def registration(self, webinar_id: str, registration_id: str) -> Registration | None:
        """Return a registration by its id; None if there is none."""
        return self._registrations[webinar_id].get(registration_id)

    def find(self, webinar_id: str, email: str) -> Registration | None:
        """Return the newest registration of a person that is not cancelled; None if there is none."""
        live = [one for one in self.registrations(webinar_id) if not one.is_canceled]
        return look_up(live, "email", email)

    def register(self, webinar_id: str, email: str, status: str = "", **properties: Any) -> Registration:
        """
        Add a registration, even if the person has one already.

        :param webinar_id: the webinar.
        :param email: the person's address.
        :param status: status to give; if empty, capacity and approval decide.
        :param properties: further fields of :class:`.Registration`; ``registered_at`` is now by default.
        :raises EventFull: the webinar has no seat left and no waitlist.
        """
        properties = {"registered_at": time.monotonic(), **properties}
        with self._lock:
            made = Registration(
                id=str(uuid.uuid4()),
                email=email,
                status=status or self._next_status(webinar_id),
                registered_on=_now(),
                **properties,
            )
            return self._keep(webinar_id, made)

    def give_new_link(self, webinar_id: str, registration_id: str) -> Registration:
        """Replace a person's join link."""
        with self._lock:
            return self._keep(webinar_id, replace(self._registrations[webinar_id][registration_id], join_web_url=None))

    def cancel(self, webinar_id: str, registration_id: str) -> bool:
        """Cancel a registration; return False if it is cancelled already."""
        with self._lock:
            one = self._registrations[webinar_id][registration_id]
            if not one.is_canceled:
                self._keep(webinar_id, replace(one, status=CANCELED, canceled_on=_now()))
            return not one.is_canceled

    def approve(self, webinar_id: str, registration_id: str) -> Registration:
        """
        Give a seat to a person who waits for approval. The organizer may exceed the capacity.

        :raises WrongStatus: the person does not wait for approval.
        """
        return self._move(webinar_id, registration_id, PENDING_APPROVAL, REGISTERED)

    def reject(self, webinar_id: str, registration_id: str) -> Registration:
        """
        Reject a person who waits for approval.

        :raises WrongStatus: the person does not wait for approval.
        """
        return self._move(webinar_id, registration_id, PENDING_APPROVAL, REJECTED)

    def promote(self, webinar_id: str, registration_id: str) -> Registration:
        """
        Give a seat to a person on the waitlist. The organizer may exceed the capacity.

        :raises WrongStatus: the person is not on the waitlist.
        """
        return self._move(webinar_id, registration_id, WAITLISTED, REGISTERED)

    def _move(self, webinar_id: str, registration_id: str, before: str, after: str) -> Registration:
        with self._lock:
            one = self._registrations[webinar_id][registration_id]
            if one.status != before:
                raise WrongStatus(f"The registration is {one.status}; it must be {before}.")
            return self._keep(webinar_id, replace(one, status=after))

    def _next_status(self, webinar_id: str) -> str:
        webinar = self._webinars[webinar_id]
        if webinar.capacity is not None and len(self.registered(webinar_id)) >= webinar.capacity:
            if not webinar.is_waitlist_enabled:
                raise EventFull(f"The event has reached its capacity of {webinar.capacity}.")
            return WAITLISTED
        return PENDING_APPROVAL if webinar.is_manual_approval_enabled else REGISTERED

    def _keep(self, webinar_id: str, one: Registration) -> Registration:
        if one.status == REGISTERED and one.join_web_url is None:
            one = replace(one, join_web_url=self._webinars[webinar_id].new_link(one.id))
        self._registrations[webinar_id][one.id] = one
        return one


def _now() -> str:
    # The examples on Graph's pages have no time zone here.
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
