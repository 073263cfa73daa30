"""A ledger in SQL tables, which is durable, shared by runs and DAGs, and open to queries."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Any, ClassVar

import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.exceptions import Fenced, LedgerFailure
from airflow_provider_teams_registration.ledger.base import Ledger, RowStore, Written, refuse_impossible_event
from airflow_provider_teams_registration.ledger.shared_quota import SharedQuota
from airflow_provider_teams_registration.ledger.sql import attempts
from airflow_provider_teams_registration.ledger.sql import quota as sql_quota
from airflow_provider_teams_registration.ledger.sql.clock import DatabaseClock
from airflow_provider_teams_registration.ledger.sql.direct import DirectWriter, NotAsRead
from airflow_provider_teams_registration.ledger.sql.opening import Opening
from airflow_provider_teams_registration.ledger.sql.records import (
    LOCKING,
    ChangedMeanwhile,
    add_rows,
    change_rows,
    checked_rows,
    links_of_others,
    overwrite_rows,
    read_entries,
    row_key,
    row_of,
    slices,
)
from airflow_provider_teams_registration.ledger.sql.results import read_results, result_of
from airflow_provider_teams_registration.ledger.sql.tables import DEFAULT_TABLE, tables
from airflow_provider_teams_registration.ledger.sql.transactions import Transactions

log = logging.getLogger(__name__)

MAX_TRIES = 6


class SqlLedger(Ledger):
    """
    Writes each batch in two short transactions: the claims before the call, the results after it.

    :param engine: the database, as SQLAlchemy reaches it.
    :param table: the name of the ledger's table. The ledger creates it and three others on first use.
    :param run: the run that enrolls.
    :param store_join_urls: whether the ledger stores links.
    :param max_tries: how often a transaction is tried at most. Default 6, which takes about five seconds.
    :param locks_rows: whether the database locks the rows that a transaction reads. None asks its dialect.
    :raises ValueError: the name is no table name.
    """

    is_durable: ClassVar[bool] = True
    is_shared: ClassVar[bool] = True

    def __init__(
        self,
        engine: sa.Engine,
        table: str = DEFAULT_TABLE,
        run: TaskRun | None = None,
        *,
        store_join_urls: bool = True,
        max_tries: int | None = None,
        locks_rows: bool | None = None,
    ) -> None:
        super().__init__(run, store_join_urls=store_join_urls)
        self._engine = engine
        self._locks_rows = engine.dialect.name in LOCKING if locks_rows is None else locks_rows
        self._tables = tables(table)
        self._transact = Transactions(engine, self._tables, max_tries or MAX_TRIES)
        self._opening = Opening(self._transact, engine, self._tables)
        is_direct = engine.dialect.name == "sqlite" and self._locks_rows
        self._direct = DirectWriter(engine.dialect, self._tables.registrants) if is_direct else None
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
        self.run_key = row_key(event, self.run.dag_id, self.run.run_id, self.run.task)
        self._clock = self._opening.finish()
        self.attempt = self._transact(
            partial(
                attempts.start, tables=self._tables, run_key=self.run_key, event=event, run=self.run, now=self.now()
            )
        )

    def now(self) -> datetime:
        """Return the database's time in UTC."""
        assert self._clock is not None
        return self._clock.now()

    def _recall_quota(self, quota: SharedQuota) -> None:
        key, table = str(quota.key), self._tables.quota
        self._transact(lambda connection: sql_quota.add_row(connection, table, key, self.now()))
        self._transact(lambda connection: sql_quota.recall(connection, table, self.run_key, quota, self.now()))

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

    def load(self, registrants: Sequence[str]) -> dict[str, RegistrationRecord]:
        """Return the stored records."""
        found: dict[str, RegistrationRecord] = {}
        for some in slices(registrants):
            found.update(self._transact(partial(self._read, registrants=some)))
        return found

    def write(self, entries: Sequence[RegistrationRecord]) -> Written:
        """Write entries in one transaction. Entries that changed since they were read are returned as lost claims."""
        written = self._write_in_one_transaction(entries)
        if self._quota is not None:
            # Not before the commit: the transaction may have been undone and repeated.
            self._quota.grant()
        return written

    def _write_in_one_transaction(self, entries: Sequence[RegistrationRecord]) -> Written:
        if self._direct is not None and all(entry.version == 0 or entry.first_seen for entry in entries):
            with contextlib.suppress(NotAsRead):
                return self._transact(partial(self._write_as_read, direct=self._direct, entries=entries))
        return self._transact(lambda connection: self._write(connection, entries))

    def mark_seen(self, registrants: Sequence[str]) -> None:
        """Note that registrants came up again."""
        table = self._tables.registrants
        for some in slices(registrants):
            keys = [row_key(self.event, registrant) for registrant in some]
            update = table.update().where(table.c.entry_key.in_(keys)).values(last_seen=self.now())
            self._transact(partial(_execute, statement=update))

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
        self._transact(partial(_execute, statement=runs.update().where(*mine).values(values)))

    def _write_as_read(
        self, connection: sa.Connection, direct: DirectWriter, entries: Sequence[RegistrationRecord]
    ) -> Written:
        """Write entries that nobody changed since they were read, as nearly all are, in few statements."""
        self._share_quota(connection)
        self._hold_fence(connection)
        now = self.now()
        stored = {entry.registrant: self._stamped(entry, entry.first_seen, now) for entry in entries}
        direct.write(connection, self.event, [row_of(self.event, entry) for entry in stored.values()])
        return Written(stored, {})

    def _write(self, connection: sa.Connection, entries: Sequence[RegistrationRecord]) -> Written:
        self._share_quota(connection)
        self._hold_fence(connection)
        now = self.now()
        present = self._lock(connection, [entry.registrant for entry in entries])
        stored: dict[str, RegistrationRecord] = {}
        stale: dict[str, RegistrationRecord] = {}
        for entry in entries:
            version, first_seen = present.get(entry.registrant, (0, None))
            if version == entry.version:
                stored[entry.registrant] = self._stamped(entry, first_seen, now)
            elif version:
                stale[entry.registrant] = entry
            else:
                raise LedgerFailure("Somebody deleted a row of the ledger while its run was going on.")
        links = {one.registrant: one.join_web_url for one in stored.values()}
        shared = links_of_others(connection, self._tables.registrants, self.event, links)
        stored = {name: entry for name, entry in stored.items() if name not in shared}
        table = self._tables.registrants
        new = [row_of(self.event, entry) for name, entry in stored.items() if name not in present]
        known = [row_of(self.event, entry) for name, entry in stored.items() if name in present]
        if new:
            add_rows(connection, table, new)
        if known:
            change = overwrite_rows if self._locks_rows else change_rows
            change(connection, table, known)
        standing = {name: one for some in slices(list(stale)) for name, one in self._read(connection, some).items()}
        if len(standing) < len(stale):
            raise ChangedMeanwhile
        ours = {name: one for name, one in standing.items() if self._is_our_own(one, stale[name])}
        lost = {name: one for name, one in standing.items() if name not in ours}
        return Written(stored | ours, lost, frozenset(shared))

    def _is_our_own(self, before: RegistrationRecord, entry: RegistrationRecord) -> bool:
        """Return whether an earlier try of this write stored the record, and only the database's answer was lost."""
        return (before.run, before.attempt, before.version) == (self.run, self.attempt, entry.version + 1)

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

    def _read(self, connection: sa.Connection, registrants: Sequence[str]) -> dict[str, RegistrationRecord]:
        table, names = self._tables.registrants, self._names(registrants)
        found = connection.execute(sa.select(table).where(table.c.entry_key.in_(list(names))))
        return read_entries(table, self.event, names, found, self.now())

    def _lock(self, connection: sa.Connection, registrants: Sequence[str]) -> dict[str, tuple[int, datetime | None]]:
        """Lock rows until the transaction ends. Return the version and ``first_seen`` of each registrant."""
        table, names = self._tables.registrants, self._names(registrants)
        columns = table.c
        # All runs lock in the same order, so that they cannot deadlock.
        query = sa.select(columns.entry_key, columns.version, columns.first_seen).order_by(columns.entry_key)
        locked: dict[str, tuple[int, datetime | None]] = {}
        for some in slices(sorted(names)):
            found = connection.execute(query.where(columns.entry_key.in_(some)).with_for_update())
            locked |= {names[row.entry_key]: (row.version, row.first_seen) for row in checked_rows(table, found)}
        return locked

    def _names(self, registrants: Sequence[str]) -> dict[str, str]:
        return {row_key(self.event, registrant): registrant for registrant in registrants}


def _execute(connection: sa.Connection, statement: sa.Executable) -> None:
    connection.execute(statement)
