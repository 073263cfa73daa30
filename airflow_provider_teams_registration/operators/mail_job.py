"""The arguments of the task that mails, as the job that they ask for."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.event_facts import EventFacts
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.hooks.failures import PermanentFailure
from airflow_provider_teams_registration.hooks.smtp import connect_with, sender_of
from airflow_provider_teams_registration.mail.job import MailJob, ShowLinks
from airflow_provider_teams_registration.mail.message import read_sender
from airflow_provider_teams_registration.mail.recipient import Columns
from airflow_provider_teams_registration.mail.sender import SendingPace
from airflow_provider_teams_registration.mail.shown_links import shown_links
from airflow_provider_teams_registration.mail.templating import MailTemplates
from airflow_provider_teams_registration.operators.mail_arguments import template_sources

if TYPE_CHECKING:
    from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator


def mail_job(operator: MailJoinLinksOperator, facts: EventFacts) -> tuple[MailJob, Callable[[], smtplib.SMTP]]:
    """
    Return what to mail, and how to reach the mail server.

    :param operator: the operator.
    :param facts: the event.
    :raises PermanentFailure: an argument cannot be right, a template does not compile, or a package is missing.
    :raises TeamsRegistrationError: the connection to the mail server does not exist.
    """
    if facts.id is None and operator.ledger_conn_id:
        raise PermanentFailure(
            "The rows do not say which event they are of, so the ledger cannot be read. Give webinar_id or meeting_id. "
            "Nobody was mailed."
        )
    try:
        templates = MailTemplates(template_sources(operator), operator.get_dag().get_template_env().loader)
        sender = read_sender(operator.from_email or sender_of(operator.smtp_conn_id))
    except ValueError as error:
        raise PermanentFailure(f"Nobody was mailed. {error}") from None
    job = MailJob(
        event=facts.id or "an event that is not named",
        facts=facts,
        templates=templates,
        sender=sender,
        columns=Columns(operator.email_column, tuple(operator.name_columns)),
        again=operator.again,
        calendar=operator.calendar and _has_calendar(operator, facts),
        pace=SendingPace(interval=60 / operator.rate if operator.rate else 0.0),
    )
    return job, connect_with(operator.smtp_conn_id)


def show_links(operator: MailJoinLinksOperator, event: EventRef | None) -> ShowLinks | None:
    """
    Return what reads the links that the event shows now; None if the author does not ask for that.

    :param operator: the operator.
    :param event: the event, if it is known.
    :raises PermanentFailure: the event shows no links.
    """
    if not operator.verify_links:
        return None
    if event is None or not event.kind.links_are_readable:
        raise PermanentFailure("verify_links needs a webinar, and the rows name none. Nobody was mailed.")
    shown = event.event(operator.new_hook().session)
    return lambda recipients: shown_links(shown, recipients)


def _has_calendar(operator: MailJoinLinksOperator, facts: EventFacts) -> bool:
    if facts.start is None or facts.end is None:
        operator.log.warning(
            "Neither Graph nor the argument event gives the event's times, so the mails have no calendar entry."
        )
        return False
    try:
        import icalendar  # noqa: F401
    except ImportError:
        raise PermanentFailure(
            "The package icalendar is not installed. Install airflow-provider-teams-registration[mail], or set "
            "calendar=False. Nobody was mailed."
        ) from None
    return True
