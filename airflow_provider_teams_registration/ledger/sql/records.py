"""Convert records of the ledger to rows of its SQL table, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord, TaskRun
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.base import link_key

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_STATES = frozenset(state.value for state in RecordState)
_NOT_STORED = ("run", "age")
"""The fields of a record that are no columns."""
_CONVERTED = frozenset({"registrant", "outcome", "state", *_NOT_STORED})
_AS_THEY_ARE = [one.name for one in fields(RegistrationRecord) if one.name not in _CONVERTED]
"""The columns whose values a record holds as they are."""
_LASTING = frozenset({"entry_key", "event", "registrant", "first_seen"})
_OF_MAILS = ("mailed_at", "mail_")
"""The columns whose names begin so belong to the task that mails."""


_VALUES_AT_ONCE = 500
_Insert = TypeVar("_Insert", postgresql.Insert, sqlite.Insert)


class ChangedMeanwhile(Exception):
    """Another transaction changed a row after this one read it. The transaction has to be repeated."""


def read_entries(
    table: sa.Table, event: str, names: Mapping[str, str], result: sa.Result[Any], now: datetime
) -> dict[str, RegistrationRecord]:
    """
    Return the records that rows hold, by registrant.

    :param table: the ledger's table.
    :param event: the event in the query.
    :param names: the registrants in the query, by their ``entry_key``.
    :param result: the rows, with all columns of the table.
    :param now: the database's time.
    :raises LedgerFailure: this version cannot have written a row.
    """
    found: dict[str, RegistrationRecord] = {}
    for row in checked_rows(table, result):
        registrant = names.get(row.entry_key)
        if registrant is None or (row.event, row.registrant) != (event, registrant):
            raise unreadable(table, "the entry_key of other people")
        if registrant in found:
            raise unreadable(table, "an entry_key twice; it has to be the table's primary key")
        if row.outcome not in _OUTCOMES or row.state not in _STATES:
            raise unreadable(
                table, "an outcome or a state that this version does not know; a newer version may have written it"
            )
        found[registrant] = RegistrationRecord(
            registrant=registrant,
            run=TaskRun(row.dag_id, row.run_id, row.task),
            outcome=Outcome(row.outcome),
            state=RecordState(row.state),
            age=(now - row.last_seen).total_seconds(),
            **{name: getattr(row, name) for name in _AS_THEY_ARE},
        )
    return found


def checked_rows(table: sa.Table, result: sa.Result[Any]) -> Sequence[sa.Row[Any]]:
    """
    Return rows of a table after checking the type of each value, because SQLite stores text in any column.

    :raises LedgerFailure: a value has another type than its column, or is NULL in a column without NULLs.
    """
    columns = [table.columns[name] for name in result.keys()]  # noqa: SIM118 - a result is no dict
    # In SQLAlchemy 1.4 a type that differs by database hides the plain one.
    types = [getattr(column.type, "impl", column.type) for column in columns]
    kinds = [(one.name, kind.python_type, bool(one.nullable)) for one, kind in zip(columns, types, strict=True)]
    try:
        rows = result.all()
    except (ValueError, TypeError, ArithmeticError):
        # SQLAlchemy parses the text of timestamps.
        raise unreadable(table, "text that is no timestamp where one has to be") from None
    for row in rows:
        for value, (name, kind, may_be_null) in zip(row, kinds, strict=True):
            is_of_kind = isinstance(value, kind) and not isinstance(value, bool)
            if not is_of_kind and not (value is None and may_be_null):
                raise unreadable(table, f"a value in its column {name} that is no {kind.__name__}")
            if kind is datetime and value is not None and value.tzinfo is not None:
                raise unreadable(table, f"a value in its column {name} with a time zone")
    return rows


def unreadable(table: sa.Table, what: str) -> LedgerFailure:
    """Return the failure for a table that holds a row which this version cannot have written."""
    return LedgerFailure(
        f"The ledger's table {table.fullname} holds {what}. The operator cannot tell from it who "
        "was sent, so it sends nobody. Correct or delete the rows concerned, or name another ledger_table.",
        transient=False,
    )


def row_of(event: str, entry: RegistrationRecord) -> dict[str, Any]:
    """Return the row that holds a record."""
    # Two rows per person are made: getattr() for each of their values would take several times as long.
    row = {**vars(entry), **vars(entry.run)}
    for name in _NOT_STORED:
        del row[name]
    row["entry_key"] = row_key(event, entry.registrant)
    row["event"] = event
    # The value of an Enum is a property in Python, and slow.
    row["state"], row["outcome"] = entry.state._value_, entry.outcome._value_
    row["cancelled_at"] = entry.last_seen if entry.outcome is Outcome.CANCELLED else None
    row["link_key"] = link_key(entry.join_web_url) if entry.join_web_url else None
    return row


def add_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Insert rows. The database raises an error if a row exists.

    :param connection: the database, in a transaction.
    :param table: the ledger's table.
    :param rows: the rows as :func:`row_of` returns them.
    """
    insert = table.insert()
    if connection.dialect.name == "postgresql":
        insert = _sent_together(insert, table)
    # All runs insert in the same order, so that they cannot deadlock.
    connection.execute(insert, sorted(rows, key=lambda row: str(row["entry_key"])))


def change_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Overwrite rows in a database that locked none of them.

    :param connection: the database, in a transaction.
    :param table: the ledger's table.
    :param rows: the rows as :func:`row_of` returns them, each one version above the row that was read.
    :raises ChangedMeanwhile: another transaction changed a row after this one read it.
    """
    for row in rows:
        is_as_read = sa.and_(table.c.entry_key == row["entry_key"], table.c.version == row["version"] - 1)
        changes = {name: row[name] for name in changing(table)}
        if connection.execute(table.update().where(is_as_read).values(changes)).rowcount != 1:
            raise ChangedMeanwhile


def overwrite_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Overwrite rows in a database that locked them.

    Most drivers update rows one by one, a round trip each, but insert many at once.

    :param connection: the database, of a dialect in :data:`LOCKING`, in a transaction that has locked the rows.
    :param table: the ledger's table.
    :param rows: the rows as :func:`row_of` returns them.
    """
    connection.execute(_OVERWRITES[connection.dialect.name](table), rows)


def _overwrite_mysql(table: sa.Table) -> sa.Executable:
    insert = mysql.insert(table)
    return insert.on_duplicate_key_update({name: insert.inserted[name] for name in changing(table)})


def _overwrite_postgresql(table: sa.Table) -> sa.Executable:
    return _sent_together(_on_conflict(postgresql.insert(table), table), table)


def _overwrite_sqlite(table: sa.Table) -> sa.Executable:
    return _on_conflict(sqlite.insert(table), table)


def _on_conflict(insert: _Insert, table: sa.Table) -> _Insert:
    changes = {name: insert.excluded[name] for name in changing(table)}
    return insert.on_conflict_do_update(index_elements=["entry_key"], set_=changes)


_OVERWRITES: Mapping[str, Callable[[sa.Table], sa.Executable]] = {
    "mysql": _overwrite_mysql,
    "mariadb": _overwrite_mysql,
    "postgresql": _overwrite_postgresql,
    "sqlite": _overwrite_sqlite,
}
LOCKING = frozenset(_OVERWRITES)
"""The dialects whose databases lock the rows that a transaction of the ledger reads."""


def _sent_together(insert: sa.Insert, table: sa.Table) -> sa.Insert:
    # SQLAlchemy 2 sends all rows in one statement if the statement returns a column.
    return insert.returning(table.c.entry_key)


def written_columns(table: sa.Table) -> list[str]:
    """Return the columns that an enrolling task writes, which are all but those of the task that mails."""
    return [column.name for column in table.columns if not column.name.startswith(_OF_MAILS)]


def changing(table: sa.Table) -> list[str]:
    """Return the columns that an enrolling task changes in a row that exists."""
    return [name for name in written_columns(table) if name not in _LASTING]


def links_of_others(
    connection: sa.Connection, table: sa.Table, event: str, links: Mapping[str, str | None]
) -> set[str]:
    """
    Return the registrants whose link the table holds for somebody else.

    :param connection: the database, in a transaction.
    :param table: the ledger's table.
    :param event: the event.
    :param links: the links by registrant; None if a registrant has none.
    """
    columns = table.c
    people = {name: link_key(link) for name, link in links.items() if link}
    holders: dict[str, set[str]] = {}
    for some in slices(list(people.values())):
        query = sa.select(columns.link_key, columns.entry_key).where(columns.link_key.in_(some))
        for key, entry_key in connection.execute(query.where(columns.event == event)):
            holders.setdefault(key, set()).add(entry_key)
    return {name for name, key in people.items() if holders.get(key, set()) - {row_key(event, name)}}


def slices(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield values in slices that fit one statement."""
    for start in range(0, len(values), _VALUES_AT_ONCE):
        yield values[start : start + _VALUES_AT_ONCE]


def row_key(*parts: str) -> str:
    """Return a hash of fixed width that identifies an event and a registrant, or a run."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def execute(connection: sa.Connection, statement: sa.Executable) -> None:
    """Execute a statement whose result does not matter."""
    connection.execute(statement)
