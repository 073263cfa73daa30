"""The runs table of the SQL ledger: which attempt of a run is the newest."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.sql.records import checked_rows, unreadable
from airflow_provider_teams_registration.ledger.sql.tables import SCHEMA_VERSION, Tables


def start(connection: sa.Connection, tables: Tables, run_key: str, event: str, run: TaskRun, now: datetime) -> int:
    """
    Start an attempt, and take over from older attempts of the same run.

    :param connection: a connection, in a transaction.
    :param tables: the ledger's tables.
    :param run_key: the key of the run on this event.
    :param event: the event's id.
    :param run: the run.
    :param now: the time, by the database's clock.
    :return: the number of the attempt, counted from 1.
    :raises LedgerFailure: another version of this package wrote the tables, or they do not hold what it writes.
    """
    runs, results = tables.runs, tables.results
    _refuse_other_schema(connection, runs)
    taken_over = connection.execute(
        runs.update()
        .where(runs.c.run_key == run_key)
        .values(attempt=runs.c.attempt + 1, started_at=now, last_seen=now, ended_at=None, summary=None)
    )
    attempt = 1
    if taken_over.rowcount:
        attempt = _newest(connection, runs, run_key)
    else:
        connection.execute(
            runs.insert().values(
                run_key=run_key,
                event=event,
                dag_id=run.dag_id,
                run_id=run.run_id,
                task=run.task,
                attempt=1,
                started_at=now,
                last_seen=now,
                schema_version=SCHEMA_VERSION,
            )
        )
    connection.execute(results.delete().where(results.c.run_key == run_key))
    # Notice a missing column before the first send, and not when the rows are stored at the end.
    connection.execute(sa.select(results).where(sa.false()))
    return attempt


def refuse_newer(connection: sa.Connection, tables: Tables, run_key: str, attempt: int) -> None:
    """
    Refuse to read the rows of an attempt that is not the newest one.

    :param connection: a connection.
    :param tables: the ledger's tables.
    :param run_key: the key of the run that stored the rows.
    :param attempt: the attempt that stored them.
    :raises LedgerFailure: the run is not in the table, or a newer attempt has started.
    """
    runs = tables.runs
    newest = connection.execute(sa.select(runs.c.attempt).where(runs.c.run_key == run_key)).scalar()
    if newest is None:
        raise LedgerFailure(
            f"The ledger's table {runs.fullname} does not hold this run. Somebody deleted its rows, or "
            "ledger_conn_id names another database now.",
            transient=False,
        )
    if newest != attempt:
        raise LedgerFailure(
            "A newer attempt of the task that enrolled these people has started. Wait for it, and read its result."
        )


def _refuse_other_schema(connection: sa.Connection, runs: sa.Table) -> None:
    query = sa.select(runs.c.schema_version).where(runs.c.schema_version != SCHEMA_VERSION).limit(1)
    other = connection.execute(query).scalar()
    if other is not None:
        raise LedgerFailure(
            f"The ledger's tables beside {runs.fullname} have schema version {other}, and this version of the "
            f"package writes {SCHEMA_VERSION}. Install the version that wrote them, or name another ledger_table.",
            transient=False,
        )


def _newest(connection: sa.Connection, runs: sa.Table, run_key: str) -> int:
    found = connection.execute(sa.select(runs.c.attempt).where(runs.c.run_key == run_key))
    attempts = [row.attempt for row in checked_rows(runs, found)]
    if len(attempts) != 1 or attempts[0] < 1:
        raise unreadable(runs, "a run twice, or an attempt that is no number from 1")
    return int(attempts[0])
