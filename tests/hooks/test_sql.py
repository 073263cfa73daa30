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
