"""Create the tables of the SQL ledger and ask its clock, in the background while the caller waits for Graph."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future, wait

import sqlalchemy as sa
from sqlalchemy.pool import SingletonThreadPool, StaticPool

from airflow_provider_teams_registration.ledger.sql.clock import DatabaseClock
from airflow_provider_teams_registration.ledger.sql.tables import Tables
from airflow_provider_teams_registration.ledger.sql.transactions import Transactions

_OF_ONE_THREAD = (SingletonThreadPool, StaticPool)
"""Pools whose connection belongs to one thread, as that of a database in memory."""
_LONGEST_WAIT = 5.0
"""Seconds that a task waits at its end for a database that does not answer. Its time limit may be over already."""


class Opening:
    """
    Opens the ledger once.

    :param transact: runs the transactions.
    :param engine: the database.
    :param tables: the tables to create.
    """

    def __init__(self, transact: Transactions, engine: sa.Engine, tables: Tables) -> None:
        self._transact = transact
        self._engine = engine
        self._tables = tables
        self._begun: Future[DatabaseClock] | None = None

    def begin(self) -> None:
        """Start to open the ledger in a thread of its own."""
        if self._begun is not None or isinstance(self._engine.pool, _OF_ONE_THREAD):
            return
        begun: Future[DatabaseClock] = Future()
        # A database that does not answer must not keep the process from ending.
        thread = threading.Thread(target=self._open_into, args=(begun,), name="ledger", daemon=True)
        # A machine that has no room for a thread opens the ledger later, in this one.
        with contextlib.suppress(RuntimeError):
            thread.start()
            self._begun = begun

    def finish(self) -> DatabaseClock:
        """
        Wait until the ledger is open, or open it now.

        :return: the database's clock.
        :raises LedgerFailure: the database is out of reach, or refuses the tables.
        """
        if self._begun is None:
            return self._open()
        # If the task's time limit ends this wait, close() knows of the thread.
        wait([self._begun])
        begun, self._begun = self._begun, None
        return begun.result()

    def close(self) -> None:
        """Wait a few seconds for the thread, so that it leaves no connection open."""
        if self._begun is not None:
            wait([self._begun], _LONGEST_WAIT)

    def _open_into(self, begun: Future[DatabaseClock]) -> None:
        try:
            begun.set_result(self._open())
        except BaseException as error:
            begun.set_exception(error)

    def _open(self) -> DatabaseClock:
        self._transact(lambda connection: self._tables.runs.metadata.create_all(connection), is_creating=True)
        return self._transact(DatabaseClock)
