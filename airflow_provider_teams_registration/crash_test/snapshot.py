"""What a run left behind: the people on the emulator's events, and the rows that the DAG's tasks returned."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_teams_registration.emulator.server import Emulator


@dataclass(frozen=True)
class Registered:
    """
    One registration that is in force.

    :param event: id of the event.
    :param names: what identifies the person in a row: id, e-mail address, external id; lower case.
    :param join_url: the person's link; None if Graph gave them none.
    """

    event: str
    names: tuple[str, ...]
    join_url: str | None

    @property
    def person(self) -> tuple[str, str]:
        """The person on this event."""
        return self.event, self.names[0]


@dataclass(frozen=True)
class HandedOn:
    """
    One row with a join URL that a task returned.

    :param join_url: the link.
    :param values: the row's other texts, lower case.
    """

    join_url: str
    values: frozenset[str]


@dataclass(frozen=True)
class Snapshot:
    """
    What a run left behind.

    :param registered: every registration in force.
    :param handed_on: every row with a join URL in the run's XComs.
    """

    registered: tuple[Registered, ...]
    handed_on: tuple[HandedOn, ...]


def take_snapshot(emulator: Emulator, database: Path) -> Snapshot:
    """
    Read what a run left behind.

    :param emulator: the service.
    :param database: Airflow's SQLite database, which holds this one run.
    """
    return Snapshot(tuple(_registered(emulator)), tuple(_handed_on(database)))


def _registered(emulator: Emulator) -> Iterator[Registered]:
    store = emulator.store
    for meeting in store.meetings():
        for record in store.enrolled(meeting.id):
            yield Registered(meeting.id, (record.id.lower(),), record.join_web_url)
    for webinar in store.webinars.all():
        for one in store.webinars.registrations(webinar.id):
            if not one.is_canceled:
                names = (one.email, one.external_registration_id)
                yield Registered(webinar.id, tuple(name.lower() for name in names if name), one.join_web_url)


def _handed_on(database: Path) -> Iterator[HandedOn]:
    with closing(sqlite3.connect(database)) as airflow:
        tables = {name for (name,) in airflow.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        # Airflow 3.4 renamed the table.
        table = "xcom_v2" if "xcom_v2" in tables else "xcom"
        values = [value for (value,) in airflow.execute(f"SELECT value FROM {table}")]
    for row in _dicts(values):
        join_url = row.get("join_web_url")
        if isinstance(join_url, str):
            texts = frozenset(value.lower() for value in row.values() if isinstance(value, str))
            yield HandedOn(join_url, texts - {join_url.lower()})


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    """Return every object within a value, however it is nested and encoded."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    while isinstance(value, str) and value[:1] in ('"', "[", "{"):
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list) or (isinstance(item, str | bytes) and len(item) > 1):
                yield from _dicts(item)
