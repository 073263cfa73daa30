"""People straight from a SQL database onto a Teams event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure
from airflow_provider_teams_registration.operators.enrolling import EnrollingOperator
from airflow_provider_teams_registration.operators.rows import Untemplated, is_mapped_data

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class SqlToTeamsRegistrationOperator(EnrollingOperator):
    """
    Enroll the people whom a query returns, without ever holding all of them in memory.

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

    :param sql: the query, or a ``.sql`` file of the DAG's template path. Its columns are named as those of
        :class:`~airflow_provider_teams_registration.operators.enroll.EnrollRegistrantOperator`'s rows. (templated)
    :param sql_conn_id: Airflow connection to the database, of any provider whose hook is made for SQL. (templated)
    :param parameters: values for the query, as the database's driver takes them. (templated, but for what a task
        is mapped over)

    The other arguments, and the errors, are those of
    :class:`~airflow_provider_teams_registration.operators.enrolling.EnrollingOperator`.
    """

    template_fields: Sequence[str] = (*EnrollingOperator.template_fields, "sql", "sql_conn_id", "parameters")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}

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
        """Enroll everybody, push summary and rows or a reference, and fail where the outcome is not as asked for."""
        from airflow_provider_teams_registration.hooks.sql import QueryFailed, query, sql_engine
        from airflow_provider_teams_registration.transfers.spool import Spool

        with TemporaryFile() as file:
            try:
                engine = sql_engine("sql_conn_id", self.sql_conn_id)
                given = self.parameters
                parameters = given.value if isinstance(given, Untemplated) else given
                rows = Spool(file, query(engine, self.sql, parameters))
            except QueryFailed as error:
                raise (TransientFailure if error.transient else PermanentFailure)(str(error)) from None
            except ValueError as error:
                raise PermanentFailure(str(error)) from None
            return self.enroll_rows(context, rows)
