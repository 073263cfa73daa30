"""``python -m dev.benchmarks.mail_run WAY PEOPLE PORT``: mail people from a process of its own, and tell the cost."""

from __future__ import annotations

import json
import resource
import smtplib
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from airflow_provider_teams_registration.core.event_facts import read_event_facts
from airflow_provider_teams_registration.core.mail import MailKind
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.ledger.sql.mail import SqlMailLedger
from airflow_provider_teams_registration.mail.job import MailJob, run_job
from airflow_provider_teams_registration.mail.report import MailReport
from airflow_provider_teams_registration.mail.templating import MailTemplates, default_source

_EVENT = "webinar"
_SENDER = Address("Events", "events", "example.org")
Rows = list[dict[str, Any]]


def _rows(people: int) -> Rows:
    return [
        {
            "email": f"person.{number}@example.org",
            "first_name": "Ada",
            "last_name": f"Example {number}",
            "outcome": Outcome.ENROLLED.value,
            "join_web_url": f"https://teams.example/l/meetup-join/{number:06d}?context={'x' * 120}",
        }
        for number in range(people)
    ]


def _mail_bare(rows: Rows, port: int) -> None:
    """Send a line of text each: the least that a loop of one's own does."""
    with smtplib.SMTP("127.0.0.1", port) as client:
        for row in rows:
            message = EmailMessage()
            message["Subject"], message["From"], message["To"] = "Your link", str(_SENDER), row["email"]
            message.set_content(f"Join with {row['join_web_url']}")
            client.send_message(message)


def _mail_ours(rows: Rows, port: int, folder: Path) -> Callable[[], None]:
    """Prepare a ledger with the people in it, and return what mails them."""
    database = f"sqlite:///{folder}/ledger.db"
    enrolled = SqlMailLedger(sa.create_engine(database), run=TaskRun("dag", "run", "enroll"))
    enrolled.start_attempt(_EVENT)
    enrolled.write(
        [RegistrationRecord(row["email"], "", Outcome.ENROLLED, join_web_url=row["join_web_url"]) for row in rows]
    )
    enrolled.close()
    start = datetime.now(timezone.utc) + timedelta(days=3)
    facts = read_event_facts(
        {"webinar_id": _EVENT, "title": "Spring", "start": start, "end": start + timedelta(hours=1)}
    )
    job = MailJob(_EVENT, facts, MailTemplates({MailKind.JOIN: default_source(MailKind.JOIN)}), _SENDER)

    def mail() -> None:
        ledger = SqlMailLedger(sa.create_engine(database), run=TaskRun("dag", "run", "mail"))
        ledger.start_attempt(_EVENT)
        run_job(job, rows, ledger, lambda: smtplib.SMTP("127.0.0.1", port), MailReport())
        ledger.close()

    return mail


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    """Mail, and print seconds, CPU seconds and MB as JSON."""
    way, people, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rows = _rows(people)
    with tempfile.TemporaryDirectory() as folder:
        mail = _mail_ours(rows, port, Path(folder)) if way == "ours" else lambda: _mail_bare(rows, port)
        held, started, cpu = _peak_mb(), time.monotonic(), time.process_time()
        mail()
        taken = {"seconds": time.monotonic() - started, "cpu": time.process_time() - cpu, "mb": _peak_mb() - held}
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
