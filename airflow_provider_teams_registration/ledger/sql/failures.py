"""Tell from its error codes why the ledger's database refused, and what to do about it. No sentence quotes a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IdentifierError, ProgrammingError, SQLAlchemyError

from airflow_provider_teams_registration.exceptions import LedgerFailure

_TRIES_TO_CREATE = 4


class Trouble(Enum):
    """A kind of refusal that a retry does not cure."""

    NO_SCHEMA = "no schema"
    NO_PRIVILEGE = "no privilege"
    NO_LOGIN = "no login"
    NO_DATABASE = "no database"
    READ_ONLY = "read-only"
    OTHER_TABLE = "another table"
    """A table, a column or a constraint differs from those that this version makes."""
    STATEMENT = "statement"
    """SQLite has one code for missing objects, existing objects and syntax errors."""


_POSTGRESQL: Mapping[Any, Trouble] = {
    "3F000": Trouble.NO_SCHEMA,
    "42501": Trouble.NO_PRIVILEGE,
    "28000": Trouble.NO_LOGIN,
    "28P01": Trouble.NO_LOGIN,
    "3D000": Trouble.NO_DATABASE,
    "42P01": Trouble.OTHER_TABLE,  # no such table
    "42703": Trouble.OTHER_TABLE,  # no such column
    "42P10": Trouble.OTHER_TABLE,  # no primary key
    "42804": Trouble.OTHER_TABLE,  # a column of another type
    "42883": Trouble.OTHER_TABLE,  # no operator for a column of another type
    "42809": Trouble.OTHER_TABLE,  # no table
    "55000": Trouble.OTHER_TABLE,  # a view
    "22001": Trouble.OTHER_TABLE,  # a column that is too narrow
    "22003": Trouble.OTHER_TABLE,  # a number out of a column's range
    "22007": Trouble.OTHER_TABLE,  # no date
    "22P02": Trouble.OTHER_TABLE,  # no number
    "23502": Trouble.OTHER_TABLE,  # NULL in a column of somebody else's
    "23503": Trouble.OTHER_TABLE,  # a foreign key
    "23514": Trouble.OTHER_TABLE,  # a check
}
_MYSQL: Mapping[Any, Trouble] = {
    1049: Trouble.NO_SCHEMA,
    1044: Trouble.NO_PRIVILEGE,
    1142: Trouble.NO_PRIVILEGE,
    1143: Trouble.NO_PRIVILEGE,
    1227: Trouble.NO_PRIVILEGE,
    1045: Trouble.NO_LOGIN,
    1698: Trouble.NO_LOGIN,
    1146: Trouble.OTHER_TABLE,  # no such table
    1054: Trouble.OTHER_TABLE,  # no such column
    1048: Trouble.OTHER_TABLE,  # NULL where none may be
    1364: Trouble.OTHER_TABLE,  # a column of somebody else's has no default
    1264: Trouble.OTHER_TABLE,  # a number out of a column's range
    1265: Trouble.OTHER_TABLE,  # a value of another type
    1292: Trouble.OTHER_TABLE,  # no date
    1366: Trouble.OTHER_TABLE,  # no number, or a character that the column's character set lacks
    1406: Trouble.OTHER_TABLE,  # a column that is too narrow
    1452: Trouble.OTHER_TABLE,  # a foreign key
    4025: Trouble.OTHER_TABLE,  # a check
    1288: Trouble.OTHER_TABLE,  # a view
    1347: Trouble.OTHER_TABLE,  # no table
    1394: Trouble.OTHER_TABLE,  # a view
    1471: Trouble.OTHER_TABLE,  # a view
}
_SQLITE: Mapping[Any, Trouble] = {
    1: Trouble.STATEMENT,
    8: Trouble.READ_ONLY,
    11: Trouble.NO_DATABASE,  # damaged
    26: Trouble.NO_DATABASE,  # another kind of file
    20: Trouble.OTHER_TABLE,  # a value of another type
    275: Trouble.OTHER_TABLE,  # a check
    787: Trouble.OTHER_TABLE,  # a foreign key
    1299: Trouble.OTHER_TABLE,  # NULL where none may be
    3091: Trouble.OTHER_TABLE,  # a value of another type, in a strict table
}
# On Python 3.10, sqlite3 reports no codes. SQLite words its errors only in English.
_SQLITE_WORDS: Mapping[str, int] = {
    "no such ": 1,
    "table ": 1,  # "has no column", "already exists"
    "unknown database ": 1,
    "cannot modify ": 1,
    "near ": 1,  # "syntax error"
    "incomplete input": 1,
    "unrecognized token: ": 1,
    "ambiguous column name: ": 1,
    "attempt to write a readonly database": 8,
    "database disk image is malformed": 11,
    "file is not a database": 26,
    "NOT NULL constraint failed": 1299,
    "CHECK constraint failed": 275,
    "FOREIGN KEY constraint failed": 787,
}
_LASTING: Mapping[str, Mapping[Any, Trouble]] = {
    "postgresql": _POSTGRESQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite": _SQLITE,
}
"""The errors that a retry does not cure, by dialect. All others count as transient."""


def lasting_trouble(error: SQLAlchemyError, dialect: sa.Dialect) -> Trouble | None:
    """
    Return why a retry does not help; None if it may.

    :param error: the error.
    :param dialect: the database's dialect.
    """
    if not isinstance(error, DBAPIError):
        return None
    return _LASTING.get(dialect.name, {}).get(_code(error.orig, dialect.name))


def may_pass(error: SQLAlchemyError, dialect: sa.Dialect, attempt: int, is_creating: bool) -> bool:
    """
    Return whether the next try may succeed.

    :param error: the error.
    :param dialect: the database's dialect.
    :param attempt: the number of the try that failed, from 1.
    :param is_creating: whether the transaction creates tables, which another run may do at the same time.
    """
    trouble = lasting_trouble(error, dialect)
    if trouble is Trouble.STATEMENT and is_creating:
        return attempt < _TRIES_TO_CREATE
    if trouble is not None or not isinstance(error, DBAPIError):
        return False
    # If two runs create the tables at once, the first try may fail with an error about the statement.
    return attempt == 1 or not isinstance(error, DataError | ProgrammingError)


def _code(cause: Any, dialect: str) -> Any:
    """Return the database's own error code, from any of its drivers."""
    if dialect == "postgresql":
        # psycopg 3 and asyncpg; psycopg2; pg8000.
        named = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
        first = next(iter(cause.args), None)
        return named or (first.get("C") if isinstance(first, dict) else None)
    if dialect == "sqlite":
        return getattr(cause, "sqlite_errorcode", None) or _code_of_words(str(cause))
    return getattr(cause, "errno", None) or next(iter(cause.args), None)


def _code_of_words(said: str) -> int | None:
    return next((code for words, code in _SQLITE_WORDS.items() if said.startswith(words)), None)


def failure(
    error: SQLAlchemyError, engine: sa.Engine, tables: Iterable[sa.Table], *, is_creating: bool = False
) -> LedgerFailure:
    """
    Return the failure that stands for an error of the database.

    It leaves the database's own text out, which may quote values, the statement and the connection's address.

    :param error: the error.
    :param engine: the database.
    :param tables: the ledger's tables.
    :param is_creating: whether the tables were about to be created.
    """
    if isinstance(error, IdentifierError):
        return LedgerFailure("The name in ledger_table is too long for this database. Shorten it.", transient=False)
    trouble = lasting_trouble(error, engine.dialect)
    cause = type(getattr(error, "orig", None) or error).__name__
    if trouble is None:
        return LedgerFailure(f"The ledger's database failed with {cause}.")
    code = _code(getattr(error, "orig", None), engine.dialect.name)
    said = _Advice(engine, list(tables), is_creating).what_to_do(trouble)
    return LedgerFailure(f"The ledger's database refused with {cause} ({code}). {said}", transient=False)


class _Advice:
    """
    Builds the sentence that says what to do.

    :param engine: the database.
    :param tables: the ledger's tables.
    :param is_creating: whether the transaction creates the tables.
    """

    def __init__(self, engine: sa.Engine, tables: list[sa.Table], is_creating: bool) -> None:
        self._engine = engine
        self._tables = tables
        self._is_creating = is_creating
        self._schema = tables[0].schema
        preparer = engine.dialect.identifier_preparer
        self._quoted = [preparer.format_table(table) for table in tables]
        self._quoted_schema = preparer.quote_schema(self._schema) if self._schema else None

    def what_to_do(self, trouble: Trouble) -> str:
        if trouble is Trouble.NO_SCHEMA:
            return self._no_schema()
        if trouble is Trouble.NO_PRIVILEGE:
            return self._no_privilege()
        if trouble is Trouble.NO_LOGIN:
            return "It does not take the login or the password of the connection that ledger_conn_id names."
        if trouble is Trouble.NO_DATABASE:
            return "The connection that ledger_conn_id names leads to no database, or to a damaged one."
        if trouble is Trouble.READ_ONLY:
            return f"It cannot write {self._named_tables()}: its file or folder is read-only."
        return self._other_table()

    def _named_tables(self) -> str:
        *others, last = self._quoted
        return f"the tables {', '.join(others)} and {last}"

    def _no_schema(self) -> str:
        if self._quoted_schema is None:
            return "The database of the connection that ledger_conn_id names does not exist."
        if self._engine.dialect.name == "sqlite":
            return (
                f"The schema {self._quoted_schema} of ledger_table does not exist. An SQLite database has the "
                "schema main; leave the schema out of ledger_table."
            )
        return (
            f"The schema {self._quoted_schema} of ledger_table does not exist. Create it: "
            f"CREATE SCHEMA {self._quoted_schema}; or correct ledger_table."
        )

    def _no_privilege(self) -> str:
        on_tables = "SELECT, INSERT, UPDATE, DELETE"
        if self._engine.dialect.name == "postgresql":
            schema = self._quoted_schema or self._engine.dialect.default_schema_name or "<schema>"
            create = f"GRANT USAGE, CREATE ON SCHEMA {schema} TO <account>;"
            use = f"GRANT USAGE ON SCHEMA {schema} TO <account>; GRANT {on_tables} ON {', '.join(self._quoted)}"
        else:
            create = f"GRANT CREATE, INDEX, {on_tables} ON {self._quoted_schema or '<database>'}.* TO <account>;"
            use = f"GRANT {on_tables} ON <table> TO <account>; for each of {', '.join(self._quoted)}"
        if self._is_creating:
            return (
                f"The connection's account may not create {self._named_tables()}. Either grant it: "
                f"{create} Or create them with another account and grant this one {on_tables}."
            )
        said = f"{use} TO <account>;" if self._engine.dialect.name == "postgresql" else f"{use}."
        return f"The connection's account may not read and write {self._named_tables()}. Grant it: {said}"

    def _other_table(self) -> str:
        try:
            inspector = sa.inspect(self._engine)
            if self._engine.dialect.name == "sqlite" and self._is_schema_missing(inspector):
                return self._no_schema()
            differences = [found for table in self._tables if (found := difference(inspector, table))]
        except SQLAlchemyError:
            differences = []
        if not differences:
            return (
                f"A column's type or a constraint of {self._named_tables()} is not as this version makes it. "
                "Name another ledger_table, or drop these if they hold nothing that is needed; then new ones are made."
            )
        return (
            f"The tables are not as this version makes them: {'; '.join(differences)}. Add what is missing "
            "(docs/ledger.md lists the columns), or name another ledger_table."
        )

    def _is_schema_missing(self, inspector: sa.Inspector) -> bool:
        return self._schema is not None and self._schema not in inspector.get_schema_names()


def difference(inspector: sa.Inspector, table: sa.Table) -> str | None:
    """Return what a table lacks that this version makes; None where it lacks nothing."""
    if not inspector.has_table(table.name, table.schema):
        return f"{table.fullname} does not exist"
    present = {column["name"] for column in inspector.get_columns(table.name, table.schema)}
    missing = [column.name for column in table.columns if column.name not in present]
    if missing:
        return f"{table.fullname} lacks the columns {', '.join(missing)}"
    keys = set(inspector.get_pk_constraint(table.name, table.schema)["constrained_columns"])
    if keys != {column.name for column in table.primary_key}:
        return f"{table.fullname} lacks the primary key ({', '.join(column.name for column in table.primary_key)})"
    return None
