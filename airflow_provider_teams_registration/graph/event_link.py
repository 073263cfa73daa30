"""Links that lead to an event, as people copy them from Teams, from a calendar or from a mail."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from airflow_provider_teams_registration.graph.arguments import looks_like

_GUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_LONGEST = 32_000
_WRAPPED_AT_MOST = 3
_NOT_IN_A_LINK = re.compile("[\\s\u200b\u2060\ufeff]+")
_SCHEME = re.compile(r"https(?::|%3a)", re.IGNORECASE)
# The meetings of a channel share a chat, and each has the number of its message there.
_THREAD = re.compile(r"/l/meetup-join/([^/?]+(?:/[1-9]\d*)?)")
_ORGANIZER = re.compile(rf'"Oid"\s*:\s*"({_GUID})"', re.IGNORECASE)
_NUMBER = re.compile(r"/meet/(\d{6,})(?:[/?#]|$)", re.IGNORECASE)
_REGISTRATION_PAGE = re.compile(rf"https://events\.teams\.microsoft\.com/event/({_GUID}@{_GUID})(?:[/?#].*)?", re.I)


@dataclass(frozen=True)
class EventLink:
    """
    A link to an event.

    :param url: the link itself, without what a mail program put around it. A credential.
    :param meeting_number: the number in a short link (``/meet/``), which people can also type in to join.
    :param thread: the id of the event's chat, which a long link (``/l/meetup-join/``) names. In a channel, also the
        number of the message there.
    :param organizer_id: object id of the organizer, if the link names it.
    :param webinar_id: the webinar's id, which the link of its registration page names.
    """

    url: str = field(repr=False)
    meeting_number: str | None = field(default=None, repr=False)
    thread: str | None = field(default=None, repr=False)
    organizer_id: str | None = None
    webinar_id: str | None = None

    def leads_to(self, url: str | None, meeting_number: str | None) -> bool:
        """
        Return whether an event is the one that this link leads to.

        :param url: the event's own link, as Graph shows it.
        :param meeting_number: the event's number, as Graph shows it.
        """
        other = read_event_link(url or "")
        is_same = self._compare(other, meeting_number)
        if is_same is None:
            return other is not None and unquote(self.url) == unquote(other.url)
        return is_same

    def leads_elsewhere(self, url: str | None, meeting_number: str | None) -> bool:
        """
        Return whether it is proved that an event is not the one that this link leads to.

        :param url: the event's own link, as Graph shows it.
        :param meeting_number: the event's number, as Graph shows it.
        """
        return self._compare(read_event_link(url or ""), meeting_number) is False

    def _compare(self, other: EventLink | None, meeting_number: str | None) -> bool | None:
        """Return whether both name the same event; None if they name it in different ways."""
        if self.meeting_number is not None and meeting_number is not None:
            return self.meeting_number == re.sub(r"\s", "", meeting_number)
        if other is not None and self.thread is not None and other.thread is not None:
            return self.thread == other.thread
        return None


def read_event_link(value: str) -> EventLink | None:
    """
    Read a link to an event: a long or a short join URL, or the link of a webinar's registration page.

    A mail program may have wrapped the link (Safe Links) or broken it into lines.

    :param value: what somebody copied.
    :return: the link; None if the value is no such link.
    """
    url = clean_link(value)
    page = _REGISTRATION_PAGE.fullmatch(unquote(url))
    if page is not None:
        return EventLink(url, webinar_id=page[1])
    if looks_like(url) != "a join URL":
        return None
    readable = unquote(url)
    number, thread, organizer = (found.search(readable) for found in (_NUMBER, _THREAD, _ORGANIZER))
    return EventLink(
        url,
        meeting_number=number and number[1],
        thread=thread and thread[1],
        organizer_id=organizer and organizer[1].lower(),
    )


def clean_link(value: str) -> str:
    """
    Return a link without white space, angle brackets and what Safe Links wrapped around it.

    :param value: what somebody copied.
    """
    if len(value) > _LONGEST:
        return value
    link = _NOT_IN_A_LINK.sub("", value).strip("<>\"'")
    for _ in range(_WRAPPED_AT_MOST):
        link = _with_scheme(link)
        inner = _wrapped(link)
        if inner is None:
            break
        link = inner
    return link


def _with_scheme(link: str) -> str:
    if _SCHEME.match(link) is None:
        return f"https://{link}" if looks_like(link) in ("a join URL", "a link") and "://" not in link else link
    return unquote(link) if link.lower().startswith("https%3a") else link


def _wrapped(link: str) -> str | None:
    """Return the link inside a link of Safe Links, of Outlook or of Teams; None if it is none."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if "safelinks" not in f"{parts.hostname or ''}{parts.path}".lower():
        return None
    inner = parse_qs(parts.query).get("url")
    return _NOT_IN_A_LINK.sub("", inner[0]) if inner else None
