"""Keep the input rows of a run that is deferred, so that the attempt that goes on does not run the query again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.row_json import NotJson, row_json
from airflow_provider_teams_registration.ledger.sql.attempts import refuse_newer
from airflow_provider_teams_registration.ledger.sql.results import read_json
from airflow_provider_teams_registration.ledger.sql.tables import Tables

_WAITING = "input"
"""What the column ``outcome`` holds for a row of a run that waits. No result has this outcome."""
_END = "end of input"
"""What it holds after the last row. Without this row, the ledger would not notice that the last rows are missing."""


def as_stored(run_key: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """
    Return the results table's rows for the input rows of a run.

    :param run_key: the run.
    :param rows: the input rows.
    :return: the rows; None if JSON would not give back the same values. Dates are an example.
    """
    stored: list[dict[str, Any]] = []
    for position, row in enumerate(rows, start=1):
        try:
            text = row_json(row)
        except NotJson:
            return None
        # Equal values may differ in type, as Decimal("1") and 1 do.
        if repr(read_json(text)) != repr(dict(row)):
            return None
        stored.append(_stored(run_key, position, text, _WAITING))
    return [*stored, _stored(run_key, len(stored) + 1, "{}", _END)]


def save(connection: sa.Connection, tables: Tables, run_key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Store the input rows of a run, in place of all its rows.

    :param connection: the database, in a transaction that holds the fence.
    :param tables: the ledger's tables.
    :param run_key: the run.
    :param rows: what :func:`as_stored` returned.
    """
    results = tables.results
    connection.execute(results.delete().where(results.c.run_key == run_key))
    connection.execute(results.insert(), list(rows))


def load(connection: sa.Connection, tables: Tables, run_key: str, attempt: int) -> list[dict[str, Any]] | None:
    """
    Return the input rows that an attempt stored when it was deferred; None if it stored none.

    :param connection: the database, in a transaction.
    :param tables: the ledger's tables.
    :param run_key: the run.
    :param attempt: the attempt that was deferred.
    """
    try:
        refuse_newer(connection, tables, run_key, attempt)
    except LedgerFailure:
        # Another attempt ran in between.
        return None
    results = tables.results
    query = sa.select(results.c.position, results.c.row_json, results.c.outcome)
    found = connection.execute(query.where(results.c.run_key == run_key).order_by(results.c.position)).all()
    rows = [read_json(text) for _, text, _ in found[:-1]]
    expected = [(position, _WAITING) for position in range(1, len(found))] + [(len(found), _END)]
    if [(position, outcome) for position, _, outcome in found] != expected or None in rows:
        return None
    return [row for row in rows if row is not None] or None


def _stored(run_key: str, position: int, text: str, outcome: str) -> dict[str, Any]:
    of_run = {"run_key": run_key, "position": position, "entry_key": None}
    return {**of_run, "row_json": text, "outcome": outcome, "error": None}
