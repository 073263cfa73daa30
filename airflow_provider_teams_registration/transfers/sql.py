"""Enroll the people of a SQL query in a Teams event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_teams_registration.hooks.arguments import TextArgument
from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure
from airflow_provider_teams_registration.operators.enrolling import EnrollingOperator
from airflow_provider_teams_registration.xcom.masked_rows import Untemplated, is_mapped_data

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class SqlToTeamsRegistrationOperator(EnrollingOperator):
    """
    Enroll the people whom a query returns, without loading all of them into memory.

    .. code-block:: python

        enroll = SqlToTeamsRegistrationOperator(
            task_id="enroll",
            sql="SELECT id, email FROM attendees WHERE event = %(event)s",
            parameters={"event": "launch"},
            sql_conn_id="warehouse",
            ledger_conn_id="warehouse",
            meeting_id="MSpkYzE3...",
            organizer_id="dc17674c-...",
        )

    :param sql: the query, or a ``.sql`` file of the DAG's template path. Its columns have the names of the columns of
        :class:`~airflow_provider_teams_registration.operators.enroll.EnrollRegistrantOperator`. (templated)
    :param sql_conn_id: Airflow connection to the database, of any provider whose hook is made for SQL. (templated)
    :param parameters: values for the query, as the database's driver takes them. Airflow renders no templates in a
        value that the task is mapped over. (templated)

    The query runs once in each attempt. After a deferral, the task goes on with the rows that it kept in the ledger's
    database, if they are at most ``xcom_limit`` and JSON gives back their values. Otherwise the query runs again.

    After another query, people are recognized by their key and not by their place, so that rows in another order change
    nothing but the order of the result. Positions in texts and in the result are those of the last query. A row that
    changed is reported and not sent again. A person who is new is looked up and sent. A person who is not among the
    rows any more stays enrolled and is missing from the result.

    The other arguments, and the errors, are those of
    :class:`~airflow_provider_teams_registration.operators.enrolling.EnrollingOperator`.
    """

    template_fields: Sequence[str] = (*EnrollingOperator.template_fields, "sql", "sql_conn_id", "parameters")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}

    sql_conn_id = TextArgument(absent="")

    keeps_input = True

    def __init__(
        self, *, sql: str, sql_conn_id: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.sql_conn_id = sql_conn_id
        self.parameters: Any = parameters
        if isinstance(parameters, Mapping | list | tuple) and is_mapped_data(self, "parameters", parameters):
            self.parameters = Untemplated(parameters)

    def execute(self, context: Context) -> Any:
        """Enroll everybody, push the summary and the rows or a reference, and fail if an outcome is not a success."""
        kept = self.kept_input(context)
        return self._query_and_enroll(context) if kept is None else self.enroll_rows(context, kept)

    def _query_and_enroll(self, context: Context) -> Any:
        from airflow_provider_teams_registration.hooks.sql import QueryFailed, query, sql_engine
        from airflow_provider_teams_registration.transfers.spool import RowSpool

        with TemporaryFile() as file:
            try:
                engine = sql_engine("sql_conn_id", self.sql_conn_id)
                given = self.parameters
                parameters = given.value if isinstance(given, Untemplated) else given
                rows = RowSpool(file, query(engine, self.sql, parameters))
            except QueryFailed as error:
                raise (TransientFailure if error.transient else PermanentFailure)(str(error)) from None
            except ValueError as error:
                raise PermanentFailure(str(error)) from None
            return self.enroll_rows(context, rows)
