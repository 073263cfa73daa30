"""The sending: claim, mail, outcome, one person after the other over one connection."""

from __future__ import annotations

import contextlib
import logging
import smtplib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage

from airflow_provider_teams_registration.core.mail import MailRecord, MailState
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.ledger.mail import MailLedger
from airflow_provider_teams_registration.mail.delivery import (
    Delivery,
    DeliveryResult,
    Envelope,
    deliver,
    put_into_envelope,
)
from airflow_provider_teams_registration.mail.plan import PlannedMail
from airflow_provider_teams_registration.mail.recipient import LeftOut
from airflow_provider_teams_registration.mail.report import MailReport
from airflow_provider_teams_registration.mail.templating import TemplateProblem

log = logging.getLogger(__name__)

_TRIES_TO_CONNECT = 4
_TELL_EVERY = 10.0
_LATER_IN_A_ROW = 20
"""After so many temporary refusals in a row, the mail server is not bothered for the others either."""
_BROKEN_IN_A_ROW = 5
"""After so many people in a row for whom each connection broke, the mail server counts as out of order."""


class MailServerFailure(TeamsRegistrationError):
    """
    The mail server cannot be used.

    :param said: what happened and what to do. It holds no address.
    :param transient: whether a retry is likely to succeed.
    """

    def __init__(self, said: str, *, transient: bool) -> None:
        super().__init__(said)
        self.transient = transient


class MailingStopped(TeamsRegistrationError):
    """Airflow asked the task to stop. A retry mails those who are left."""

    transient = True


@dataclass(frozen=True)
class SendingPace:
    """
    How fast mails go out, and when a mail server that refuses for now is asked again.

    :param interval: seconds between the beginnings of two mails, at least.
    :param pauses: seconds to wait before each further round for those whom the mail server refused for now. Greylisting
        takes five minutes at most mail servers.
    :param reconnect_pause: seconds to wait before a second try to connect; each further one waits twice as long.
    """

    interval: float = 0.0
    pauses: Sequence[float] = (15.0, 60.0, 240.0)
    reconnect_pause: float = 1.0


class Mailer:
    """
    Sends mails over one connection, which it opens anew if the mail server closes it.

    :param ledger: remembers who was mailed.
    :param connect: opens and signs in a connection; raises :class:`MailServerFailure`.
    :param build: builds a planned mail. A person whose mail it cannot build is counted as one without a mail.
    :param report: counts what came of everybody.
    :param pace: how fast mails go out.
    :param stop: ends every wait, and the sending, once it is set.
    """

    def __init__(
        self,
        ledger: MailLedger,
        connect: Callable[[], smtplib.SMTP],
        build: Callable[[PlannedMail], EmailMessage],
        report: MailReport,
        *,
        pace: SendingPace | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._ledger = ledger
        self._connect = connect
        self._build = build
        self._report = report
        self._pace = pace or SendingPace()
        self._stop = stop or threading.Event()
        self._client: smtplib.SMTP | None = None
        self._unwritten: tuple[int, MailRecord] | None = None
        self._next_at = 0.0
        self._broken_in_a_row = 0

    def send(self, mails: Sequence[PlannedMail]) -> None:
        """
        Send mails, and count what came of each.

        :raises MailServerFailure: the mail server cannot be used; those who are left were not mailed.
        :raises TeamsRegistrationError: the ledger failed, a newer attempt has started, or Airflow asked to stop.
        """
        left = list(mails)
        try:
            for pause in (0.0, *self._pace.pauses):
                if pause:
                    log.info("The mail server asks to wait for %s. Trying again in %.0f s.", _people(len(left)), pause)
                    self._wait(pause)
                left = list(self._round(left))
                if not left:
                    return
            for mail in left:
                self._report.count_later(mail.recipient.position)
        finally:
            with contextlib.suppress(TeamsRegistrationError):
                # Something failed meanwhile, and the error that says so is under way.
                self._write_outcome()
            self._hang_up()

    def _round(self, mails: Sequence[PlannedMail]) -> Iterator[PlannedMail]:
        """Mail each person once. Yield those whom the mail server refused for now."""
        started = told = time.monotonic()
        in_a_row = 0
        for done, mail in enumerate(mails):
            if in_a_row >= _LATER_IN_A_ROW:
                yield mail
                continue
            now = time.monotonic()
            if now - told >= _TELL_EVERY:
                told = now
                to_go = (now - started) / done * (len(mails) - done) if done else 0
                log.info("%s of %s mailed, about %.0f s to go.", f"{done:,}", f"{len(mails):,}", to_go)
            if self._next_at > now:
                self._write_outcome()
            self._wait(self._next_at - now)
            self._next_at = time.monotonic() + self._pace.interval
            again = self._mail(mail)
            in_a_row = in_a_row + 1 if again is not None else 0
            if again is not None:
                yield again
        self._write_outcome()

    def _mail(self, mail: PlannedMail) -> PlannedMail | None:
        """Mail one person. Return the mail if it is to be tried later."""
        position = mail.recipient.position
        # A fault in the building must leave no claim behind.
        envelope = self._built(mail)
        if envelope is None:
            return None
        claimed = self._write_outcome(mail.claim)
        if claimed is None:
            self._report.count_lost_claim(position)
            return None
        try:
            delivery = self._hand_over(envelope)
        except TeamsRegistrationError:
            # Nothing was handed over, so the claim must not look like a mail that may have gone out.
            with contextlib.suppress(TeamsRegistrationError):
                self._release(mail, claimed)
            raise
        if delivery.result in (DeliveryResult.TRY_LATER, DeliveryResult.NOT_HANDED_OVER):
            released = self._release(mail, claimed)
            if released is None:
                self._report.count_lost_claim(position)
                return None
            return replace(mail, claim=replace(mail.claim, version=released.version), before=released)
        self._note(mail, claimed, delivery)
        if delivery.result is DeliveryResult.SENDER_REFUSED:
            raise MailServerFailure(
                f"The mail server takes no mail from the address in from_email ({delivery.code}). Name an address that "
                "the connection may send as.",
                transient=False,
            )
        return None

    def _built(self, mail: PlannedMail) -> Envelope | None:
        """Build a mail. If that fails, count the person as one without a mail, and return None."""
        try:
            return put_into_envelope(self._build(mail))
        except TeamsRegistrationError:
            raise
        except TemplateProblem as error:
            # The templates rendered for everybody before the first mail, so this one renders differently each time.
            why = str(error)
        except Exception as error:
            # The error's text may hold the address or the link.
            why = f"the mail could not be built ({type(error).__name__})"
        self._report.count_left_out([LeftOut(mail.recipient.position, why)])
        return None

    def _note(self, mail: PlannedMail, claimed: MailRecord, delivery: Delivery) -> None:
        position = mail.recipient.position
        if delivery.result is DeliveryResult.SENDER_REFUSED:
            self._release(mail, claimed)
            return
        states = {DeliveryResult.ACCEPTED: MailState.MAILED, DeliveryResult.LOST: MailState.UNKNOWN}
        state = states.get(delivery.result, MailState.REFUSED)
        code = delivery.code if state is MailState.REFUSED else None
        # A mail that went out is counted even if the ledger does not take it.
        self._report.count_mail(position, mail.kind, state, code)
        self._unwritten = position, replace(claimed, state=state, error_code=code)

    def _write_outcome(self, next_claim: MailRecord | None = None) -> MailRecord | None:
        """
        Write the outcome of the last mail, together with the claim for the next one.

        The outcome of each mail is in the ledger before the next mail goes, at the price of one transaction a mail.

        :return: the claim as stored; None if there is none, or somebody else holds one.
        """
        outcome = self._unwritten
        records = [*([outcome[1]] if outcome else []), *([next_claim] if next_claim else [])]
        if not records:
            return None
        stored = self._ledger.write_mails(records)
        self._unwritten = None
        if outcome and stored[0] is None:
            log.warning("Row %s: another task took the claim over while this one mailed.", outcome[0])
        return stored[-1] if next_claim else None

    def _release(self, mail: PlannedMail, claimed: MailRecord) -> MailRecord | None:
        return self._ledger.write_mail(replace(mail.before, version=claimed.version))

    def _hand_over(self, envelope: Envelope) -> Delivery:
        delivery = Delivery(DeliveryResult.NOT_HANDED_OVER)
        for _ in range(2):
            # A connection that was closed while nobody used it is noticed by the first command.
            delivery = deliver(self._connected(), envelope)
            if delivery.result is not DeliveryResult.NOT_HANDED_OVER:
                break
            self._hang_up()
        is_broken = delivery.result is DeliveryResult.NOT_HANDED_OVER
        self._broken_in_a_row = self._broken_in_a_row + 1 if is_broken else 0
        if self._broken_in_a_row >= _BROKEN_IN_A_ROW:
            raise MailServerFailure(
                "The mail server breaks off each connection before it takes a mail.", transient=True
            )
        if delivery.result is DeliveryResult.LOST:
            self._hang_up()
        return delivery

    def _connected(self) -> smtplib.SMTP:
        if self._client is not None:
            return self._client
        pause = self._pace.reconnect_pause
        for attempt in range(1, _TRIES_TO_CONNECT + 1):
            try:
                self._client = self._connect()
                return self._client
            except MailServerFailure as error:
                if not error.transient or attempt == _TRIES_TO_CONNECT:
                    raise
            self._wait(pause)
            pause *= 2
        raise AssertionError("unreachable")

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        with contextlib.suppress(OSError, smtplib.SMTPException):
            client.quit()
        client.close()

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(max(seconds, 0.0)) or self._stop.is_set():
            raise MailingStopped("Airflow asked the task to stop. A retry mails those who are left.")


def _people(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"
