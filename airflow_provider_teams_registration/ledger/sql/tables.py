"""The tables of the SQL ledger, portable over SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

SCHEMA_VERSION = 1
"""The version of the tables' layout. Each run records it."""
DEFAULT_TABLE = "teams_registration_ledger"
_NAME = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,57}")
_LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql").with_variant(mysql.MEDIUMTEXT(), "mariadb")
_UTF8: dict[str, Any] = {"mysql_charset": "utf8mb4", "mariadb_charset": "utf8mb4"}
# MariaDB stores whole seconds by default.
_FRACTIONS = mysql.DATETIME(fsp=6)
_MOMENT = sa.DateTime().with_variant(_FRACTIONS, "mysql").with_variant(_FRACTIONS, "mariadb")


@dataclass(frozen=True)
class Tables:
    """
    The four tables of the ledger, which creates them on first use.

    :param registrants: ``<name>`` holds one row per event and registrant: the state and the outcome.
    :param runs: ``<name>_runs`` holds one row per event and task of a DAG run: the newest attempt and its counts.
    :param results: ``<name>_rows`` holds the input rows that do not fit XCom.
    :param quota: ``<name>_apps`` holds one row per app: the writes that count in its write quota now.
    """

    registrants: sa.Table
    runs: sa.Table
    results: sa.Table
    quota: sa.Table

    def __iter__(self) -> Iterator[sa.Table]:
        return iter((self.registrants, self.runs, self.results, self.quota))


def tables(name: str) -> Tables:
    """
    Describe the tables.

    :param name: the name of the ledger's table, optionally with a schema before a dot. The other names derive from it.
    :raises ValueError: the name is no table name.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"ledger_table is {name!r}; it must consist of letters, digits and underscores, optionally with a "
            "schema before a dot."
        )
    schema, _, table = name.rpartition(".")
    metadata = sa.MetaData(schema=schema or None)
    return Tables(
        _registrants(table, metadata), _runs(table, metadata), _results(table, metadata), _quota(table, metadata)
    )


def _registrants(name: str, metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        # A hash, because ids may be long and differ only by case, which some databases ignore in text.
        sa.Column("entry_key", sa.String(64), primary_key=True),
        sa.Column("event", sa.String(512), nullable=False),
        sa.Column("registrant", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("join_web_url", sa.Text),
        sa.Column("registration_id", sa.String(255)),
        sa.Column("error", sa.Text),
        sa.Column("error_code", sa.String(255)),
        sa.Column("request_id", sa.String(255)),
        sa.Column("first_seen", _MOMENT, nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        sa.Column("cancelled_at", _MOMENT),
        # The task that mails the links writes these columns, and only these.
        sa.Column("mailed_at", _MOMENT),
        sa.Column("mail_state", sa.String(32)),
        sa.Column("mail_kind", sa.String(32)),
        sa.Column("mail_number", sa.Integer),
        sa.Column("mail_message_id", sa.String(255)),
        sa.Column("mail_fingerprint", sa.String(64)),
        sa.Column("mail_link_key", sa.String(64)),
        sa.Column("mail_event_start", sa.String(32)),
        sa.Column("mail_error_code", sa.String(32)),
        sa.Column("mail_claimed_at", _MOMENT),
        sa.Column("mail_run_key", sa.String(64)),
        sa.Column("mail_version", sa.Integer),
        sa.Column("dag_id", sa.String(255), nullable=False),
        sa.Column("run_id", sa.String(255), nullable=False),
        sa.Column("task", sa.String(300), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        # A hash, because links may be longer than an index allows.
        sa.Column("link_key", sa.String(64)),
        # PostgreSQL limits names to 63 characters.
        sa.Index(f"{name}_event"[:63], "event"),
        sa.Index(f"{name}_link"[:63], "link_key"),
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
        # What the attempt that resumes a deferred one has to know. It holds nothing personal.
        sa.Column("deferral", _LONG_TEXT),
        sa.Column("schema_version", sa.Integer, nullable=False),
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


def _quota(name: str, metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        f"{name}_apps",
        metadata,
        sa.Column("quota_key", sa.String(64), primary_key=True),
        sa.Column("writes", _LONG_TEXT, nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        **_UTF8,
    )
