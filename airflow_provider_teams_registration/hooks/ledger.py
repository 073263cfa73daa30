"""Which ledger a task keeps: a SQL table it names, Airflow's task state store where there is one, or its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_teams_registration.enrollment.ledger import Ledger, Run

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.enrollment.sql_ledger import SqlLedger


def open_ledger(
    context: Context, ledger_conn_id: str | None, ledger_table: str, *, store_join_urls: bool = True
) -> Ledger:
    """
    Return the ledger of the task that runs.

    :param context: the task's context.
    :param ledger_conn_id: Airflow connection to a SQL database; None takes the task state store (Airflow 3.3+), or the
        process's memory where Airflow has none.
    :param ledger_table: the table's name.
    :param store_join_urls: whether the ledger keeps links.
    :raises ValueError: the connection is not one to a SQL database, or the table's name cannot be one.
    """
    run = run_of(context)
    if ledger_conn_id:
        return open_sql_ledger(ledger_conn_id, ledger_table, run, store_join_urls=store_join_urls)
    store = context.get("task_state_store")
    if store is None:
        from airflow_provider_teams_registration.enrollment.memory_ledger import MemoryLedger

        return MemoryLedger(run, store_join_urls=store_join_urls)
    from airflow_provider_teams_registration.enrollment.state_store_ledger import StateStoreLedger

    return StateStoreLedger(store, run, store_join_urls=store_join_urls)


def open_sql_ledger(
    ledger_conn_id: str, ledger_table: str, run: Run | None = None, *, store_join_urls: bool = True
) -> SqlLedger:
    """
    Return the ledger in a SQL table.

    :param ledger_conn_id: Airflow connection to the database.
    :param ledger_table: the table's name.
    :param run: who enrolls; None is for reading.
    :param store_join_urls: whether the ledger keeps links.
    :raises ValueError: the connection is not one to a SQL database, or the table's name cannot be one.
    """
    from airflow_provider_teams_registration.enrollment.sql_ledger import SqlLedger
    from airflow_provider_teams_registration.hooks.sql import sql_engine

    engine = sql_engine("ledger_conn_id", ledger_conn_id)
    return SqlLedger(engine, ledger_table, run, store_join_urls=store_join_urls)


def run_of(context: Context) -> Run:
    """Return which task of which DAG run this is."""
    ti = context["ti"]
    task = f"{ti.task_id}[{ti.map_index}]" if ti.map_index >= 0 else ti.task_id
    return Run(ti.dag_id, ti.run_id, task)
