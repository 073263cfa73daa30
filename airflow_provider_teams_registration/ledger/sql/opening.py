"""Create the tables of the SQL ledger and ask its clock, in the background while the caller waits for Graph."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import sqlalchemy as sa
from sqlalchemy.pool import SingletonThreadPool, StaticPool

from airflow_provider_teams_registration.ledger.sql.clock import DatabaseClock
from airflow_provider_teams_registration.ledger.sql.tables import Tables
from airflow_provider_teams_registration.ledger.sql.transactions import Transactions

_OF_ONE_THREAD = (SingletonThreadPool, StaticPool)
"""Pools whose connection belongs to one thread, as that of a database in memory."""


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
        if self._begun is None and not isinstance(self._engine.pool, _OF_ONE_THREAD):
            thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
            self._begun = thread.submit(self._open)
            thread.shutdown(wait=False)

    def finish(self) -> DatabaseClock:
        """
        Wait until the ledger is open, or open it now.

        :return: the database's clock.
        :raises LedgerFailure: the database is out of reach, or refuses the tables.
        """
        begun, self._begun = self._begun, None
        return self._open() if begun is None else begun.result()

    def close(self) -> None:
        """Wait for the thread, so that it leaves no connection open."""
        if self._begun is not None:
            self._begun.exception()

    def _open(self) -> DatabaseClock:
        self._transact(lambda connection: self._tables.runs.metadata.create_all(connection), is_creating=True)
        return self._transact(DatabaseClock)
