"""How an entry of the ledger stands in a row of its SQL table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from airflow_provider_teams_registration.enrollment.ledger import LedgerEntry, Run
from airflow_provider_teams_registration.enrollment.outcome import Outcome

# In characters; what the service words must not make a write fail.
_LONGEST: Mapping[str, int] = {"registration_id": 255, "error": 10_000, "error_code": 255, "request_id": 255}
_AS_THEY_ARE = ("join_web_url", "fingerprint", "version", "attempt", "last_seen")
_RUN = ("dag_id", "run_id", "task")
_CHANGING = (*_AS_THEY_ARE, *_LONGEST, *_RUN, "outcome")


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


def change_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Write over rows that are there and locked.

    :param connection: the database, in a transaction.
    :param table: the ledger's table.
    :param rows: the rows as :func:`row_of` has them.
    """
    write_over = _WRITING_OVER.get(connection.dialect.name)
    if write_over is not None:
        connection.execute(write_over(table), rows)
    else:
        update = table.update().where(table.c.entry_key == sa.bindparam("key"))
        connection.execute(update, [{**row, "key": row["entry_key"]} for row in rows])


def _write_over_mysql(table: sa.Table) -> sa.Executable:
    insert = mysql.insert(table)
    return insert.on_duplicate_key_update({name: insert.inserted[name] for name in _CHANGING})


def _write_over_postgresql(table: sa.Table) -> sa.Executable:
    insert = postgresql.insert(table)
    changes = {name: insert.excluded[name] for name in _CHANGING}
    # SQLAlchemy 2 sends rows together where something is returned.
    return insert.on_conflict_do_update(index_elements=["entry_key"], set_=changes).returning(table.c.entry_key)


# Drivers update row by row, a round trip each, but insert many at once.
_WRITING_OVER: Mapping[str, Callable[[sa.Table], sa.Executable]] = {
    "mysql": _write_over_mysql,
    "mariadb": _write_over_mysql,
    "postgresql": _write_over_postgresql,
}


def row_key(*parts: str) -> str:
    """Return what stands for an event and a registrant, or a run, in a column of fixed width."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def fitting(column: str, text: str | None) -> str | None:
    """Return as much of a text of the service's as its column holds."""
    return None if text is None else text.replace("\0", "")[: _LONGEST[column]]
