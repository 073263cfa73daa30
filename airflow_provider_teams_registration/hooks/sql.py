"""SQL databases, as any Airflow connection reaches them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, BaseHook

from airflow_provider_teams_registration.graph.errors import blank_personal

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

    :param argument: what the user calls this connection, for the error.
    :param conn_id: the Airflow connection.
    :raises ValueError: it is not one to a SQL database.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        _keep_rows_out_of_the_log()
        hook = BaseHook.get_connection(conn_id).get_hook()
        engine: Engine = hook.get_sqlalchemy_engine({"hide_parameters": True, "logging_name": _LOGGER})
    except (AirflowException, AttributeError, ImportError, NotImplementedError, SQLAlchemyError) as error:
        # The error's own text may hold the connection's address with its password.
        raise ValueError(
            f"{argument} {conn_id!r} is not a connection to a SQL database that can be used here "
            f"({type(error).__name__}); it must exist, and its provider must be installed, with a hook made for SQL."
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
    Run a query and return its rows, some at a time, as the server sends them.

    :param engine: the database; its connections are closed in the end.
    :param sql: the query.
    :param parameters: its values, as the database's driver takes them.
    :raises QueryFailed: the database refused it, or its columns cannot be told apart.
    """
    options = {
        "stream_results": True,
        "max_row_buffer": _ROWS_AT_ONCE,
        # Without values a per cent sign is one, whatever the driver takes for a placeholder.
        "no_parameters": parameters is None,
        # Of SQLAlchemy 1.4, which commits what looks like a write. A query changes nothing.
        "autocommit": False,
    }
    values = parameters if parameters is None or isinstance(parameters, Mapping) else tuple(parameters)
    try:
        # What is said of a query speaks of the query; what is said of rows may quote them.
        with _failures(is_quoted=True):
            connection = engine.connect()
        with connection:
            with _failures(is_quoted=True):
                result = connection.execution_options(**options).exec_driver_sql(sql, values)
            with closing(result), _failures(is_quoted=False):
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
def _failures(*, is_quoted: bool) -> Iterator[None]:
    from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None)
        # Some drivers put values into the statement, and quote it from the second line on.
        said = f": {blank_personal(str(cause).partition(chr(10))[0])}" if is_quoted and cause is not None else ""
        if isinstance(error, DataError):
            said = ""
        name = type(cause or error).__name__
        raise QueryFailed(
            f"The query failed with {name}{said}", transient=isinstance(error, OperationalError)
        ) from None
