"""Convert rows that do not fit XCom to rows of the ledger's results table, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.base import storable_text
from airflow_provider_teams_registration.ledger.row_json import NotJson, row_json
from airflow_provider_teams_registration.ledger.sql.records import row_key, unreadable
from airflow_provider_teams_registration.ledger.sql.tables import Tables

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


def result_of(
    run_key: str,
    event: str,
    position: int,
    registrant: str | None,
    row: Mapping[str, Any],
    outcome: Outcome,
    error: str | None,
) -> dict[str, Any]:
    """
    Return the table's row for one row of the input.

    :param run_key: the run.
    :param event: its event.
    :param position: the row's place in the input.
    :param registrant: the registrant's key; None if the row is invalid.
    :param row: the input row.
    :param outcome: the registrant's outcome.
    :param error: the problem; None if there is none.
    :raises LedgerFailure: JSON cannot hold the row.
    """
    try:
        text = row_json(row)
    except NotJson as refusal:
        raise LedgerFailure(f"Row {position} holds {refusal}; the ledger cannot keep it.", transient=False) from None
    return {
        "run_key": run_key,
        "position": position,
        "entry_key": None if registrant is None else row_key(event, registrant),
        "row_json": text,
        "outcome": outcome.value,
        "error": storable_text("error", error),
    }


def read_results(
    connection: sa.Connection, tables: Tables, run_key: str, after: int, up_to: int
) -> list[dict[str, Any]]:
    """
    Return input rows with their outcomes, in input order.

    :param connection: the database, in a transaction.
    :param tables: the ledger's tables.
    :param run_key: the run that stored the rows.
    :param after: the last position to skip.
    :param up_to: the last position to read.
    :raises LedgerFailure: this version cannot have written a row.
    """
    results, registrants = tables.results, tables.registrants
    joined = results.outerjoin(registrants, results.c.entry_key == registrants.c.entry_key)
    query = (
        sa.select(results.c.position, results.c.row_json, results.c.outcome, results.c.error)
        .add_columns(registrants.c.join_web_url)
        .select_from(joined)
        .where(results.c.run_key == run_key, results.c.position > after, results.c.position <= up_to)
        .order_by(results.c.position)
    )
    rows: list[dict[str, Any]] = []
    last = 0
    for position, text, outcome, error, join_web_url in connection.execute(query).all():
        if not isinstance(position, int) or position <= last:
            raise unreadable(tables.results, "a position twice, or a person's row stands twice in the first table")
        last = position
        if outcome not in _OUTCOMES:
            raise unreadable(tables.results, f"an outcome that this version does not know, at position {position}")
        row = read_json(text)
        if row is None or not _is_text(error) or not _is_text(join_web_url):
            raise unreadable(
                tables.results, f"no JSON object, or an error or a link that is no text, at position {position}"
            )
        rows.append({**row, "outcome": outcome, "join_web_url": join_web_url, "error": error})
    return rows


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def read_json(text: Any) -> dict[str, Any] | None:
    """Return the row that a text holds; None if it holds no JSON object."""
    try:
        row = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
