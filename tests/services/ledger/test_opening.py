"""A ledger that opens in the background keeps nobody waiting for long, whatever happens meanwhile."""

import signal
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from tests.services.ledger.kinds import EVENT, RUN

_HANGING = """
import threading
import sqlalchemy as sa
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
engine = sa.create_engine("sqlite:///" + {path!r})
sa.event.listen(engine, "connect", lambda *_: threading.Event().wait())
ledger = SqlLedger(engine)
ledger.open_early()
ledger.close()
print("closed")
"""


class TimeLimit(Exception):
    """What the alarm raises in the main thread, as Airflow does."""


@pytest.fixture
def answers():
    """Set once the database answers."""
    answers = threading.Event()
    yield answers
    answers.set()


@pytest.fixture
def ledger(tmp_path, answers):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    sa.event.listen(engine, "connect", lambda *_: answers.wait(120))
    return SqlLedger(engine, run=RUN)


def opening_threads():
    return [thread for thread in threading.enumerate() if thread.name == "ledger"]


def test_a_database_that_does_not_answer_keeps_no_process_from_ending(tmp_path):
    code = _HANGING.format(path=str(tmp_path / "ledger.db"))
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=90, check=False)

    assert (ended.returncode, ended.stdout.strip()) == (0, "closed"), ended.stderr


def test_a_time_limit_that_ends_the_wait_leaves_no_connection_open(ledger, answers):
    def limit(*_):
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, limit)
    ledger.open_early()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(TimeLimit):
            ledger.start_attempt(EVENT)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    threading.Timer(0.2, answers.set).start()
    ledger.close()

    for thread in opening_threads():
        thread.join(30)
    assert answers.is_set()
    assert opening_threads() == []


def test_a_machine_without_room_for_a_thread_opens_the_ledger_later(ledger, answers, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    answers.set()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        ledger.open_early()
    ledger.start_attempt(EVENT)

    assert ledger.attempt == 1
    ledger.close()


def test_an_error_of_the_thread_comes_from_the_start_and_the_next_start_tries_again(tmp_path):
    path = tmp_path / "later" / "ledger.db"
    ledger = SqlLedger(sa.create_engine(f"sqlite:///{path}"), run=RUN)
    ledger.open_early()
    with pytest.raises(LedgerFailure):
        ledger.start_attempt(EVENT)

    path.parent.mkdir()
    ledger.start_attempt(EVENT)
    assert ledger.attempt == 1
    ledger.close()


def test_a_ledger_in_memory_opens_in_its_own_thread():
    ledger = SqlLedger(sa.create_engine("sqlite://"), run=RUN)
    ledger.open_early()
    ledger.start_attempt(EVENT)
    assert ledger.attempt == 1
    ledger.close()
