"""Runs over the real emulator, with ledgers that outlive them."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.emulator.server import Emulator
from airflow_provider_teams_registration.enrollment import sending
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.ledger import Run
from airflow_provider_teams_registration.enrollment.meeting_event import MeetingEvent
from airflow_provider_teams_registration.enrollment.report import Report
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.enrollment.sql_ledger import SqlLedger

RUN = Run("dag", "run 1", "enroll")


@pytest.fixture
def open_ledger(tmp_path):
    """Opens the ledger that all runs of a test share; closes what was opened after the test."""
    opened = []

    def make(run: Run = RUN, **options) -> SqlLedger:
        opened.append(SqlLedger(sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}"), run=run, **options))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def event(meeting, graph_session) -> MeetingEvent:
    """The meeting that is open to everyone."""
    return MeetingEvent(meeting, graph_session.pace)


@pytest.fixture
def enroll_all(event, open_ledger) -> Callable[..., Report]:
    """Enrolls people with the ledger, and sees to it that the counts add up to the input."""

    def run(rows, *, as_run=RUN, ledger=None, on=None, stop=None, **options) -> Report:
        report = enroll(
            on or event, rows, ledger=ledger or open_ledger(as_run), stop=stop, options=SendingOptions(**options)
        )
        summary = report.summary()
        assert sum(summary["outcomes"].values()) + summary["repeated"] == summary["rows"] == len(rows)
        assert [one.position for one in report.enrollments] == sorted({one.position for one in report.enrollments})
        return report

    return run


@pytest.fixture
def books_links(emulator: Emulator) -> Callable[[], dict[str, str]]:
    """Everybody's real link; fails where somebody is on the meeting twice."""

    def read():
        records = emulator.books.enrolled(emulator.meeting_id)
        found = {record.id: record.join_web_url for record in records}
        assert len(found) == len(records)
        return found

    return read


@pytest.fixture
def enrolls(emulator: Emulator) -> Callable[[], list[str]]:
    """Lists whom the service was asked to enroll since the journal was cleared, as often as it was."""
    return lambda: [entry.registrant_id for entry in emulator.books.journal if _is_about(entry, "POST")]


@pytest.fixture
def cancels(emulator: Emulator) -> Callable[[], list[str]]:
    """Lists whom the service was asked to take off since the journal was cleared, as often as it was."""
    return lambda: [entry.registrant_id for entry in emulator.books.journal if _is_about(entry, "DELETE")]


@pytest.fixture
def quick_looks(monkeypatch):
    """Looks at the event and the ledger follow one another quickly."""
    monkeypatch.setattr(sending, "_FIRST_LOOK_AT_EVENT", 0.05)
    monkeypatch.setattr(sending, "_LONGEST_BETWEEN_LOOKS_AT_EVENT", 0.1)
    monkeypatch.setattr(sending, "_SECONDS_BETWEEN_LOOKS_AT_LEDGER", 0.05)


def _is_about(entry, method):
    return entry.registrant_id is not None and entry.method == method
