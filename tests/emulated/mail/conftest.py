"""A mail server, a ledger with people in it, and a job to mail them."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.event_facts import EventFacts, read_event_facts
from airflow_provider_teams_registration.core.mail import MailKind
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from airflow_provider_teams_registration.ledger.sql.mail import SqlMailLedger
from airflow_provider_teams_registration.mail.job import MailJob, run_job
from airflow_provider_teams_registration.mail.message import read_sender
from airflow_provider_teams_registration.mail.report import MailReport
from airflow_provider_teams_registration.mail.sender import SendingPace
from airflow_provider_teams_registration.mail.templating import MailTemplates, default_source
from tests.mail_server import MailServer

WEBINAR = "webinar-1"
FACTS = {
    "webinar_id": WEBINAR,
    "title": "Launch day",
    "start": "2026-12-01T09:00:00Z",
    "end": "2026-12-01T10:00:00Z",
    "time_zone": "Europe/Rome",
}


def link(number: int) -> str:
    return f"https://teams.microsoft.com/l/meetup-join/canary?context=canary-{number}&x=1"


def address(number: int) -> str:
    return f"canary-{number}@example.org"


def row(number: int, **more: Any) -> dict[str, Any]:
    given = {"email": address(number), "first_name": f"Canary{number}", "outcome": "enrolled"}
    return {**given, "join_web_url": link(number), "error": None, **more}


@pytest.fixture(scope="session")
def _mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def mail_server(_mail_server: MailServer) -> MailServer:
    """A mail server without mails and without faults."""
    server = _mail_server
    server.behaviour = type(server.behaviour)()
    server.mails, server.commands, server.connections = [], [], 0
    return server


class Desk:
    """Mails people as a task does, over a ledger in SQLite."""

    def __init__(self, url: str, mail_server: MailServer, table: str = "teams_registration_ledger") -> None:
        self.url = url
        self.table = table
        self.mail_server = mail_server
        self.connect: Callable[[], smtplib.SMTP] = lambda: smtplib.SMTP("127.0.0.1", mail_server.port, timeout=10)

    def enroll(self, *numbers: int, event: str = WEBINAR, **changes: Any) -> None:
        """Put people into the ledger, as the task that enrolls does."""
        ledger = SqlLedger(sa.create_engine(self.url), self.table, run=TaskRun("dag", "run", "enroll"))
        ledger.start_attempt(event)
        known = ledger.load([address(number) for number in numbers])
        for number in numbers:
            fields = {"outcome": Outcome.ENROLLED, "join_web_url": link(number), **changes}
            before = known.get(address(number))
            version = before.version if before else 0
            written = ledger.write([RegistrationRecord(address(number), "f", version=version, **fields)])
            assert written.stored
        ledger.close()

    def open_ledger(self, run: str = "run", task: str = "mail", facts: EventFacts | None = None) -> SqlMailLedger:
        ledger = SqlMailLedger(sa.create_engine(self.url), self.table, run=TaskRun("dag", run, task))
        ledger.start_attempt((facts.id if facts else None) or WEBINAR)
        return ledger

    def job(self, **changes: Any) -> MailJob:
        facts = read_event_facts({**FACTS, **changes.pop("facts", {})})
        sources = {kind: default_source(kind) for kind in MailKind}
        fields = {
            "event": facts.id,
            "facts": facts,
            "templates": MailTemplates(sources),
            "sender": read_sender("Events <events@example.com>"),
            "pace": SendingPace(pauses=(0.01, 0.01), reconnect_pause=0.01),
            "recheck": (0.01,),
        }
        return MailJob(**{**fields, **changes})

    def mail(
        self, rows: Any, *, run: str = "run", ledger: Any = None, show_links: Any = None, **changes: Any
    ) -> MailReport:
        job = self.job(**changes)
        report = MailReport()
        opened = ledger or self.open_ledger(run, facts=job.facts)
        try:
            run_job(job, rows, opened, self.connect, report, show_links=show_links)
        finally:
            opened.close()
        return report

    def ask(self, sql: str) -> list[Any]:
        engine = sa.create_engine(self.url)
        with engine.begin() as connection:
            result = connection.execute(sa.text(sql))
            found = list(result.all()) if result.returns_rows else []
        engine.dispose()
        return found


@pytest.fixture
def desk(tmp_path: Any, mail_server: MailServer) -> Desk:
    return Desk(f"sqlite:///{tmp_path / 'ledger.db'}", mail_server)
