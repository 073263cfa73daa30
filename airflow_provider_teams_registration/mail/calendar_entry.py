"""
The calendar entry of a mail: an invitation to one attendee, or its cancellation.

Specifications: RFC 5545 (iCalendar), RFC 5546 (``REQUEST``, ``CANCEL``) and RFC 7986 (``CONFERENCE``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parseaddr
from typing import Any

from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.core.mail import MailKind, calendar_key
from airflow_provider_teams_registration.mail.recipient import Recipient

_PRODUCT = "-//airflow-provider-teams-registration//mail//EN"
_OCTETS = 74
"""Octets of a content line's piece, without the space before it."""
METHODS = {MailKind.JOIN: "REQUEST", MailKind.CANCELLED: "CANCEL"}


@dataclass(frozen=True)
class CalendarEntry:
    """
    A calendar entry, as mail programs read it.

    :param method: ``REQUEST`` or ``CANCEL``. The MIME part must name the same.
    :param content: the ``.ics`` text, in UTF-8.
    """

    method: str
    content: bytes = field(repr=False)


def calendar_entry(
    facts: EventFacts, event: str, recipient: Recipient, kind: MailKind, number: int, sender: str, now: datetime
) -> CalendarEntry | None:
    """
    Return the entry for one person, or None for an event without times and for a mail that needs no entry.

    The ``UID`` stays the same for a person and an event. The ``SEQUENCE`` grows with each mail to the person.

    :param facts: the event.
    :param event: the event's id.
    :param recipient: the person, the only attendee.
    :param kind: what the mail tells.
    :param number: how many mails to the person there were, this one included.
    :param sender: the ``From`` of the mail, which stands in for an organizer who is not known.
    :param now: when the mail is built.
    """
    method = METHODS.get(kind)
    if method is None or facts.start is None or facts.end is None:
        return None
    from icalendar import Calendar, Event

    sender_name, sender_address = parseaddr(sender)
    organizer_email = facts.organizer_email or sender_address
    domain = sender_address.rpartition("@")[2]
    entry = Event()
    entry.add("uid", f"{calendar_key(event, recipient.key)}@{domain}")
    entry.add("sequence", max(number - 1, 0))
    entry.add("dtstamp", _utc(now))
    entry.add("dtstart", _utc(facts.start))
    entry.add("dtend", _utc(facts.end))
    entry.add("summary", facts.title or "Microsoft Teams event")
    entry.add("status", "CONFIRMED" if method == "REQUEST" else "CANCELLED")
    entry.add("class", "PRIVATE")
    entry.add("organizer", _person(organizer_email, facts.organizer_name or sender_name))
    entry.add("attendee", _attendee(recipient))
    if kind is MailKind.JOIN:
        _add_link(entry, recipient.join_web_url or "")
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(entry)
    return CalendarEntry(method, b"".join(_folded(line) + b"\r\n" for line in calendar.content_lines() if line))


def _folded(line: Any) -> bytes:
    """Return a content line in pieces of at most 75 octets, as RFC 5545 section 3.1 wants them."""
    if not line.isascii() or "\\" in line or "^" in line:
        # The library takes care of characters of several octets and of escapes. It folds character by character.
        folded: bytes = line.to_ical()
        return folded
    pieces = (line[start : start + _OCTETS] for start in range(0, len(line), _OCTETS))
    return "\r\n ".join(pieces).encode("ascii")


def _add_link(entry: Any, link: str) -> None:
    from icalendar import vUri

    entry.add("url", vUri(link))
    entry.add("location", link)
    entry.add("description", f"Your personal link, which nobody else may use:\n{link}")
    conference = vUri(link)
    conference.params["VALUE"] = "URI"
    conference.params["FEATURE"] = "VIDEO"
    conference.params["LABEL"] = "Microsoft Teams"
    entry.add("conference", conference)


def _attendee(recipient: Recipient) -> Any:
    attendee = _person(recipient.address, recipient.name)
    attendee.params["CUTYPE"] = "INDIVIDUAL"
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    attendee.params["PARTSTAT"] = "NEEDS-ACTION"
    attendee.params["RSVP"] = "FALSE"
    return attendee


def _person(address: str, name: str) -> Any:
    from icalendar import vCalAddress

    person = vCalAddress(f"mailto:{address}")
    if name:
        person.params["CN"] = name
    return person


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc).replace(microsecond=0)
