"""A real mail server on this machine that can refuse, ask to wait, and break off."""

from __future__ import annotations

import base64
import logging
import socket
import ssl
import threading
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

LOGIN = "events@example.com"


@dataclass
class Behaviour:
    """
    What goes wrong.

    :param refused: the answer to a recipient, by address.
    :param closes_with_refusal: closes the connection with each refusal of a recipient.
    :param later: how often a recipient is asked to wait, by address.
    :param sender_answer: the answer to every sender.
    :param content_answer: the answer to every mail's content.
    :param drop_after: drops the connection once it has the mail, before it answers, for these addresses.
    :param drop_before: drops the connection when it is told these addresses, so often.
    :param close_every: closes the connection after so many mails.
    """

    refused: dict[str, str] = field(default_factory=dict)
    closes_with_refusal: bool = False
    later: Counter[str] = field(default_factory=Counter)
    sender_answer: str | None = None
    content_answer: str | None = None
    drop_after: set[str] = field(default_factory=set)
    drop_before: Counter[str] = field(default_factory=Counter)
    close_every: int = 0


class MailServer:
    """
    Keeps the mails that it accepts.

    :ivar mails: the mails, in the order in which they came.
    :ivar connections: how many connections there were.
    :ivar commands: who was named as a recipient, each time.
    """

    def __init__(
        self,
        *,
        starttls: ssl.SSLContext | None = None,
        implicit: ssl.SSLContext | None = None,
        secret: str | None = None,
    ) -> None:
        """
        Make a mail server.

        :param starttls: the TLS that it wants before anything else.
        :param implicit: the TLS that it speaks from the start.
        :param secret: the password or the OAuth2 token that ``LOGIN`` signs in with.
        """
        self._secret = secret
        self.behaviour = Behaviour()
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self.commands: list[str] = []
        self._since_connected: Counter[Any] = Counter()
        self._lock = threading.Lock()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=port,
            enable_SMTPUTF8=True,
            ssl_context=implicit,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=secret is not None,
            # aiosmtpd takes only STARTTLS for TLS.
            auth_require_tls=starttls is not None,
            authenticator=self._check_password,
        )

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def addresses(self) -> list[str]:
        return [mail["To"].addresses[0].addr_spec for mail in self.mails]

    def _check_password(self, server: SMTP, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        return self._signed_in((given.login, given.password) == (LOGIN.encode(), (self._secret or "").encode()))

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        said = base64.b64decode(args[1]).decode()
        return self._signed_in(said == f"user={LOGIN}\x01auth=Bearer {self._secret}\x01\x01")

    def _signed_in(self, is_right: bool) -> AuthResult:
        return AuthResult(success=is_right, handled=False, auth_data=LOGIN if is_right else None)

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:  # noqa: N802
        with self._lock:
            self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.behaviour.close_every and self._since_connected[id(session)] >= self.behaviour.close_every:
            server.transport.close()
        if self.behaviour.sender_answer:
            return self.behaviour.sender_answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        self.commands.append(address)
        if self.behaviour.drop_before[address] > 0:
            self.behaviour.drop_before[address] -= 1
            server.transport.close()
        if self.behaviour.later[address] > 0:
            self.behaviour.later[address] -= 1
            return "450 4.7.1 Greylisted, come again"
        if address in self.behaviour.refused:
            if self.behaviour.closes_with_refusal:
                await server.push(self.behaviour.refused[address])
                server.transport.close()
            return self.behaviour.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.behaviour.content_answer:
            return self.behaviour.content_answer
        message = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
        with self._lock:
            self.mails.append(message)
            self._since_connected[id(session)] += 1
        if set(envelope.rcpt_tos) & self.behaviour.drop_after:
            server.transport.close()
        return "250 OK"

    def __enter__(self) -> MailServer:
        # At DEBUG it logs whatever it is told, in the process of the tests.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
