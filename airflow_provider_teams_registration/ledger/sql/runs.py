"""The part of the SQL ledger that knows runs: their attempts, deferrals, shared quota and stored rows."""

from __future__ import annotations

import json
from abc import ABC
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Any, ClassVar

import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.exceptions import Fenced
from airflow_provider_teams_registration.ledger.base import Ledger, RowStore, refuse_impossible_event
from airflow_provider_teams_registration.ledger.shared_quota import SharedQuota
from airflow_provider_teams_registration.ledger.sql import attempts, waiting_rows
from airflow_provider_teams_registration.ledger.sql import quota as sql_quota
from airflow_provider_teams_registration.ledger.sql.clock import DatabaseClock
from airflow_provider_teams_registration.ledger.sql.opening import Opening
from airflow_provider_teams_registration.ledger.sql.records import execute, row_key
from airflow_provider_teams_registration.ledger.sql.results import read_results, result_of
from airflow_provider_teams_registration.ledger.sql.tables import tables
from airflow_provider_teams_registration.ledger.sql.transactions import Transactions


class SqlRuns(Ledger, ABC):
    """
    Keeps the runs of a SQL ledger. A subclass keeps the registrants.

    :param engine: the database, as SQLAlchemy reaches it.
    :param table: the name of the ledger's table.
    :param run: the run that enrolls.
    :param store_join_urls: whether the ledger stores links.
    :param max_tries: how often a transaction is tried at most.
    :raises ValueError: the name is no table name.
    """

    is_durable: ClassVar[bool] = True
    is_shared: ClassVar[bool] = True

    def __init__(
        self, engine: sa.Engine, table: str, run: TaskRun | None, *, store_join_urls: bool, max_tries: int
    ) -> None:
        super().__init__(run, store_join_urls=store_join_urls)
        self._engine = engine
        self._tables = tables(table)
        self._transact = Transactions(engine, self._tables, max_tries)
        self._opening = Opening(self._transact, engine, self._tables)
        self.event = ""
        self.run_key = ""
        self._clock: DatabaseClock | None = None

    @property
    def row_store(self) -> RowStore:
        """The ledger itself: it has a table for rows."""
        return self

    def open_early(self) -> None:
        """Start to create missing tables and to ask the database's clock."""
        self._opening.begin()

    def start_attempt(self, event: str) -> None:
        """Create missing tables, and take over from older attempts of the same run."""
        refuse_impossible_event(event)
        self.event = event
        self.run_key = self._key(event)
        self._clock = self._opening.finish()
        self.attempt = self._transact(
            partial(
                attempts.start, tables=self._tables, run_key=self.run_key, event=event, run=self.run, now=self.now()
            )
        )

    def _key(self, event: str) -> str:
        return row_key(event, self.run.dag_id, self.run.run_id, self.run.task)

    def now(self) -> datetime:
        """Return the database's time in UTC."""
        assert self._clock is not None
        return self._clock.now()

    def _load_quota(self, quota: SharedQuota) -> None:
        key, table = str(quota.key), self._tables.quota
        self._transact(lambda connection: sql_quota.add_row(connection, table, key, self.now()))
        self._transact(lambda connection: sql_quota.load(connection, table, self.run_key, quota, self.now()))

    def save_deferral(self, data: Mapping[str, Any]) -> None:
        """Keep, in the run's row, what the attempt that resumes this one has to know."""
        self._change_run(deferral=json.dumps(data))

    def load_deferral(self) -> Mapping[str, Any] | None:
        """Return what an earlier attempt of this run kept."""
        runs = self._tables.runs
        query = sa.select(runs.c.deferral).where(runs.c.run_key == self.run_key)
        text = self._transact(lambda connection: connection.execute(query).scalar())
        try:
            found = json.loads(text) if text else None
        except (TypeError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def save_input(self, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Keep the input rows, if JSON gives back the same values."""

        def save(connection: sa.Connection) -> None:
            self._hold_fence(connection)
            waiting_rows.save(connection, self._tables, self.run_key, values or [])

        values = waiting_rows.as_stored(self.run_key, rows)
        if values is not None:
            self._transact(save)
        return values is not None

    def load_input(self, event: str, attempt: int) -> list[dict[str, Any]] | None:
        """Return the input rows that an attempt of this run kept when it was deferred."""
        refuse_impossible_event(event)
        key = self._key(event)
        return self._transact(partial(waiting_rows.load, tables=self._tables, run_key=key, attempt=attempt))

    def finish_attempt(self, summary: Mapping[str, Any]) -> None:
        """Store the counts of the attempt, unless it never started or a newer one has."""
        if not self.attempt:
            return
        self._change_run(ended_at=self.now(), summary=json.dumps(summary), deferral=None)

    def close(self) -> None:
        """Close the connections."""
        self._opening.close()
        self._engine.dispose()

    def write_results(self, rows: Sequence[tuple[int, str | None, Mapping[str, Any], Outcome, str | None]]) -> None:
        """
        Store rows that do not fit XCom.

        :param rows: for each row, its position, the registrant's key (None if the row is invalid), the row, its outcome
            and its error.
        :raises Fenced: a newer attempt has started, and its rows replace ours.
        """

        def insert(connection: sa.Connection) -> None:
            self._hold_fence(connection)
            connection.execute(self._tables.results.insert(), values)

        values = [result_of(self.run_key, self.event, *row) for row in rows]
        if values:
            self._transact(insert)

    def read_results(self, run_key: str, attempt: int, after: int, up_to: int) -> list[dict[str, Any]]:
        """
        Read stored rows, in input order.

        :param run_key: the key of the run that stored them.
        :param attempt: the attempt that stored them.
        :param after: the last position to skip.
        :param up_to: the last position to read.
        :return: the input rows, each with ``outcome``, ``join_web_url`` and ``error``.
        :raises LedgerFailure: a newer attempt has started, and its rows replace these.
        """
        self._transact(partial(attempts.refuse_newer, tables=self._tables, run_key=run_key, attempt=attempt))
        return self._transact(partial(read_results, tables=self._tables, run_key=run_key, after=after, up_to=up_to))

    def _change_run(self, **values: Any) -> None:
        """Change the run's row, unless a newer attempt has started."""
        runs = self._tables.runs
        mine = (runs.c.run_key == self.run_key, runs.c.attempt == self.attempt)
        self._transact(partial(execute, statement=runs.update().where(*mine).values(values)))

    def _share_quota(self, connection: sa.Connection) -> None:
        """Exchange the quota with other runs. A write does so first, so that all runs lock in the same order."""
        if self._quota is not None:
            sql_quota.share(connection, self._tables.quota, self.run_key, self._quota, self.now())

    @cached_property
    def _fence(self) -> sa.Update:
        runs = self._tables.runs
        mine = runs.c.run_key == sa.bindparam("key_of_run"), runs.c.attempt == sa.bindparam("own_attempt")
        return runs.update().where(*mine).values(last_seen=sa.bindparam("last_seen"))

    def _hold_fence(self, connection: sa.Connection) -> None:
        """Lock the run's row until the transaction ends, so that no newer attempt starts meanwhile."""
        values = {"key_of_run": self.run_key, "own_attempt": self.attempt, "last_seen": self.now()}
        held = connection.execute(self._fence, values)
        if held.rowcount == 0:
            raise Fenced("A newer attempt of this task has taken over. This attempt sends no more.")
