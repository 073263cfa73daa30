"""A mail server that delivers nothing and keeps everything."""

from __future__ import annotations

import re
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from types import TracebackType

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_LINK = re.compile(r'href="([^"]+)"')


class MailSink:
    """
    Keeps the mails it is sent.

    :param port: port on loopback; 0 takes a free one, which :attr:`port` names once it runs.
    """

    def __init__(self, port: int = 0) -> None:
        self._lock = threading.Lock()
        self._mails: list[EmailMessage] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=port or _free_port())

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail in."""
        content = envelope.content or b""
        # aiosmtpd hands out text only where it is told to decode.
        assert isinstance(content, bytes)
        message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        with self._lock:
            self._mails.append(message)
        return "250 OK"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._controller.port)

    def links(self) -> dict[str, list[str]]:
        """Return the links that were mailed, by address."""
        found: dict[str, list[str]] = {}
        with self._lock:
            for mail in self._mails:
                body = mail.get_body(("html",))
                link = _LINK.search(body.get_content()) if body else None
                found.setdefault(mail["To"].addresses[0].addr_spec, []).append(unescape(link.group(1)) if link else "")
        return found

    def first_text(self) -> str:
        """Return the plain text of the first mail with its headers, for people to read; empty where there is none."""
        with self._lock:
            if not self._mails:
                return ""
            mail = self._mails[0]
        body = mail.get_body(("plain",))
        headers = "\n".join(f"{name}: {mail[name]}" for name in ("From", "To", "Subject"))
        parts = ", ".join(part.get_content_type() for part in mail.walk() if not part.is_multipart())
        return f"{headers}\nParts: {parts}\n\n{body.get_content() if body else ''}".rstrip()

    def __enter__(self) -> MailSink:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
