"""A webinar and its registration form."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from airflow_provider_teams_registration.emulator.store.seeded import ORGANIZER_ID, TENANT_ID

DRAFT, PUBLISHED, CANCELED = "draft", "published", "canceled"


@dataclass(frozen=True)
class Question:
    """
    One question of a registration form.

    :param id: the question's id.
    :param display_name: the question's text.
    :param answer_input_type: ``text``, ``multilineText``, ``singleChoice``, ``multiChoice`` or ``boolean``.
    :param is_required: whether the form requires an answer.
    :param answer_choices: the choices of ``singleChoice`` and ``multiChoice``.
    :param label: which of Graph's predefined questions it is, such as ``jobTitle``; None for a custom one.
    """

    id: str
    display_name: str
    answer_input_type: str = "text"
    is_required: bool = False
    answer_choices: tuple[str, ...] = ()
    label: str | None = None


@dataclass(frozen=True)
class Webinar:
    """
    One webinar and its registration form.

    :param id: ``<guid>@<tenant guid>``.
    :param display_name: the webinar's title.
    :param status: ``draft``, ``published`` or ``canceled``.
    :param organizer_id: object id of the organizer.
    :param description: Graph's ``itemBody``.
    :param start: when it begins, as Graph's ``dateTimeTimeZone``.
    :param end: when it ends, as Graph's ``dateTimeTimeZone``.
    :param audience: ``everyone`` or ``organization``.
    :param co_organizers: Graph's identities of the co-organizers.
    :param settings: Graph's ``settings``.
    :param capacity: number of seats; None is no limit.
    :param is_waitlist_enabled: whether a full webinar puts people on a waitlist.
    :param is_manual_approval_enabled: whether the organizer approves each registration.
    :param questions: the questions of the form.
    """

    id: str
    display_name: str
    status: str = PUBLISHED
    organizer_id: str = ORGANIZER_ID
    description: Any = None
    start: Any = field(default_factory=lambda: {"dateTime": "2027-03-01T09:00:00.0000000", "timeZone": "UTC"})
    end: Any = field(default_factory=lambda: {"dateTime": "2027-03-01T10:00:00.0000000", "timeZone": "UTC"})
    audience: str = "everyone"
    co_organizers: Any = ()
    settings: Any = None
    capacity: int | None = None
    is_waitlist_enabled: bool = False
    is_manual_approval_enabled: bool = False
    questions: tuple[Question, ...] = ()

    @property
    def thread_id(self) -> str:
        """The id of the webinar's chat."""
        return f"19:meeting_{self.id.partition('@')[0]}@thread.v2"

    @property
    def join_web_url(self) -> str:
        """The organizer's own join link."""
        return self._link("{}")

    def new_link(self, registration_id: str) -> str:
        """Return a join link for one person. It differs from every link that was made before."""
        context = {
            "Tid": TENANT_ID,
            "Oid": self.organizer_id,
            "prid": registration_id,
            "isPublic": self.audience == "everyone",
            "emulator": secrets.token_hex(8),
        }
        return self._link(json.dumps(context, separators=(",", ":")))

    def _link(self, context: str) -> str:
        thread = quote(self.thread_id, safe="")
        return f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={quote(context, safe='')}"
