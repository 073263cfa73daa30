"""
Write records to SQLite without reading the rows first, and without SQLAlchemy's work for each value.

A run holds SQLite's only write lock from its first statement on, so each statement can compare versions by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from airflow_provider_teams_registration.ledger.sql.records import changing, slices, written_columns


class NotAsRead(Exception):
    """A row differs from the one that was read, or a link belongs to somebody else. The transaction is undone."""


class DirectWriter:
    """
    The SQL statements of one table, made once.

    :param dialect: the dialect of SQLite.
    :param table: the ledger's table.
    """

    def __init__(self, dialect: sa.Dialect, table: sa.Table) -> None:
        preparer = dialect.identifier_preparer
        target = preparer.format_table(table)
        quoted = {column.name: preparer.quote(column.name) for column in table.columns}
        written, changed = written_columns(table), changing(table)
        names, marks = ", ".join(quoted[name] for name in written), ", ".join("?" * len(written))
        changes = ", ".join(f"{quoted[name]} = ?" for name in changed)
        self._insert = f"INSERT INTO {target} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"
        self._update = f"UPDATE {target} SET {changes} WHERE {quoted['entry_key']} = ? AND {quoted['version']} = ?"
        # The plus sign keeps SQLite from the index of events: for each write, it would read all people of the event.
        self._holders = (
            f"SELECT {quoted['link_key']}, {quoted['entry_key']} FROM {target} "
            f"WHERE +{quoted['event']} = ? AND {quoted['link_key']} IN "
        )
        self._to_insert, self._to_update = itemgetter(*written), itemgetter(*changed)
        as_text = sa.DateTime().dialect_impl(dialect).bind_processor(dialect)
        assert as_text is not None
        self._as_text = as_text

    def write(self, connection: sa.Connection, event: str, rows: Sequence[dict[str, Any]]) -> None:
        """
        Write rows, all or none.

        :param connection: SQLite, in a transaction that holds the write lock.
        :param event: the event.
        :param rows: the rows as :func:`.records.row_of` returns them, each one version above the row that was read.
        :raises NotAsRead: a row is not as it was read, or the ledger holds a link for somebody else.
        """
        self._refuse_links_of_others(connection, event, rows)
        for row in rows:
            for name in _MOMENTS:
                if row[name] is not None:
                    row[name] = self._as_text(row[name])
        new = [self._to_insert(row) for row in rows if row["version"] == 1]
        known = [(*self._to_update(row), row["entry_key"], row["version"] - 1) for row in rows if row["version"] > 1]
        for statement, values in ((self._insert, new), (self._update, known)):
            if values and connection.exec_driver_sql(statement, values).rowcount != len(values):
                raise NotAsRead

    def _refuse_links_of_others(self, connection: sa.Connection, event: str, rows: Sequence[Mapping[str, Any]]) -> None:
        people = {row["link_key"]: row["entry_key"] for row in rows if row["link_key"]}
        for some in slices(list(people)):
            query = f"{self._holders}({', '.join('?' * len(some))})"
            for key, entry_key in connection.exec_driver_sql(query, (event, *some)):
                if people[key] != entry_key:
                    raise NotAsRead


_MOMENTS = ("first_seen", "last_seen", "cancelled_at")
