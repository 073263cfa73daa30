"""How an entry of the ledger stands in a row of its SQL table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from airflow_provider_teams_registration.enrollment.ledger import LedgerEntry, Run
from airflow_provider_teams_registration.enrollment.outcome import Outcome

# In characters; what the service words must not make a write fail.
_LONGEST: Mapping[str, int] = {"registration_id": 255, "error": 10_000, "error_code": 255, "request_id": 255}
_AS_THEY_ARE = ("join_web_url", "fingerprint", "version", "attempt", "last_seen")
_RUN = ("dag_id", "run_id", "task")
_LASTING = frozenset({"entry_key", "event", "registrant", "first_seen"})


_Insert = TypeVar("_Insert", postgresql.Insert, sqlite.Insert)


class ChangedMeanwhile(Exception):
    """A row is not as it was when it was read; reading again tells what it is."""


def read_entry(registrant: str, row: Any) -> LedgerEntry:
    """Return the entry that stands in a row."""
    return LedgerEntry(
        registrant=registrant,
        run=Run(row.dag_id, row.run_id, row.task),
        first_seen=row.first_seen,
        outcome=Outcome(row.outcome),
        **{name: getattr(row, name) for name in (*_AS_THEY_ARE, *_LONGEST)},
    )


def row_of(event: str, entry: LedgerEntry) -> dict[str, Any]:
    """Return the row that an entry is to stand in."""
    return {
        "entry_key": row_key(event, entry.registrant),
        "event": event,
        "registrant": entry.registrant,
        "first_seen": entry.first_seen,
        "outcome": entry.outcome.value,
        **{name: getattr(entry, name) for name in _AS_THEY_ARE},
        **{name: getattr(entry.run, name) for name in _RUN},
        **{name: fitting(name, getattr(entry, name)) for name in _LONGEST},
    }


def add_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Insert rows. One that is there by now is an error of the database's.

    :param connection: the database, in a transaction.
    :param table: the ledger's table.
    :param rows: the rows as :func:`row_of` has them.
    """
    insert = table.insert()
    if connection.dialect.name == "postgresql":
        insert = _sent_together(insert, table)
    # Everybody inserts in the same order, so that two runs cannot block each other.
    connection.execute(insert, sorted(rows, key=lambda row: str(row["entry_key"])))


def change_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Write over rows that are there.

    :param connection: the database, in a transaction that has locked them, where it can lock.
    :param table: the ledger's table.
    :param rows: the rows as :func:`row_of` has them, each a version above what was read.
    :raises ChangedMeanwhile: somebody wrote to one of them since it was read.
    """
    write_over = _WRITING_OVER.get(connection.dialect.name)
    if write_over is not None:
        connection.execute(write_over(table), rows)
        return
    for row in rows:
        is_as_read = sa.and_(table.c.entry_key == row["entry_key"], table.c.version == row["version"] - 1)
        changes = {name: row[name] for name in _changing(table)}
        if connection.execute(table.update().where(is_as_read).values(changes)).rowcount != 1:
            raise ChangedMeanwhile


def _write_over_mysql(table: sa.Table) -> sa.Executable:
    insert = mysql.insert(table)
    return insert.on_duplicate_key_update({name: insert.inserted[name] for name in _changing(table)})


def _write_over_postgresql(table: sa.Table) -> sa.Executable:
    return _sent_together(_on_conflict(postgresql.insert(table), table), table)


def _write_over_sqlite(table: sa.Table) -> sa.Executable:
    return _on_conflict(sqlite.insert(table), table)


def _on_conflict(insert: _Insert, table: sa.Table) -> _Insert:
    changes = {name: insert.excluded[name] for name in _changing(table)}
    return insert.on_conflict_do_update(index_elements=["entry_key"], set_=changes)


# Most drivers update row by row, a round trip each, but insert many at once. All of these lock what was read.
_WRITING_OVER: Mapping[str, Callable[[sa.Table], sa.Executable]] = {
    "mysql": _write_over_mysql,
    "mariadb": _write_over_mysql,
    "postgresql": _write_over_postgresql,
    "sqlite": _write_over_sqlite,
}


def _sent_together(insert: sa.Insert, table: sa.Table) -> sa.Insert:
    # SQLAlchemy 2 sends rows in one statement where something is returned.
    return insert.returning(table.c.entry_key)


def _changing(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns if column.name not in _LASTING]


def row_key(*parts: str) -> str:
    """Return what stands for an event and a registrant, or a run, in a column of fixed width."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def fitting(column: str, text: str | None) -> str | None:
    """Return as much of a text of the service's as its column holds."""
    return None if text is None else text.replace("\0", "")[: _LONGEST[column]]
