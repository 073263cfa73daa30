"""A mail server for the cells that mail. It keeps what it accepted, and makes trouble if it is told to."""

from __future__ import annotations

import re
import socketserver
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

_ADDRESS = re.compile(rb"<([^>]*)>")


@dataclass
class Trouble:
    """
    What the mail server does wrong.

    :param drops_every: it closes the connection after so many mails; 0 is never.
    :param later: how often it answers a recipient with 451 before it takes them.
    :param lost: the addresses for which it closes the connection once it has the mail, before it answers.
    :param rcpt_answer: its answer to a recipient that it takes.
    """

    drops_every: int = 0
    later: int = 0
    lost: frozenset[str] = frozenset()
    rcpt_answer: str = "250 OK"


@dataclass
class _Kept:
    mails: list[EmailMessage] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)


class MailSink(socketserver.ThreadingTCPServer):
    """
    A mail server on this machine.

    :param trouble: what it does wrong.
    """

    daemon_threads = True

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.trouble = trouble
        self.kept = _Kept()
        self.lock = threading.Lock()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that was killed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def mails(self) -> list[EmailMessage]:
        """Return the mails that it has, in the order in which they came."""
        with self.lock:
            return list(self.kept.mails)


class _Conversation(socketserver.StreamRequestHandler):
    server: MailSink

    def handle(self) -> None:
        """Speak with one client until it leaves."""
        taken, recipient = 0, ""
        self._say("220 sink")
        for line in self.rfile:
            verb = line[:4].strip().upper()
            if verb == b"MAIL" and self.server.trouble.drops_every and taken >= self.server.trouble.drops_every:
                return
            if verb == b"RCPT":
                recipient = _address(line)
                self._say(self._answer_to(recipient))
            elif verb == b"DATA":
                if not self._take(recipient):
                    return
                taken += 1
            else:
                self._say("250 OK")

    def _take(self, recipient: str) -> bool:
        """Take a mail; return whether the connection goes on."""
        self._say("354 go on")
        content = self._content()
        if content is None:
            return False
        with self.server.lock:
            self.server.kept.mails.append(message_from_bytes(content, EmailMessage, policy=policy.default))
        if recipient in self.server.trouble.lost:
            return False
        self._say("250 2.0.0 taken")
        return True

    def _answer_to(self, recipient: str) -> str:
        with self.server.lock:
            self.server.kept.asked[recipient] += 1
            is_early = self.server.kept.asked[recipient] <= self.server.trouble.later
        return "451 4.7.1 come again" if is_early else self.server.trouble.rcpt_answer

    def _content(self) -> bytes | None:
        """Return a mail's content; None if the client left before its end."""
        lines: list[bytes] = []
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b"..") else line)
        return None

    def _say(self, what: str) -> None:
        self.wfile.write(what.encode("ascii") + b"\r\n")


def _address(line: bytes) -> str:
    found = _ADDRESS.search(line)
    return found.group(1).decode("ascii") if found else ""
