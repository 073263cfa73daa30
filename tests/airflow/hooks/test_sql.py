from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing

import pytest

from airflow_provider_teams_registration.hooks.sql import QueryFailed, query, sql_engine


@pytest.fixture
def open_engine(tmp_path, monkeypatch):
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE people (id TEXT)")
        connection.executemany("INSERT INTO people VALUES (?)", [(f"canary-{number}",) for number in range(2500)])
        connection.commit()
    return lambda: sql_engine("sql_conn_id", "warehouse")


@pytest.fixture
def engine(open_engine):
    return open_engine()


@pytest.mark.parametrize(
    ("connection", "problem"),
    [
        pytest.param(None, "is 'ledger', and Airflow knows no such connection", id="no connection"),
        pytest.param({"conn_type": "carrier_pigeon"}, "Install the provider package", id="no provider"),
        pytest.param({"conn_type": "teams_registration"}, "which is not a SQL database", id="no SQL"),
    ],
)
def test_a_connection_that_names_no_database_is_named_with_what_to_do(monkeypatch, connection, problem):
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({**connection, "host": "h", "password": "hush-hush"}))

    with pytest.raises(ValueError, match=r"^ledger_conn_id is 'ledger', ") as raised:
        sql_engine("ledger_conn_id", "ledger")

    assert problem in str(raised.value)
    assert "hush-hush" not in str(raised.value)


def test_rows_come_some_at_a_time(engine):
    chunks = list(query(engine, "SELECT id FROM people"))
    assert [len(chunk) for chunk in chunks] == [1000, 1000, 500]
    assert chunks[2][499] == {"id": "canary-2499"}


def test_neither_rows_nor_values_are_logged_however_much_is(open_engine, caplog):
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "sqlalchemy.engine"):
        found = list(query(open_engine(), "SELECT id FROM people WHERE id = ?", ["canary-3"]))
    assert found == [[{"id": "canary-3"}]]
    assert "SELECT id FROM people" in caplog.text
    assert "canary" not in caplog.text


def test_nothing_is_logged_unless_somebody_asks_for_it(open_engine, caplog):
    with caplog.at_level(logging.INFO):
        list(query(open_engine(), "SELECT id FROM people"))
    assert "SELECT" not in caplog.text


def test_values_stay_out_of_the_error(engine):
    with pytest.raises(QueryFailed) as raised:
        list(query(engine, "SELECT nme FROM people WHERE id = ?", ["canary-3"]))
    assert "nme" in str(raised.value)
    assert "canary" not in str(raised.value)


def test_a_query_that_no_retry_mends_is_no_passing_failure(engine):
    for sql in ("SELECT id FROM nobody", "SELECT nme FROM people", "SELEC id", "SELECT (id", "SELECT @"):
        with pytest.raises(QueryFailed) as raised:
            list(query(engine, sql))
        assert not raised.value.transient


def test_a_database_that_is_away_is_a_passing_failure(tmp_path, monkeypatch):
    nowhere = {"conn_type": "sqlite", "host": str(tmp_path / "nowhere" / "warehouse.db")}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(nowhere))
    with pytest.raises(QueryFailed) as raised:
        list(query(sql_engine("sql_conn_id", "warehouse"), "SELECT 1"))
    assert raised.value.transient
