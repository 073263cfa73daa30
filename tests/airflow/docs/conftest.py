"""What the code of the documentation needs: the emulator as the service, a warehouse, and a mail server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.mail_server import MailServer

ANOTHER_MEETING = "MSpl-another-meeting"


@pytest.fixture
def surroundings(emulator, tmp_path, monkeypatch) -> Iterator[MailServer]:
    """Declare the connections and variables that the pages name. Return the mail server."""
    warehouse = tmp_path / "warehouse.db"
    with closing(sqlite3.connect(warehouse)) as connection, connection:
        connection.execute("CREATE TABLE attendees (event TEXT, id TEXT, email TEXT)")
        connection.executemany(
            "INSERT INTO attendees VALUES ('launch', ?, ?)",
            [("crm-1", "ada@example.org"), ("crm-2", "grace@example.org")],
        )
    application = emulator.connection()
    application["extra"]["write_limit"] = 1000
    emulator.store.add_meeting("Another meeting", ANOTHER_MEETING, "everyone")
    with MailServer() as mail_server:
        connections = {
            "teams_registration_default": application,
            "teams_organizer": emulator.connection("refresh_token"),
            "warehouse": {"conn_type": "sqlite", "host": str(warehouse)},
            "smtp_default": {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": mail_server.port,
                "extra": {"disable_ssl": True, "disable_tls": True},
            },
        }
        for name, fields in connections.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))
        for name in ("meeting_id", "organizer_id", "webinar_id"):
            monkeypatch.setenv(f"AIRFLOW_VAR_TEAMS_{name.upper()}", getattr(emulator, name))
        link = emulator.store.meeting(emulator.meeting_id).join_web_url
        monkeypatch.setenv("AIRFLOW_VAR_TEAMS_MEETING_LINK", link)
        yield mail_server


@pytest.fixture
def with_ids(emulator) -> Callable[[str], str]:
    """Put the emulator's ids in the place of those that a page shows."""
    meeting_id = emulator.meeting_id
    replaced = {
        "MSpkYzE3...": meeting_id,
        "MSpk…": meeting_id,
        "MSpl…": ANOTHER_MEETING,
        "dc17674c-...": emulator.organizer_id,
        "<organizer's object id>": emulator.organizer_id,
        'organizer_id="…"': f'organizer_id="{emulator.organizer_id}"',
        "123 456 789 01": emulator.store.meeting(meeting_id).join_meeting_id,
        "9de4b8fa-...@6a6b9d5b-...": emulator.webinar_id,
        "f4b39f1c-...": emulator.webinar_id,
        'webinar_id="…"': f'webinar_id="{emulator.webinar_id}"',
        "WEBINAR_ID": emulator.webinar_id,
        '"Launch"': '"Open webinar"',
        "<webinar's name>": "Open webinar",
        "<tenant id>": emulator.tenant_id,
        "<client id>": emulator.client_id,
        "<secret value>": emulator.client_secret,
    }

    def put(text: str) -> str:
        for shown, real in replaced.items():
            text = text.replace(shown, real)
        return text

    return put
