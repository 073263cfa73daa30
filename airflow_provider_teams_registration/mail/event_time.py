"""The event's time as a mail tells it: in the reader's time zone, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.graph.moments import UTC, iana_name, zone_of

ZONE_COLUMNS = ("preferred_timezone", "preferredTimezone")
# strftime would follow the worker's locale.
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True)
class EventInMail:
    """
    The event as a template sees it.

    :param title: what it is called; empty if that is not known.
    :param start: when it begins, in the reader's time zone; None if that is not known.
    :param end: when it ends, in the reader's time zone; None if that is not known.
    :param time_zone: the name of that time zone.
    :param when: start and end in English words; empty if the start is not known.
    :param organizer_name: the organizer's name; empty if that is not known.
    :param organizer_email: the organizer's address; empty if that is not known.
    """

    title: str
    start: datetime | None
    end: datetime | None
    time_zone: str
    when: str
    organizer_name: str
    organizer_email: str


def event_in_mail(facts: EventFacts, row: Mapping[str, Any]) -> EventInMail:
    """
    Return the event as the template for one person sees it.

    The time zone is the one that the row names in ``preferred_timezone``, or else the event's own, or else UTC.

    :param facts: the event.
    :param row: the person's row.
    """
    named = next((row[column] for column in ZONE_COLUMNS if isinstance(row.get(column), str)), None)
    name = next((found for found in map(iana_name, (named, facts.time_zone)) if found), UTC)
    start, end = (moment and moment.astimezone(zone_of(name)) for moment in (facts.start, facts.end))
    return EventInMail(
        title=facts.title or "",
        start=start,
        end=end,
        time_zone=name,
        when=_in_words(start, end, name) if start else "",
        organizer_name=facts.organizer_name or "",
        organizer_email=facts.organizer_email or "",
    )


def _in_words(start: datetime, end: datetime | None, zone: str) -> str:
    day = _day(start)
    if end is None:
        return f"{day}, {start:%H:%M} ({zone})"
    if end.date() == start.date():
        return f"{day}, {start:%H:%M} to {end:%H:%M} ({zone})"
    return f"{day}, {start:%H:%M} to {_day(end)}, {end:%H:%M} ({zone})"


def _day(moment: datetime) -> str:
    return f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
