"""A ledger is looked at, and left as it is."""

from __future__ import annotations

import json
import sqlite3
import uuid
from contextlib import closing

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.doctor.ledger import check_ledger
from airflow_provider_teams_registration.hooks.ledger import open_sql_ledger
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from tests.servers import POSTGRES, connect_or_skip

LEDGER = ("--ledger-conn-id", "ledger")


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file of the ledger's database, which does not exist yet."""
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


@pytest.fixture
def used(file):
    """The ledger after a first run."""
    ledger = open_sql_ledger("ledger", "teams_registration_ledger", TaskRun("dag", "run", "task"))
    ledger.start_attempt("event")
    ledger.close()
    return file


def sql(file, statement):
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_database_that_does_not_exist_yet_is_not_made(doctor, file):
    examined = doctor(*LEDGER)

    assert examined.exit_code == 0
    assert "the first run makes it" in examined.of("ledger")["sentence"]
    assert not file.exists()


def test_an_empty_database_stays_empty(doctor, file):
    sql(file, "CREATE TABLE other (one)")
    before = file.read_bytes()

    examined = doctor(*LEDGER)

    assert examined.exit_code == 0
    assert "the first run creates them" in examined.of("ledger")["sentence"]
    assert file.read_bytes() == before


def test_a_ledger_in_use_is_fine_and_stays_as_it_is(doctor, used):
    before = used.read_bytes()

    examined = doctor(*LEDGER)

    assert examined.exit_code == 0
    assert "schema version" in examined.of("ledger")["sentence"]
    assert used.read_bytes() == before


def test_a_ledger_of_a_newer_version_is_named(doctor, used):
    sql(used, "UPDATE teams_registration_ledger_runs SET schema_version = 99")

    (missing,) = doctor(*LEDGER).missing

    assert "99" in missing["sentence"]
    assert missing["remedy"].startswith("pip install --upgrade")


def test_a_ledger_that_lacks_a_column_is_named(doctor, used):
    sql(used, "ALTER TABLE teams_registration_ledger DROP COLUMN fingerprint")

    (missing,) = (examined := doctor(*LEDGER)).missing

    assert examined.exit_code == 1
    assert "lacks the columns fingerprint" in missing["sentence"]


@pytest.mark.parametrize(
    ("connection", "table"),
    [
        ({"conn_type": "http", "host": "example.org"}, "ledger"),
        ({"conn_type": "sqlite", "host": "/nowhere/ledger.db"}, "ledger"),
        ({"conn_type": "sqlite", "host": ":memory:"}, "no table; name"),
    ],
    ids=["no database", "no folder", "no table name"],
)
def test_a_ledger_that_cannot_be_used_is_named(connection, table, doctor, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps(connection))

    (missing,) = (examined := doctor(*LEDGER, "--ledger-table", table)).missing

    assert (examined.exit_code, missing["check"]) == (1, "ledger")
    assert missing["remedy"]


def test_a_file_that_is_no_database_is_named(doctor, file):
    file.write_text("no database " * 1_000)

    (missing,) = doctor(*LEDGER).missing

    assert "leads to no database" in missing["remedy"]


@pytest.fixture
def account():
    """A PostgreSQL account that may nothing yet, and its schema; returns its engine and what its owner does to it."""
    owner = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    name = f"doctor_{uuid.uuid4().hex[:12]}"
    connection = connect_or_skip("PostgreSQL", owner.connect, sa.exc.OperationalError)
    with connection:
        connection.exec_driver_sql(f"CREATE ROLE {name}")
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")

        def grant(what):
            connection.exec_driver_sql(f"GRANT {what.format(name=name)} TO {name}")

        def check():
            engine = sa.create_engine(POSTGRES, connect_args={"options": f"-c role={name}"})
            return {one.check: one for one in check_ledger(lambda: engine, f"{name}.ledger")}

        def run_once():
            ledger = SqlLedger(sa.create_engine(POSTGRES), f"{name}.ledger", TaskRun("dag", "run", "task"))
            ledger.start_attempt("event")
            ledger.close()

        yield grant, check, run_once
        connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
        connection.exec_driver_sql(f"DROP ROLE {name}")
    owner.dispose()


def test_an_account_that_may_not_create_the_tables_is_told_what_to_grant(account):
    grant, check, _ = account
    grant("USAGE ON SCHEMA {name}")

    assert check()["ledger grants"].stands_in_the_way
    assert "GRANT USAGE, CREATE ON SCHEMA" in check()["ledger grants"].remedy
    grant("CREATE ON SCHEMA {name}")
    assert not check()["ledger grants"].stands_in_the_way


def test_an_account_that_may_not_write_is_told_what_to_grant(account):
    grant, check, run_once = account
    run_once()
    grant("USAGE ON SCHEMA {name}")

    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON" in check()["ledger"].remedy
    grant("SELECT ON ALL TABLES IN SCHEMA {name}")
    assert "may not INSERT" in check()["ledger grants"].sentence
    grant("INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name}")
    assert [one.verdict.value for one in check().values()] == ["fine", "fine"]
