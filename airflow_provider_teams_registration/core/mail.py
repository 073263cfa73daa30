"""What the ledger holds of the mails to one registrant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class MailKind(str, Enum):
    """What a mail tells its reader."""

    JOIN = "join"
    """The reader may join, with the link in the mail."""
    WAITLIST = "waitlist"
    """The reader waits for a seat, or for the organizer's approval."""
    CANCELLED = "cancelled"
    """The reader is no longer registered."""


class MailState(str, Enum):
    """How far the newest mail to a registrant is."""

    MAILING = "mailing"
    """A task claimed the registrant and is about to mail them, or was killed while it did."""
    MAILED = "mailed"
    """The mail server accepted the mail."""
    REFUSED = "mail_refused"
    """The mail server refused the recipient or the mail for good."""
    UNKNOWN = "mail_unknown"
    """The connection broke after the mail was handed over. Nobody knows whether the mail server accepted it."""


@dataclass(frozen=True)
class MailRecord:
    """
    The newest mail to one registrant of one event.

    :param registrant: the registrant's key.
    :param state: how far the mail is; None if no mail was handed over and no task claims the registrant.
    :param kind: what the mail tells.
    :param number: how many mails there were, this one included. The ``SEQUENCE`` of a calendar entry follows it.
    :param message_id: the mail's ``Message-ID``.
    :param fingerprint: a hash of the templates.
    :param link_key: a hash of the link in the mail.
    :param event_start: the start of the event that the mail speaks of, in UTC and ISO 8601.
    :param error_code: the mail server's code, if it refused.
    :param run_key: the task of the DAG run that wrote the record.
    :param mailed_at: when the mail server accepted the mail, by the ledger's clock.
    :param version: how often a task wrote the record; 0 if none has yet.
    :param age: how many seconds ago the registrant was claimed, by the ledger's clock.
    """

    registrant: str = field(repr=False)
    state: MailState | None = None
    kind: MailKind | None = None
    number: int = 0
    message_id: str | None = None
    fingerprint: str | None = None
    link_key: str | None = None
    event_start: str | None = None
    error_code: str | None = None
    run_key: str | None = None
    mailed_at: datetime | None = None
    version: int = 0
    age: float = field(default=0.0, compare=False)


def message_key(event: str, registrant: str, kind: MailKind, number: int, salt: str = "") -> str:
    """
    Return what tells one mail from all others, and is the same each time the same mail is sent.

    :param event: the event's id.
    :param registrant: the registrant's key.
    :param kind: what the mail tells.
    :param number: how many mails to the registrant there were, this one included.
    :param salt: tells runs apart that do not know of each other's mails.
    """
    told = "\0".join((event, registrant, kind.value, str(number), salt))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def calendar_key(event: str, registrant: str) -> str:
    """Return what identifies a registrant's entry in their calendar, whatever happens to the event."""
    return hashlib.sha256(f"{event}\0{registrant}".encode("utf-8", "surrogatepass")).hexdigest()[:40]
