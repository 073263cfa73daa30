"""Run transactions of the SQL ledger, and repeat those that another transaction or the database interrupted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.sql.failures import failure, may_pass
from airflow_provider_teams_registration.ledger.sql.records import ChangedMeanwhile
from airflow_provider_teams_registration.ledger.sql.tables import Tables

T = TypeVar("T")


class Transactions:
    """
    Runs transactions.

    :param engine: the database, as SQLAlchemy reaches it.
    :param tables: the ledger's tables, for the sentences of errors.
    :param max_tries: how often a transaction is tried at most.
    """

    def __init__(self, engine: sa.Engine, tables: Tables, max_tries: int) -> None:
        self._engine = engine
        self._tables = tables
        self._max_tries = max_tries
        sa.event.listen(engine, "connect", partial(_set_up, engine.dialect))

    def __call__(self, work: Callable[[sa.Connection], T], *, is_creating: bool = False) -> T:
        """
        Run a transaction, and repeat it if another transaction interfered or the database failed for now.

        :param work: what the transaction does.
        :param is_creating: whether it creates the tables.
        :raises LedgerFailure: the database refused, or failed each time.
        """
        for attempt in range(1, self._max_tries + 1):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except ChangedMeanwhile:
                if attempt == self._max_tries:
                    raise LedgerFailure(
                        f"Other runs changed the same rows of the ledger during each of {self._max_tries} tries."
                    ) from None
            except SQLAlchemyError as error:
                if attempt == self._max_tries or not may_pass(error, self._engine.dialect, attempt, is_creating):
                    raise failure(error, self._engine, self._tables, is_creating=is_creating) from None
            time.sleep(random.uniform(0.05, 0.1) * 2**attempt)
        raise AssertionError("unreachable")


def _set_up(dialect: sa.Dialect, connection: Any, _: Any) -> None:
    if hasattr(connection, "prepare_threshold"):
        # PostgreSQL would keep the plan that it made for an empty ledger, and scan the whole table for each batch.
        connection.prepare_threshold = None
    if dialect.name in ("mysql", "mariadb"):
        # At a stricter isolation level, looking up missing rows takes gap locks, and runs of unrelated events deadlock.
        dialect.set_isolation_level(connection, "READ COMMITTED")
