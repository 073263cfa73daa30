"""One person's mail, as it goes to the mail server."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime
from email import policy
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage, MIMEPart
from email.utils import format_datetime, parseaddr
from functools import cache, lru_cache
from typing import Any

from airflow_provider_teams_registration.graph.email_address import read_email
from airflow_provider_teams_registration.mail.calendar_entry import CalendarEntry
from airflow_provider_teams_registration.mail.recipient import Recipient
from airflow_provider_teams_registration.mail.templating import Rendered


class _HeaderClasses(HeaderRegistry):
    """Makes the class of each header once. The library makes it anew for each of a mail's thirty headers."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = super().__getitem__(name)
        return found


class _Policy(policy.EmailPolicy):
    """Folds a header that is the same in each mail once."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        return _folded(self, name, value) if name in _SAME else super().fold_binary(name, value)


@lru_cache(maxsize=256)
def _folded(of: policy.EmailPolicy, name: str, value: Any) -> bytes:
    return policy.EmailPolicy.fold_binary(of, name, value)


@cache
def _header(name: str, value: str) -> Any:
    """Return a header that is the same in each mail, parsed once."""
    return _HEADERS(name, value)


_SAME = frozenset(
    {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version", "Auto-Submitted"}
)
_HEADERS = _HeaderClasses()
_FORM: dict[str, Any] = {"cte_type": "7bit", "header_factory": _HEADERS, "linesep": "\r\n"}
_POLICY = _Policy(**_FORM)
_POLICY_UTF8 = _Policy(**_FORM, utf8=True)
_CALENDAR = 'text/calendar; charset="utf-8"; method="{}"'
_FILE = (
    ("Content-Type", "application/ics"),
    ("Content-Transfer-Encoding", "base64"),
    ("Content-Disposition", 'attachment; filename="invite.ics"'),
)
# The library looks through each mail for a boundary that does not occur in it. One that nobody can guess does not.
_OUTER, _INNER = f"=_{secrets.token_hex(16)}", f"=_{secrets.token_hex(16)}"


def build_message(
    recipient: Recipient,
    rendered: Rendered,
    *,
    sender: Address,
    message_id: str,
    now: datetime,
    entry: CalendarEntry | None = None,
) -> EmailMessage:
    """
    Build a mail with plain text, HTML and the calendar entry as alternatives, and the entry attached as a file.

    :param recipient: the person.
    :param rendered: the texts.
    :param sender: the ``From``.
    :param message_id: the ``Message-ID``.
    :param now: when the mail is built.
    :param entry: the calendar entry, if there is one.
    """
    to = mail_address(recipient.address, recipient.name)
    how = _POLICY if to.addr_spec.isascii() else _POLICY_UTF8
    message = EmailMessage(policy=how)
    message["Subject"] = rendered.subject
    message["From"] = sender
    message["To"] = to
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    # Absence notices are not to be sent in answer to this.
    message["Auto-Submitted"] = _header("Auto-Submitted", "auto-generated")
    if rendered.html is None and entry is None:
        message.set_content(rendered.text)
        return message
    message["MIME-Version"] = _header("MIME-Version", "1.0")
    alternatives: Any = message
    if entry is not None:
        _make_multipart(message, "mixed", _OUTER)
        alternatives = MIMEPart(policy=how)
        message.attach(alternatives)
    _make_multipart(alternatives, "alternative", _INNER)
    alternatives.attach(_text(rendered.text, "plain", how))
    if rendered.html is not None:
        alternatives.attach(_text(rendered.html, "html", how))
    if entry is not None:
        content = base64.encodebytes(entry.content).decode("ascii")
        kind = ("Content-Type", _CALENDAR.format(entry.method))
        alternatives.attach(_encoded(content, (kind, ("Content-Transfer-Encoding", "base64")), how))
        message.attach(_encoded(content, _FILE, how))
    return message


def _make_multipart(part: Any, kind: str, boundary: str) -> None:
    part["Content-Type"] = _header("Content-Type", f'multipart/{kind}; boundary="{boundary}"')


def _text(content: str, kind: str, how: policy.EmailPolicy) -> Any:
    part = MIMEPart(policy=how)
    part.set_content(content, subtype=kind)
    return part


def _encoded(content: str, headers: Iterable[tuple[str, str]], how: policy.EmailPolicy) -> Any:
    part = MIMEPart(policy=how)
    for name, value in headers:
        part[name] = _header(name, value)
    part.set_payload(content)
    return part


def read_sender(text: str | None) -> Address:
    """
    Read the address that mails come from.

    :param text: an address, with or without a name: ``events@example.org`` or ``Events <events@example.org>``.
    :raises ValueError: it is no such address.
    """
    given = (text or "").strip()
    # The library would read several addresses as one.
    name, address = parseaddr(given) if given.isprintable() and given.count("@") == 1 else ("", "")
    found = read_email(address) if address else None
    if found is None:
        raise ValueError(
            "No address to send from. Give from_email such as 'Events <events@example.org>', or set from_email in the "
            "connection that smtp_conn_id names."
        )
    return mail_address(found, name)


def mail_address(address: str, name: str = "") -> Address:
    """
    Return an address as a header holds it, with the domain in ASCII.

    :param address: the address.
    :param name: the person's name.
    """
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        domain = domain.encode("idna").decode("ascii")
    return Address(display_name=name, username=local, domain=domain)
