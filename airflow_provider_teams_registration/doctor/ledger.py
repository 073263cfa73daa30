"""Checks of a ledger in a SQL database. They only read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.doctor.finding import Finding, cannot_be_told, fine, interrupted, missing

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from airflow_provider_teams_registration.ledger.sql.tables import Tables

CHECK = "ledger"
_WRITES = ("INSERT", "UPDATE", "DELETE")
_NAME_ANOTHER = "Name another ledger_table, or a connection to a SQL database as ledger_conn_id."


def check_ledger(open_engine: Callable[[], Engine], table: str) -> list[Finding]:
    """
    Check a ledger: whether it can be reached, its tables' layout, and what the account may do with them.

    :param open_engine: returns the database.
    :param table: the name of the ledger's table.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from airflow_provider_teams_registration.ledger.sql.failures import failure
    from airflow_provider_teams_registration.ledger.sql.tables import tables

    try:
        expected = tables(table)
        engine = open_engine()
    except ValueError as error:
        return [missing(CHECK, str(error), _NAME_ANOTHER)]
    absent = _absent_file(engine)
    if absent is not None:
        return [absent]
    try:
        with engine.connect() as connection:
            return _look(connection, expected)
    except SQLAlchemyError as error:
        failed = failure(error, engine, expected)
        if failed.transient:
            return [interrupted(CHECK, str(failed))]
        said, _, remedy = str(failed).partition(". ")
        return [missing(CHECK, f"{said}.", remedy or _NAME_ANOTHER)]
    finally:
        engine.dispose()


def _absent_file(engine: Engine) -> Finding | None:
    """Say so where SQLite would make the file: the checks write nothing."""
    if engine.dialect.name != "sqlite" or engine.url.database in (None, "", ":memory:"):
        return None
    file = Path(str(engine.url.database))
    if file.exists():
        return None
    if file.parent.is_dir():
        return fine(CHECK, "The SQLite file does not exist yet; the first run makes it.")
    return missing(CHECK, "The folder of the SQLite file does not exist.", "Make the folder, on every worker.")


def _look(connection: Connection, expected: Tables) -> list[Finding]:
    import sqlalchemy as sa

    from airflow_provider_teams_registration.ledger.sql.failures import difference

    inspector = sa.inspect(connection)
    present = [one for one in expected if inspector.has_table(one.name, one.schema)]
    if not present:
        sentence = "It can be reached. Its tables do not exist yet; the first run creates them."
        return [fine(CHECK, sentence), _may_create(connection, expected)]
    differences = [found for one in expected if (found := difference(inspector, one))]
    if differences:
        sentence = f"The tables are not as this version makes them: {'; '.join(differences)}."
        return [missing(CHECK, sentence, "Add what is missing (docs/ledger.md), or name another ledger_table.")]
    for one in expected:
        connection.execute(sa.select(sa.literal(1)).select_from(one).limit(1))
    return [_version(connection, expected), _grants(connection, expected)]


def _version(connection: Connection, expected: Tables) -> Finding:
    import sqlalchemy as sa

    from airflow_provider_teams_registration.ledger.sql.tables import SCHEMA_VERSION

    newest = connection.execute(sa.select(sa.func.max(expected.runs.c.schema_version))).scalar()
    if newest is not None and newest > SCHEMA_VERSION:
        return missing(
            CHECK,
            f"A newer version of this provider wrote to it: schema version {newest}, not {SCHEMA_VERSION}.",
            "pip install --upgrade airflow-provider-teams-registration",
        )
    return fine(CHECK, f"It can be read; its tables are as this version makes them (schema version {SCHEMA_VERSION}).")


def _may_create(connection: Connection, expected: Tables) -> Finding:
    import sqlalchemy as sa

    check = "ledger grants"
    if connection.dialect.name != "postgresql":
        return cannot_be_told(check, "Cannot be told without writing.")
    schema = expected.runs.schema
    asked = sa.func.has_schema_privilege(schema or sa.func.current_schema(), "CREATE")
    if connection.execute(sa.select(asked)).scalar():
        return fine(check, "The account may create the tables.")
    return missing(
        check,
        "The account may not create the tables.",
        f"GRANT USAGE, CREATE ON SCHEMA {schema or connection.dialect.default_schema_name} TO <account>;",
    )


def _grants(connection: Connection, expected: Tables) -> Finding:
    import sqlalchemy as sa

    check = "ledger grants"
    if connection.dialect.name != "postgresql":
        return cannot_be_told(check, "Cannot be told without writing.")
    names = [connection.dialect.identifier_preparer.format_table(one) for one in expected]
    for name in names:
        for privilege in _WRITES:
            if not connection.execute(sa.select(sa.func.has_table_privilege(name, privilege))).scalar():
                return missing(
                    check,
                    f"The account may not {privilege} in {name}.",
                    f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(names)} TO <account>;",
                )
    return fine(check, "The account may write to the tables.")
