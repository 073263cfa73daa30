"""A ledger in SQL tables, which is durable, shared by runs and DAGs, and open to queries."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.base import Written
from airflow_provider_teams_registration.ledger.sql.direct import DirectWriter, NotAsRead
from airflow_provider_teams_registration.ledger.sql.records import (
    LOCKING,
    ChangedMeanwhile,
    add_rows,
    change_rows,
    checked_rows,
    execute,
    links_of_others,
    overwrite_rows,
    read_entries,
    row_key,
    row_of,
    slices,
)
from airflow_provider_teams_registration.ledger.sql.runs import SqlRuns
from airflow_provider_teams_registration.ledger.sql.tables import DEFAULT_TABLE

log = logging.getLogger(__name__)

MAX_TRIES = 6


class SqlLedger(SqlRuns):
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
        super().__init__(engine, table, run, store_join_urls=store_join_urls, max_tries=max_tries or MAX_TRIES)
        self._locks_rows = engine.dialect.name in LOCKING if locks_rows is None else locks_rows
        is_direct = engine.dialect.name == "sqlite" and self._locks_rows
        self._direct = DirectWriter(engine.dialect, self._tables.registrants) if is_direct else None

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
            self._transact(partial(execute, statement=update))

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
        found = {name: one for some in slices(list(stale)) for name, one in self._read(connection, some).items()}
        if len(found) < len(stale):
            raise ChangedMeanwhile
        ours = {name: one for name, one in found.items() if self._is_our_own(one, stale[name])}
        lost = {name: one for name, one in found.items() if name not in ours}
        return Written(stored | ours, lost, frozenset(shared))

    def _is_our_own(self, before: RegistrationRecord, entry: RegistrationRecord) -> bool:
        """Return whether an earlier try of this write stored the record, and only the database's answer was lost."""
        return (before.run, before.attempt, before.version) == (self.run, self.attempt, entry.version + 1)

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
