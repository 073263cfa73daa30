"""
One mail handed over to a mail server, and what its answer means.

The commands go out one by one, and not by ``smtplib.SMTP.sendmail``: it does not tell whether a connection broke before
or after the mail was handed over. Specification: RFC 5321.
"""

from __future__ import annotations

import re
import smtplib
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import Enum

_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}")
_GO_ON = 354
_CLOSING = 421
NO_SMTPUTF8 = "no SMTPUTF8"


class DeliveryResult(Enum):
    """What came of one mail."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The mail server refused the recipient or the mail for good."""
    SENDER_REFUSED = "sender refused"
    """The mail server takes no mail from this sender."""
    TRY_LATER = "try later"
    """The mail server refused for now, as with greylisting."""
    NOT_HANDED_OVER = "not handed over"
    """The connection broke before the mail server got the mail."""
    LOST = "lost"
    """The connection broke after the mail was handed over. The mail server may have accepted it."""


@dataclass(frozen=True)
class Delivery:
    """
    What came of one mail.

    :param result: what the answer means.
    :param code: the mail server's code, with the enhanced code if it sent one.
    """

    result: DeliveryResult
    code: str | None = None


@dataclass(frozen=True)
class Envelope:
    """
    One mail, ready for the mail server.

    :param sender: the address that it comes from.
    :param recipient: the address that it goes to.
    :param content: the whole message.
    """

    sender: str
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)


def put_into_envelope(message: EmailMessage) -> Envelope:
    """
    Return a mail as the mail server gets it.

    :param message: the mail, with one recipient.
    """
    return Envelope(_bare(message, "From"), _bare(message, "To"), message.as_bytes())


def deliver(client: smtplib.SMTP, envelope: Envelope) -> Delivery:
    """
    Hand one mail over. No error of the connection leaves this function.

    :param client: the mail server, signed in.
    :param envelope: the mail.
    """
    stage = _Stage()
    try:
        return _deliver(client, envelope, stage)
    except (OSError, smtplib.SMTPException, ValueError):
        # The error's text may quote the address. After an error, nobody knows what an answer belongs to.
        client.close()
        return Delivery(DeliveryResult.LOST if stage.is_handed_over else DeliveryResult.NOT_HANDED_OVER)


@dataclass
class _Stage:
    is_handed_over: bool = False


def _deliver(client: smtplib.SMTP, envelope: Envelope, stage: _Stage) -> Delivery:
    client.ehlo_or_helo_if_needed()
    options: list[str] = []
    if not envelope.recipient.isascii():
        if not client.has_extn("smtputf8"):
            return Delivery(DeliveryResult.REFUSED, NO_SMTPUTF8)
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    code, said = client.mail(envelope.sender, options)
    if not _is_accepted(code):
        return _refused(client, code, said, is_of_sender=True)
    code, said = client.rcpt(envelope.recipient)
    if not _is_accepted(code):
        return _refused(client, code, said)
    code, said = client.docmd("DATA")
    if code != _GO_ON:
        return _refused(client, code, said)
    stage.is_handed_over = True
    client.send(_as_data(envelope.content))
    code, said = client.getreply()
    if _is_accepted(code):
        return Delivery(DeliveryResult.ACCEPTED, _code(code, said))
    # A refusal is an answer: the mail server did not accept the mail.
    return _refused(client, code, said, may_reset=False)


def _bare(message: EmailMessage, header: str) -> str:
    (address,) = message[header].addresses
    return str(address.addr_spec)


def _is_accepted(code: int) -> bool:
    """Return whether an answer says yes. Its first digit decides, as RFC 5321 says in section 4.3.2."""
    return 200 <= code < 300


def _refused(
    client: smtplib.SMTP, code: int, said: bytes, *, is_of_sender: bool = False, may_reset: bool = True
) -> Delivery:
    if not 400 <= code < 600:
        # The answer belongs to no command of ours, or is no answer at all.
        raise smtplib.SMTPServerDisconnected
    if code == _CLOSING and may_reset:
        # It closes the connection, as some do after so many mails.
        raise smtplib.SMTPServerDisconnected
    if may_reset:
        _reset(client)
    if 400 <= code < 500:
        return Delivery(DeliveryResult.TRY_LATER, _code(code, said))
    result = DeliveryResult.SENDER_REFUSED if is_of_sender else DeliveryResult.REFUSED
    return Delivery(result, _code(code, said))


def _reset(client: smtplib.SMTP) -> None:
    """Begin anew after a refusal. A mail server that closes the connection with a refusal has refused all the same."""
    try:
        client.rset()
    except (OSError, smtplib.SMTPException):
        client.close()


def _code(code: int, said: bytes) -> str:
    found = _ENHANCED.match(said or b"")
    return f"{code} {found.group().decode('ascii')}" if found else str(code)


def _as_data(content: bytes) -> bytes:
    """Return a message as RFC 5321 sends it: lines end in CRLF, and a dot at their beginning is doubled."""
    lines = re.sub(rb"\r\n|\n|\r", b"\r\n", content)
    quoted = re.sub(rb"(?m)^\.", b"..", lines)
    return (quoted if quoted.endswith(b"\r\n") else quoted + b"\r\n") + b".\r\n"
