"""Open the ledger of a task: a SQL table, Airflow's task state store, or process memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.ledger.base import Ledger

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.ledger.mail import MailLedger
    from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger


def open_ledger(
    context: Context, ledger_conn_id: str | None, ledger_table: str, *, store_join_urls: bool = True
) -> Ledger:
    """
    Return the ledger of the running task.

    :param context: the task's context.
    :param ledger_conn_id: Airflow connection to a SQL database; None uses the task state store (Airflow 3.3+), or
        process memory on older versions.
    :param ledger_table: the table's name.
    :param store_join_urls: whether the ledger stores links.
    :raises ValueError: the connection does not name a SQL database, or the table's name is not valid.
    """
    run = run_of(context)
    if ledger_conn_id:
        return open_sql_ledger(ledger_conn_id, ledger_table, run, store_join_urls=store_join_urls)
    store = context.get("task_state_store")
    if store is None:
        from airflow_provider_teams_registration.ledger.memory import MemoryLedger

        return MemoryLedger(run, store_join_urls=store_join_urls)
    from airflow_provider_teams_registration.ledger.task_state import StateStoreLedger

    return StateStoreLedger(store, run, store_join_urls=store_join_urls)


def open_sql_ledger(
    ledger_conn_id: str, ledger_table: str, run: TaskRun | None = None, *, store_join_urls: bool = True
) -> SqlLedger:
    """
    Return the ledger in a SQL table.

    :param ledger_conn_id: Airflow connection to the database.
    :param ledger_table: the table's name.
    :param run: the run that enrolls. None opens the ledger for reading.
    :param store_join_urls: whether the ledger stores links.
    :raises ValueError: the connection does not name a SQL database, or the table's name is not valid.
    """
    from airflow_provider_teams_registration.hooks.sql import sql_engine
    from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger

    engine = sql_engine("ledger_conn_id", ledger_conn_id)
    return SqlLedger(engine, ledger_table, run, store_join_urls=store_join_urls)


def run_of(context: Context) -> TaskRun:
    """Return the DAG run and the task of a context."""
    ti = context["ti"]
    task = f"{ti.task_id}[{ti.map_index}]" if ti.map_index >= 0 else ti.task_id
    return TaskRun(ti.dag_id, ti.run_id, task)


def open_mail_ledger(context: Context, ledger_conn_id: str | None, ledger_table: str) -> MailLedger:
    """
    Return the ledger of mails of the running task.

    :param context: the task's context.
    :param ledger_conn_id: Airflow connection to the SQL database of the ledger that the enrolling task writes; None
        uses the task state store (Airflow 3.3+), or process memory on older versions.
    :param ledger_table: the table's name.
    :raises ValueError: the connection does not name a SQL database, or the table's name is not valid.
    """
    run = run_of(context)
    if ledger_conn_id:
        from airflow_provider_teams_registration.hooks.sql import sql_engine
        from airflow_provider_teams_registration.ledger.sql.mail import SqlMailLedger

        return SqlMailLedger(sql_engine("ledger_conn_id", ledger_conn_id), ledger_table, run)
    from airflow_provider_teams_registration.ledger.mail import MemoryMailLedger, StateStoreMailLedger

    store = context.get("task_state_store")
    return MemoryMailLedger(run) if store is None else StateStoreMailLedger(store, run)
