"""The tables of the SQL ledger, portable over SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

DEFAULT_TABLE = "teams_registration_ledger"
_NAME = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,57}")
_LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql").with_variant(mysql.MEDIUMTEXT(), "mariadb")
_UTF8: dict[str, Any] = {"mysql_charset": "utf8mb4", "mariadb_charset": "utf8mb4"}
# MariaDB keeps whole seconds unless it is told.
_FRACTIONS = mysql.DATETIME(fsp=6)
_MOMENT = sa.DateTime().with_variant(_FRACTIONS, "mysql").with_variant(_FRACTIONS, "mariadb")


@dataclass(frozen=True)
class Tables:
    """
    Three tables that are created on first use.

    :param registrants: ``<name>``, one row per event and registrant: what was sent and what came of it.
    :param runs: ``<name>_runs``, one row per event and task of a DAG run: its youngest attempt and its counts.
    :param results: ``<name>_rows``, the rows of those runs that were too long for XCom.
    """

    registrants: sa.Table
    runs: sa.Table
    results: sa.Table


def tables(name: str) -> Tables:
    """
    Describe the tables.

    :param name: the ledger's table, with a schema before a dot if need be. The others are named after it.
    :raises ValueError: this cannot be a table's name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"ledger_table is {name!r}; it must be a name of letters, digits and underscores, with a schema before a "
            "dot if need be."
        )
    schema, _, table = name.rpartition(".")
    metadata = sa.MetaData(schema=schema or None)
    return Tables(_registrants(table, metadata), _runs(table, metadata), _results(table, metadata))


def _registrants(name: str, metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        # Ids of any length, and told apart by case, which not every database does for text.
        sa.Column("entry_key", sa.String(64), primary_key=True),
        sa.Column("event", sa.String(512), nullable=False),
        sa.Column("registrant", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("join_web_url", sa.Text),
        sa.Column("registration_id", sa.String(255)),
        sa.Column("error", sa.Text),
        sa.Column("error_code", sa.String(255)),
        sa.Column("request_id", sa.String(255)),
        sa.Column("first_seen", _MOMENT, nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        sa.Column("dag_id", sa.String(255), nullable=False),
        sa.Column("run_id", sa.String(255), nullable=False),
        sa.Column("task", sa.String(300), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index(f"{name}_event", "event"),
        **_UTF8,
    )


def _runs(name: str, metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        f"{name}_runs",
        metadata,
        sa.Column("run_key", sa.String(64), primary_key=True),
        sa.Column("event", sa.String(512), nullable=False),
        sa.Column("dag_id", sa.String(255), nullable=False),
        sa.Column("run_id", sa.String(255), nullable=False),
        sa.Column("task", sa.String(300), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.Column("summary", _LONG_TEXT),
        **_UTF8,
    )


def _results(name: str, metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        f"{name}_rows",
        metadata,
        sa.Column("run_key", sa.String(64), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("entry_key", sa.String(64)),
        sa.Column("row_json", _LONG_TEXT, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("error", sa.Text),
        **_UTF8,
    )
