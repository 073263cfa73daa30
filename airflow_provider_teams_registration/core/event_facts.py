"""What an event is called, when it is, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import Any

from airflow_provider_teams_registration.core.service_text import one_line

FIRST_YEAR, LAST_YEAR = 1970, 9000
"""The years that an event can be in. Beyond them, not every time can be converted to another time zone."""

_TEXTS = ("webinar_id", "meeting_id", "title", "time_zone", "organizer_name", "organizer_email")


@dataclass(frozen=True)
class EventFacts:
    """
    The facts of an event that a mail or a log may name. They hold nothing about registrants.

    :param webinar_id: the webinar's ``id`` in Graph; None for an online meeting.
    :param meeting_id: the online meeting's ``id`` in Graph; None for a webinar.
    :param title: what the event is called.
    :param start: when it begins, with a time zone; None if Graph did not say.
    :param end: when it ends, with a time zone; None if Graph did not say.
    :param time_zone: the event's own time zone, by its IANA or its Windows name.
    :param organizer_name: the organizer's name.
    :param organizer_email: the organizer's address.
    """

    webinar_id: str | None = None
    meeting_id: str | None = None
    title: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    time_zone: str | None = None
    organizer_name: str | None = None
    organizer_email: str | None = None

    @property
    def id(self) -> str | None:
        """The event's id, whatever its kind."""
        return self.webinar_id or self.meeting_id

    def as_json(self) -> dict[str, Any]:
        """Return the facts that are known, as JSON can hold them."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        found = {name: value for name, value in told.items() if value is not None}
        return {name: utc_text(value) if isinstance(value, datetime) else value for name, value in found.items()}

    def sentence(self) -> str:
        """Return title and times in words, for a log. The organizer is a person, whom no log names."""
        when = "at a time that Graph does not say" if self.start is None else f"from {utc_text(self.start)}"
        until = "" if self.start is None or self.end is None else f" to {utc_text(self.end)}"
        zone = f", planned in {self.time_zone}" if self.time_zone and self.start else ""
        return f"{self.title or 'An event without a title'!r}, {when}{until}{zone}"


def read_event_facts(given: Mapping[str, Any]) -> EventFacts:
    """
    Read the facts that a task pushed, or that a DAG's author wrote.

    :param given: the fields of :class:`EventFacts`; times are ISO 8601 texts or datetimes, with a time zone. Other
        keys are ignored.
    :raises ValueError: a field cannot be right. The sentence names it.
    """
    texts = {name: _text(name, given.get(name)) for name in _TEXTS}
    start, end = (read_moment(name, given.get(name)) for name in ("start", "end"))
    if start is not None and end is not None and end <= start:
        raise ValueError("The event's end is not after its start.")
    return EventFacts(start=start, end=end, **texts)


def read_moment(name: str, value: Any) -> datetime | None:
    """
    Read a time.

    :param name: what the user calls it, for the error.
    :param value: an ISO 8601 text or a datetime, with a time zone; None or an empty text is no time.
    :raises ValueError: it is neither, has no time zone, or is in a year that no event can be in.
    """
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"{name} is no time. Give ISO 8601 such as 2026-12-01T09:00:00+00:00.") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"{name} is in a year that no event can be in. Give one from {FIRST_YEAR} to {LAST_YEAR}.")
    if moment.tzinfo is None:
        raise ValueError(f"{name} has no time zone. Give ISO 8601 such as 2026-12-01T09:00:00+00:00.")
    return moment


def utc_text(moment: datetime) -> str:
    """Return a time in UTC, in ISO 8601, to the second."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(name: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        raise ValueError(f"The event's {name} is a {type(value).__name__}; it must be a text.")
    return one_line(value)[:1000]
