"""One real emulator for all tests, the client's objects to talk to it with, and a ledger."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.emulator.fixture import (  # noqa: F401
    teams_registration_emulator,
    teams_registration_server,
)
from airflow_provider_teams_registration.emulator.server import Emulator
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.graph.backoff import Backoff
from airflow_provider_teams_registration.graph.credentials.shared_tokens import forget_tokens
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.session import GraphSession
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger

RUN = TaskRun("dag", "run 1", "enroll")


@pytest.fixture
def emulator(teams_registration_emulator: Emulator) -> Iterator[Emulator]:  # noqa: F811
    """The emulator, with nobody enrolled, nobody signed in and nothing going wrong yet."""
    forget_tokens()
    yield teams_registration_emulator
    # What a meeting's preparation still reads would come up in the next test.
    for thread in threading.enumerate():
        if thread.name.startswith("prepare"):
            thread.join()


@pytest.fixture
def no_backoff() -> Backoff:
    """Waits that the service did not ask for take no time: a test that names this fixture has them in its settings."""
    return Backoff(first=0.001, longest=0.001, read_multiplier=0, read_longest=0)


@pytest.fixture
def settings(emulator: Emulator, request: pytest.FixtureRequest) -> GraphSettings:
    """The application's way to the emulator."""
    is_quick = "no_backoff" in request.fixturenames
    return GraphSettings(
        tenant_id=emulator.tenant_id,
        client_id=emulator.client_id,
        client_secret=emulator.client_secret,
        authority=emulator.url,
        base_url=emulator.url,
        verify=emulator.ca_file,
        disable_instance_discovery=True,
        backoff=request.getfixturevalue("no_backoff") if is_quick else Backoff(),
    )


@pytest.fixture
def delegated_settings(settings: GraphSettings, emulator: Emulator) -> GraphSettings:
    """The signed-in organizer's way to the emulator."""
    return replace(settings, auth="refresh_token", refresh_token=emulator.refresh_token)


@pytest.fixture
def open_session() -> Iterator[Callable[..., GraphSession]]:
    """Makes sessions and closes them after the test."""
    opened: list[GraphSession] = []

    def make(settings: GraphSettings, on_new_refresh_token: Callable[[str], None] | None = None) -> GraphSession:
        opened.append(GraphSession(settings, on_new_refresh_token))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def graph_session(open_session: Callable[..., GraphSession], settings: GraphSettings) -> GraphSession:
    """A session of the application."""
    return open_session(settings)


@pytest.fixture
def delegated_session(open_session: Callable[..., GraphSession], delegated_settings: GraphSettings) -> GraphSession:
    """A session of the signed-in organizer."""
    return open_session(delegated_settings)


@pytest.fixture
def meeting(graph_session: GraphSession, emulator: Emulator) -> OnlineMeeting:
    """The meeting that is open to everyone, as the application sees it."""
    return OnlineMeeting(graph_session, emulator.meeting_id, emulator.organizer_id)


@pytest.fixture
def event(meeting: OnlineMeeting, graph_session: GraphSession) -> MeetingEvent:
    """The meeting that is open to everyone."""
    return MeetingEvent(meeting, graph_session.rate_limiter)


@pytest.fixture
def delegated_meeting(delegated_session: GraphSession, emulator: Emulator) -> OnlineMeeting:
    """The meeting that is open to everyone, as its organizer sees it."""
    return OnlineMeeting(delegated_session, emulator.meeting_id)


@pytest.fixture
def person_in_link() -> Callable[[str], str]:
    """Reads whose link it is out of the link."""

    def read(join_web_url: str) -> str:
        (context,) = parse_qs(urlsplit(join_web_url).query)["context"]
        return str(json.loads(context)["prid"])

    return read


@pytest.fixture
def calls(emulator: Emulator) -> Callable[[str], list[str]]:
    """Lists the HTTP calls that reached Graph, items of batches left out: ``GET``, ``POST $batch`` and so on."""

    def made(ending: str = "") -> list[str]:
        entries = [entry for entry in emulator.store.journal if entry.batch is None]
        words = [f"{entry.method} {entry.path.rsplit('/', 1)[-1]}" for entry in entries]
        return [word for word in words if word.endswith(ending)]

    return made


@pytest.fixture
def books_links(emulator: Emulator) -> Callable[[], dict[str, str]]:
    """Everybody's real link; fails where somebody is on the meeting twice."""

    def read() -> dict[str, str]:
        records = emulator.store.enrolled(emulator.meeting_id)
        found = {record.id: record.join_web_url for record in records}
        assert len(found) == len(records)
        return found

    return read


@pytest.fixture
def open_ledger(tmp_path: Path) -> Iterator[Callable[..., SqlLedger]]:
    """Opens the ledger that all runs of a test share; closes what was opened after the test."""
    opened: list[SqlLedger] = []

    def make(run: TaskRun = RUN, **options: Any) -> SqlLedger:
        opened.append(SqlLedger(sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}"), run=run, **options))
        return opened[-1]

    yield make
    for each in opened:
        each.close()
