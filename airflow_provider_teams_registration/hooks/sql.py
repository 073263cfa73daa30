"""Open and query a SQL database that an Airflow connection names."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException, BaseHook

from airflow_provider_teams_registration.exceptions import blank_personal
from airflow_provider_teams_registration.hooks.missing_connection import unknown_connection

if TYPE_CHECKING:
    from sqlalchemy import Engine

_ROWS_AT_ONCE = 1000
_LOGGER = "teams_registration"


class QueryFailed(Exception):
    """
    The database refused a query, or broke off. The sentence holds no value of any row.

    :param said: what happened.
    :param transient: whether trying again may well succeed.
    """

    def __init__(self, said: str, *, transient: bool = False) -> None:
        super().__init__(said)
        self.transient = transient


def sql_engine(argument: str, conn_id: str) -> Engine:
    """
    Return a connection's database. It logs no values, whatever the log's level.

    :param argument: the argument that names the connection, for the error.
    :param conn_id: the Airflow connection.
    :raises ValueError: the connection does not exist, its provider is not installed, or it is not one to a SQL
        database. The sentence says which, and what to do.
    """
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

    _keep_rows_out_of_the_log()
    # An error's own text may contain the connection's address with its password, so no sentence repeats it.
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise ValueError(
            f"{unknown_connection(argument, conn_id)}. Create it with 'airflow connections add', or correct {argument}."
        ) from None
    kind = f"{argument} is {conn_id!r}, a connection of type {connection.conn_type!r}"
    try:
        hook = connection.get_hook()
    except (AirflowException, ImportError):
        raise ValueError(
            f"{kind}, and no installed provider package has a hook for this type that can be imported. Install the "
            f"provider package on every worker, or name a connection to a SQL database in {argument}."
        ) from None
    try:
        engine: Engine = hook.get_sqlalchemy_engine({"hide_parameters": True, "logging_name": _LOGGER})
    except (ImportError, NoSuchModuleError):
        raise ValueError(
            f"{kind}, and the Python driver of its database is not installed. Install it on every worker."
        ) from None
    except (AttributeError, NotImplementedError):
        raise ValueError(
            f"{kind}, which is not a SQL database. Name a connection to a SQL database in {argument}."
        ) from None
    except (AirflowException, SQLAlchemyError) as error:
        raise ValueError(
            f"{kind}, and its fields make no address of a database ({type(error).__name__}). Correct the connection."
        ) from None
    return engine


def _keep_rows_out_of_the_log() -> None:
    """SQLAlchemy logs values at INFO, which an engine can be told not to, and whole rows at DEBUG."""
    import sqlalchemy.log  # noqa: F401 - it sets the level that holds where nobody set another

    level = logging.getLogger("sqlalchemy.engine").getEffectiveLevel()
    logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGER}").setLevel(max(level, logging.INFO))


def query(
    engine: Engine, sql: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None
) -> Iterator[list[dict[str, Any]]]:
    """
    Run a query and yield its rows in parts, as the server sends them.

    :param engine: the database. The function closes its connections at the end.
    :param sql: the query.
    :param parameters: its values, as the database's driver takes them.
    :raises QueryFailed: the database refused the query, or two columns have the same name.
    """
    options = {
        "stream_results": True,
        "max_row_buffer": _ROWS_AT_ONCE,
        # Without values a per cent sign is one, whatever the driver takes for a placeholder.
        "no_parameters": parameters is None,
        # SQLAlchemy 1.4 commits a statement that looks like a write. A query changes nothing.
        "autocommit": False,
    }
    values = parameters if parameters is None or isinstance(parameters, Mapping) else tuple(parameters)
    try:
        # The database's errors about the query may be quoted. Its errors about rows may contain personal data.
        with _failures(engine, is_quoted=True):
            connection = engine.connect()
        with connection:
            with _failures(engine, is_quoted=True):
                result = connection.execution_options(**options).exec_driver_sql(sql, values)
            with closing(result), _failures(engine, is_quoted=False):
                _refuse_unusable_columns(list(result.keys()) if result.returns_rows else [])
                for rows in result.mappings().partitions(_ROWS_AT_ONCE):
                    yield [dict(row) for row in rows]
    finally:
        engine.dispose()


def _refuse_unusable_columns(names: Sequence[str]) -> None:
    if not names:
        raise QueryFailed("The query is no SELECT: it returns no columns.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise QueryFailed(f"The query returns more than one column of the name {', '.join(repeated)}; name them apart.")


@contextmanager
def _failures(engine: Engine, *, is_quoted: bool) -> Iterator[None]:
    from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError

    from airflow_provider_teams_registration.ledger.sql.failures import lasting_trouble

    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None)
        # Some drivers put values into the statement, and quote it from the second line on.
        said = f": {blank_personal(str(cause).partition(chr(10))[0])}" if is_quoted and cause is not None else ""
        if isinstance(error, DataError):
            said = ""
        name = type(cause or error).__name__
        # SQLite and MySQL have one class for a server that is away and for a table that is not there.
        may_pass = isinstance(error, OperationalError) and lasting_trouble(error, engine.dialect) is None
        raise QueryFailed(f"The query failed with {name}{said}", transient=may_pass) from None
