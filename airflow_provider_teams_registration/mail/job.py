"""The whole job: from rows to mails, with the check of all of them before the first."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

from airflow_provider_teams_registration.core.event_facts import EventFacts, utc_text
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import PENDING, RegistrationRecord
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.ledger.mail import MailLedger
from airflow_provider_teams_registration.mail.calendar_entry import calendar_entry
from airflow_provider_teams_registration.mail.event_time import event_in_mail
from airflow_provider_teams_registration.mail.gate import check
from airflow_provider_teams_registration.mail.message import build_message
from airflow_provider_teams_registration.mail.plan import PlannedMail, Policy, Skip, plan
from airflow_provider_teams_registration.mail.recipient import (
    Columns,
    LeftOut,
    Recipient,
    id_key,
    mailbox_key,
    read_recipients,
    with_ledger,
)
from airflow_provider_teams_registration.mail.report import MailReport
from airflow_provider_teams_registration.mail.sender import Mailer, SendingPace
from airflow_provider_teams_registration.mail.templating import MailTemplates, Rendered, TemplateProblem

ShowLinks = Callable[[Sequence[Recipient]], Mapping[str, str | None]]
"""Returns the link that the service shows now for each person, by key; None where it shows none."""


class ListRefused(TeamsRegistrationError):
    """The check of the list found a link that may not be the right person's. Nobody was mailed."""


@dataclass(frozen=True)
class MailJob:
    """
    What to mail.

    :param event: the event's id, or what stands in its place if that is not known.
    :param facts: the event.
    :param templates: the templates.
    :param sender: the ``From``.
    :param columns: which columns of a row say whom to mail.
    :param again: which people are mailed again: None, ``"changed"`` or ``"all"``.
    :param calendar: whether mails hold a calendar entry.
    :param pace: how fast mails go out.
    :param recheck: seconds to wait before each further look at people whom another task had claimed.
    """

    event: str
    facts: EventFacts
    templates: MailTemplates
    sender: Address
    columns: Columns = field(default_factory=Columns)
    again: str | None = None
    calendar: bool = True
    pace: SendingPace = field(default_factory=SendingPace)
    recheck: Sequence[float] = (0.5, 1.0, 2.0, 4.0)


def run_job(
    job: MailJob,
    rows: Iterable[Any],
    ledger: MailLedger,
    connect: Callable[[], smtplib.SMTP],
    report: MailReport,
    *,
    show_links: ShowLinks | None = None,
    stop: threading.Event | None = None,
) -> None:
    """
    Check the whole list, then mail everybody who has no mail yet.

    :param job: what to mail.
    :param rows: dicts of column and value.
    :param ledger: remembers who was mailed; its attempt has started.
    :param connect: opens a connection to the mail server.
    :param report: counts what came of everybody, also if the job fails.
    :param show_links: reads the links that the service shows now; None does not ask.
    :param stop: ends every wait, and the sending, once it is set.
    :raises ListRefused: a link may not be the right person's. Nobody was mailed.
    :raises TemplateProblem: a template names what is not there. Nobody was mailed.
    :raises TeamsRegistrationError: the ledger, the service or the mail server failed.
    """
    recipients = _passed(job, rows, ledger, report, show_links)
    policy = Policy(
        event=job.event,
        event_start=utc_text(job.facts.start) if job.facts.start else None,
        fingerprints=job.templates.fingerprints,
        message_domain=job.sender.domain,
        run_key=ledger.run_key,
        is_shared=ledger.is_shared,
        again=job.again,
    )
    planned = _planned(recipients, ledger, policy, report)
    _check_rendering(job, planned)
    stop = stop or threading.Event()
    mailer = Mailer(ledger, connect, lambda mail: _message(job, mail), report, pace=job.pace, stop=stop)
    mailer.send(planned)
    by_position = {one.position: one for one in recipients}
    for pause in job.recheck:
        claimed = report.take_claimed_elsewhere()
        if not claimed:
            return
        stop.wait(pause)
        mailer.send(_planned([by_position[position] for position in claimed], ledger, policy, report))


def rows_of_ledger(records: Iterable[RegistrationRecord]) -> list[dict[str, Any]]:
    """
    Return the people of a webinar as rows, as far as the ledger knows them: address, id, outcome and link.

    :param records: the webinar's registrations in the ledger.
    """
    return [
        {
            "id": one.external_id,
            "email": one.registrant,
            "outcome": one.outcome.value,
            "join_web_url": one.join_web_url,
            "error": one.error,
        }
        for one in records
        if one.state not in PENDING and one.outcome is not Outcome.CANCELLED
    ]


def _passed(
    job: MailJob, rows: Iterable[Any], ledger: MailLedger, report: MailReport, show_links: ShowLinks | None
) -> list[Recipient]:
    reference = EventRef.of(job.facts)
    read_key = id_key if reference is not None and reference.kind.is_keyed_by_id else mailbox_key
    read, left_out = read_recipients(rows, job.columns, read_key)
    registrations = ledger.registrations([one.key for one in read]) if ledger.is_shared else None
    completed = [with_ledger(one, (registrations or {}).get(one.key)) for one in read]
    recipients: list[Recipient] = []
    for one in completed:
        if isinstance(one, LeftOut):
            left_out.append(one)
        elif one.kind is None:
            left_out.append(LeftOut(one.position, _without_a_kind(one.outcome), one.outcome is Outcome.DECLINED))
        else:
            recipients.append(one)
    shown = show_links([one for one in recipients if one.join_web_url]) if show_links else None
    gate = check(recipients, registrations, shown)
    if gate.problems:
        raise ListRefused(f"Nobody was mailed. {' '.join(gate.problems)} Correct the rows or the ledger first.")
    report.count_left_out([*left_out, *gate.left_out])
    return list(gate.passed)


def _without_a_kind(outcome: Outcome | None) -> str:
    if outcome is None:
        return "neither the row nor a ledger says what became of the person on the event"
    return f"not on the event ({outcome.value})"


def _planned(
    recipients: Sequence[Recipient], ledger: MailLedger, policy: Policy, report: MailReport
) -> list[PlannedMail]:
    mails = ledger.load_mails([one.key for one in recipients])
    planned: list[PlannedMail] = []
    for one in recipients:
        decided = plan(one, mails.get(one.key), policy)
        if isinstance(decided, Skip):
            report.count_skip(one.position, decided)
        else:
            planned.append(decided)
    return planned


def _check_rendering(job: MailJob, mails: Iterable[PlannedMail]) -> None:
    for mail in mails:
        try:
            _render(job, mail)
        except TemplateProblem as error:
            position = mail.recipient.position
            raise TemplateProblem(f"{error} Row {position} was the first for which it did.") from None


def _render(job: MailJob, mail: PlannedMail) -> Rendered:
    recipient = mail.recipient
    return job.templates.render(
        mail.kind,
        {
            "row": recipient.row,
            "name": recipient.name,
            "join_web_url": recipient.join_web_url,
            "event": event_in_mail(job.facts, recipient.row),
            "is_update": mail.is_update,
        },
    )


def _message(job: MailJob, mail: PlannedMail) -> EmailMessage:
    now = datetime.now(timezone.utc)
    number = mail.claim.number
    entry = None
    if job.calendar:
        entry = calendar_entry(job.facts, job.event, mail.recipient, mail.kind, number, str(job.sender), now)
    return build_message(
        mail.recipient,
        _render(job, mail),
        sender=job.sender,
        message_id=mail.claim.message_id or "",
        now=now,
        entry=entry,
    )
