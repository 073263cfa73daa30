"""What a run left behind: Airflow's rows, the emulator's books and the mails, put side by side."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from airflow_provider_teams_registration.emulator.server import Emulator
    from dev.demo.mail_sink import MailSink

_ENROLLED = ("enrolled", "already_enrolled")
_STYLES = {"enrolled": "green", "invalid": "yellow", "waitlisted": "yellow", "rejected": "red", "unknown": "red"}


@dataclass(frozen=True)
class Result:
    """
    One attendee's way from the warehouse to the inbox.

    :param row: what the operator returned.
    :param mails: how many mails arrived.
    :param has_own_link: whether the mail held the link that Graph's books have for this very person.
    """

    row: dict[str, Any]
    mails: int
    has_own_link: bool


def enrolled_rows(database: Path, dag_id: str) -> list[dict[str, Any]]:
    """Return what the ``enroll`` task of the latest run left in XCom; nothing where it did not get there."""
    with closing(sqlite3.connect(database)) as airflow:
        found = airflow.execute(
            "SELECT value FROM xcom WHERE dag_id = ? AND task_id = 'enroll' AND key = 'return_value' "
            "ORDER BY timestamp DESC LIMIT 1",
            (dag_id,),
        ).fetchone()
    value = json.loads(found[0]) if found else []
    rows: list[dict[str, Any]] = json.loads(value) if isinstance(value, str) else value
    return rows


def compare(rows: list[dict[str, Any]], emulator: Emulator, mail_sink: MailSink) -> list[Result]:
    """Put the three side by side, person by person."""
    links = {registrant.id: registrant.join_web_url for registrant in emulator.store.enrolled(emulator.meeting_id)}
    mailed = mail_sink.links()
    return [
        Result(row, len(mailed.get(row["email"], [])), mailed.get(row["email"]) == [links.get(row["id"])])
        for row in rows
    ]


def compare_webinar(rows: list[dict[str, Any]], emulator: Emulator, mail_sink: MailSink) -> list[Result]:
    """Put the three side by side for the webinar, person by person."""
    registered = emulator.store.webinars.registered(emulator.waitlist_webinar_id)
    links = {one.email: one.join_web_url for one in registered}
    mailed = mail_sink.links()
    return [
        Result(row, len(mailed.get(row["email"], [])), mailed.get(row["email"]) == [links.get(row["email"])])
        for row in rows
    ]


def show(results: list[Result], console: Console, title: str = "From the warehouse to the inbox") -> None:
    """Print the table."""
    table = Table(title=title, box=box.SIMPLE_HEAD)
    for column in ("id", "name", "outcome", "mail", "own link", "error"):
        table.add_column(column, overflow="fold")
    for result in results:
        row = result.row
        style = _STYLES.get(row["outcome"], "")
        table.add_row(
            row["id"] or "(empty)",
            f"{row['first_name']} …",
            f"[{style}]{row['outcome']}[/]",
            "arrived" if result.mails else "none",
            "yes" if result.has_own_link else "-",
            row["error"] or "",
        )
    console.print(table)


def show_mail(text: str, console: Console) -> None:
    """Print one mail as its reader gets it."""
    if text:
        # The text is somebody's data, and no markup.
        console.print(Panel(Text(text), title="One of the mails", box=box.ROUNDED, expand=False))


def same_links(first: list[Result], second: list[Result]) -> int:
    """Return how many people got the same link from both runs."""
    links = {result.row["id"]: result.row["join_web_url"] for result in first if result.row["join_web_url"]}
    return sum(links.get(result.row["id"], "") == result.row["join_web_url"] for result in second)


def people_sent(emulator: Emulator) -> list[str]:
    """Return whom Graph was told to enroll since its journal was cleared last, once for each time."""
    return [entry.registrant_id for entry in emulator.store.journal if entry.method == "POST" and entry.registrant_id]


def is_as_it_should_be(results: list[Result]) -> bool:
    """Whether everybody enrolled has one mail with their own link, and nobody else has any."""
    return bool(results) and all(
        (result.mails == 1 and result.has_own_link) if result.row["outcome"] in _ENROLLED else result.mails == 0
        for result in results
    )
