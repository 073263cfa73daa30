"""A ledger in a SQL table, which survives everything, is shared by runs and DAGs, and is what users query."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, ProgrammingError, SQLAlchemyError

from airflow_provider_teams_registration.enrollment.ledger import (
    FencedOff,
    Ledger,
    LedgerEntry,
    LedgerFailure,
    Run,
    Written,
    utc_now,
)
from airflow_provider_teams_registration.enrollment.outcome import Outcome
from airflow_provider_teams_registration.enrollment.sql_entry import (
    ChangedMeanwhile,
    add_rows,
    change_rows,
    fitting,
    read_entry,
    row_key,
    row_of,
)
from airflow_provider_teams_registration.enrollment.sql_tables import DEFAULT_TABLE, tables

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_TRIES = 6
_KEYS_AT_ONCE = 500


class SqlLedger(Ledger):
    """
    Two short transactions for each batch, one before it is sent and one after.

    :param engine: the database, as SQLAlchemy reaches it.
    :param table: name of the ledger's table; created on first use, as are the two beside it.
    :param run: who enrolls.
    :param store_join_urls: whether links are kept.
    :raises ValueError: the table's name cannot be one.
    """

    is_durable: ClassVar[bool] = True
    is_shared: ClassVar[bool] = True

    def __init__(
        self, engine: sa.Engine, table: str = DEFAULT_TABLE, run: Run | None = None, *, store_join_urls: bool = True
    ) -> None:
        super().__init__(run, store_join_urls=store_join_urls)
        self._engine = engine
        sa.event.listen(engine, "connect", partial(_set_up, engine.dialect))
        self._tables = tables(table)
        self.event = ""
        self.run_key = ""

    def begin(self, event: str) -> None:
        """Create the tables where they are missing, and take over from older attempts of the same run."""
        self.event = event
        self.run_key = row_key(event, self.run.dag_id, self.run.run_id, self.run.task)
        self._transact(lambda connection: self._tables.runs.metadata.create_all(connection))
        self._transact(self._begin)

    def recall(self, registrants: Sequence[str]) -> dict[str, LedgerEntry]:
        """Return the entries there are."""
        found: dict[str, LedgerEntry] = {}
        for some in _slices(registrants):
            found.update(self._transact(partial(self._read, registrants=some)))
        return found

    def write(self, entries: Sequence[LedgerEntry]) -> Written:
        """Write entries in one transaction; those that changed since they were read come back as foreign."""
        return self._transact(lambda connection: self._write(connection, entries))

    def touch(self, registrants: Sequence[str]) -> None:
        """Note that registrants came up again."""
        table = self._tables.registrants
        for some in _slices(registrants):
            keys = [row_key(self.event, registrant) for registrant in some]
            update = table.update().where(table.c.entry_key.in_(keys)).values(last_seen=utc_now())
            self._transact(partial(_execute, update))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Note how the attempt ended, unless it never began, or a younger one has."""
        if not self.attempt:
            return
        runs = self._tables.runs
        update = (
            runs.update()
            .where(runs.c.run_key == self.run_key, runs.c.attempt == self.attempt)
            .values(ended_at=utc_now(), summary=json.dumps(summary))
        )
        self._transact(lambda connection: connection.execute(update))

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def write_results(self, rows: Sequence[tuple[int, str | None, Mapping[str, Any], Outcome, str | None]]) -> None:
        """
        Keep rows that XCom is not to hold.

        :param rows: position, registrant's key (None where the row is no registrant), row, outcome and error.
        :raises FencedOff: a younger attempt has begun; its rows count, and not ours.
        """

        def insert(connection: sa.Connection) -> None:
            self._hold_fence(connection)
            connection.execute(self._tables.results.insert(), values)

        values = [
            {
                "run_key": self.run_key,
                "position": position,
                "entry_key": None if registrant is None else row_key(self.event, registrant),
                "row_json": json.dumps(row, default=str),
                "outcome": outcome.value,
                "error": fitting("error", error),
            }
            for position, registrant, row, outcome, error in rows
        ]
        if values:
            self._transact(insert)

    def read_results(self, run_key: str, attempt: int, after: int, up_to: int) -> list[dict[str, Any]]:
        """
        Read rows back, in input order.

        :param run_key: whose rows.
        :param attempt: which attempt's.
        :param after: the position after which to start.
        :param up_to: the last position.
        :return: the input rows, each with ``outcome``, ``join_web_url`` and ``error``.
        :raises LedgerFailure: a younger attempt has begun, and its rows took the place of these.
        """
        self._refuse_younger(run_key, attempt)
        results, registrants = self._tables.results, self._tables.registrants
        joined = results.outerjoin(registrants, results.c.entry_key == registrants.c.entry_key)
        query = (
            sa.select(results.c.row_json, results.c.outcome, results.c.error, registrants.c.join_web_url)
            .select_from(joined)
            .where(results.c.run_key == run_key, results.c.position > after, results.c.position <= up_to)
            .order_by(results.c.position)
        )
        return [
            {
                **json.loads(found.row_json),
                "outcome": found.outcome,
                "join_web_url": found.join_web_url,
                "error": found.error,
            }
            for found in self._transact(lambda connection: connection.execute(query).all())
        ]

    def _refuse_younger(self, run_key: str, attempt: int) -> None:
        runs = self._tables.runs
        query = sa.select(runs.c.attempt).where(runs.c.run_key == run_key)
        if self._transact(lambda connection: connection.execute(query).scalar()) != attempt:
            raise LedgerFailure("The task that enrolled these people has begun anew; read the result it leaves then.")

    def _begin(self, connection: sa.Connection) -> None:
        runs, now = self._tables.runs, utc_now()
        mine = runs.c.run_key == self.run_key
        taken_over = connection.execute(
            runs.update()
            .where(mine)
            .values(attempt=runs.c.attempt + 1, started_at=now, last_seen=now, ended_at=None, summary=None)
        )
        if taken_over.rowcount:
            self.attempt = int(connection.execute(sa.select(runs.c.attempt).where(mine)).scalar_one())
        else:
            self.attempt = 1
            connection.execute(
                runs.insert().values(
                    run_key=self.run_key,
                    event=self.event,
                    dag_id=self.run.dag_id,
                    run_id=self.run.run_id,
                    task=self.run.task,
                    attempt=1,
                    started_at=now,
                    last_seen=now,
                )
            )
        results = self._tables.results
        connection.execute(results.delete().where(results.c.run_key == self.run_key))

    def _write(self, connection: sa.Connection, entries: Sequence[LedgerEntry]) -> Written:
        self._hold_fence(connection)
        now = utc_now()
        present = self._lock(connection, [entry.registrant for entry in entries])
        stored: dict[str, LedgerEntry] = {}
        stale: dict[str, LedgerEntry] = {}
        for entry in entries:
            version, first_seen = present.get(entry.registrant, (0, None))
            if version == entry.version:
                stored[entry.registrant] = self._stamped(entry, first_seen, now)
            elif version:
                stale[entry.registrant] = entry
            else:
                raise LedgerFailure("A row of the ledger was deleted while its run was going on.")
        table = self._tables.registrants
        new = [row_of(self.event, entry) for name, entry in stored.items() if name not in present]
        known = [row_of(self.event, entry) for name, entry in stored.items() if name in present]
        if new:
            add_rows(connection, table, new)
        if known:
            change_rows(connection, table, known)
        standing = {name: one for some in _slices(list(stale)) for name, one in self._read(connection, some).items()}
        if len(standing) < len(stale):
            raise ChangedMeanwhile
        ours = {name: one for name, one in standing.items() if self._is_our_own(one, stale[name])}
        return Written(stored | ours, {name: one for name, one in standing.items() if name not in ours})

    def _is_our_own(self, before: LedgerEntry, entry: LedgerEntry) -> bool:
        """Whether it is this very write that stands there: the database took it and its answer was lost."""
        return (before.run, before.attempt, before.version) == (self.run, self.attempt, entry.version + 1)

    def _hold_fence(self, connection: sa.Connection) -> None:
        """Write to the run's row first: it stays locked until the end, so that no younger attempt begins meanwhile."""
        runs = self._tables.runs
        held = connection.execute(
            runs.update()
            .where(runs.c.run_key == self.run_key, runs.c.attempt == self.attempt)
            .values(last_seen=utc_now())
        )
        if held.rowcount == 0:
            raise FencedOff("A younger attempt of this task has taken over; this one sends no more.")

    def _read(self, connection: sa.Connection, registrants: Sequence[str]) -> dict[str, LedgerEntry]:
        table, names = self._tables.registrants, self._names(registrants)
        found = connection.execute(sa.select(table).where(table.c.entry_key.in_(list(names))))
        return {names[row.entry_key]: read_entry(names[row.entry_key], row) for row in found}

    def _lock(self, connection: sa.Connection, registrants: Sequence[str]) -> dict[str, tuple[int, datetime | None]]:
        """Lock rows until the transaction ends, and return versions and when the registrants came up first."""
        columns, names = self._tables.registrants.c, self._names(registrants)
        # Everybody locks in the same order, so that two runs cannot block each other.
        query = sa.select(columns.entry_key, columns.version, columns.first_seen).order_by(columns.entry_key)
        locked: dict[str, tuple[int, datetime | None]] = {}
        for some in _slices(sorted(names)):
            found = connection.execute(query.where(columns.entry_key.in_(some)).with_for_update())
            locked |= {names[key]: (version, first_seen) for key, version, first_seen in found}
        return locked

    def _names(self, registrants: Sequence[str]) -> dict[str, str]:
        return {row_key(self.event, registrant): registrant for registrant in registrants}

    def _transact(self, work: Callable[[sa.Connection], T]) -> T:
        """Run a transaction, and again where another one came between."""
        for attempt in range(1, MAX_TRIES + 1):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except ChangedMeanwhile:
                if attempt == MAX_TRIES:
                    raise LedgerFailure("Other runs write to the same rows of the ledger again and again.") from None
            except DBAPIError as error:
                # Errors about the statement are worth a second try only where two create the tables at once.
                if attempt == MAX_TRIES or (attempt > 1 and isinstance(error, DataError | ProgrammingError)):
                    raise _failure(error) from None
            except SQLAlchemyError as error:
                raise _failure(error) from None
            time.sleep(random.uniform(0.05, 0.1) * 2**attempt)
        raise AssertionError("unreachable")


def _set_up(dialect: sa.Dialect, connection: Any, _: Any) -> None:
    if hasattr(connection, "prepare_threshold"):
        # Else PostgreSQL may plan for good, while the ledger is empty, to read all of it for each batch.
        connection.prepare_threshold = None
    if dialect.name in ("mysql", "mariadb"):
        # Else to look for rows that are not there locks the gaps, and events that have nothing in common deadlock.
        dialect.set_isolation_level(connection, "READ COMMITTED")


def _failure(error: SQLAlchemyError) -> LedgerFailure:
    # The error's own text holds the statement with its values.
    cause = type(getattr(error, "orig", None) or error).__name__
    return LedgerFailure(f"The ledger's database failed with {cause}.")


def _slices(registrants: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(registrants), _KEYS_AT_ONCE):
        yield registrants[start : start + _KEYS_AT_ONCE]


def _execute(statement: sa.Executable, connection: sa.Connection) -> None:
    connection.execute(statement)
