"""What the crash test counts as wrong, and where it kills."""

import json
import sqlite3
from contextlib import closing

from airflow_provider_teams_registration.crash_test.airflow_home import AirflowHome
from airflow_provider_teams_registration.crash_test.gate import kill_points
from airflow_provider_teams_registration.crash_test.judge import findings
from airflow_provider_teams_registration.crash_test.snapshot import HandedOn, Registered, Snapshot, take_snapshot

ADA = Registered("event", ("crm-1", "ada@example.org"), "https://link/ada")
BOB = Registered("event", ("crm-2",), "https://link/bob")
ADAS_ROW = HandedOn("https://link/ada", frozenset({"ada@example.org", "enrolled"}))
BOBS_ROW = HandedOn("https://link/bob", frozenset({"crm-2", "enrolled"}))
GOOD = Snapshot((ADA, BOB), (ADAS_ROW, BOBS_ROW))


def test_run_that_ends_like_the_undisturbed_one_has_no_findings():
    new_link = Registered("event", ("crm-2",), "https://link/bob-2")
    row = HandedOn("https://link/bob-2", BOBS_ROW.values)

    assert findings(GOOD, GOOD) == []
    assert findings(GOOD, Snapshot((ADA, new_link), (ADAS_ROW, row))) == []


def test_every_kind_of_harm_is_counted_without_a_name():
    second = Registered("event", ("crm-1", "ada@example.org"), "https://link/ada-2")
    stranger = Registered("event", ("crm-3",), None)
    swapped = HandedOn("https://link/ada", BOBS_ROW.values)
    dead = HandedOn("https://link/gone", ADAS_ROW.values)

    assert findings(GOOD, Snapshot((ADA, second, BOB), GOOD.handed_on)) == ["1 person registered twice"]
    assert findings(GOOD, Snapshot((ADA,), (ADAS_ROW,))) == ["1 person missing from the event"]
    assert findings(GOOD, Snapshot((ADA, BOB, stranger), GOOD.handed_on)) == [
        "1 person on the event, and not after an undisturbed run"
    ]
    assert findings(GOOD, Snapshot((ADA, BOB), (swapped, ADAS_ROW))) == ["1 person with another person's link"]
    assert findings(GOOD, Snapshot((ADA, BOB), (dead, BOBS_ROW))) == ["1 person with a link that no longer works"]
    assert findings(GOOD, Snapshot((ADA, BOB), ())) == ["2 people with a lost link"]


def test_links_are_found_wherever_a_task_put_its_rows(emulator, tmp_path):
    rows = [{"id": "CRM-1", "join_web_url": "https://link/1", "attempts": 1}]
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as airflow, airflow:
        airflow.execute("CREATE TABLE xcom (value)")
        values = [json.dumps(rows).encode(), json.dumps(json.dumps({"pages": rows})), '"text"', "3", None, "[broken"]
        airflow.executemany("INSERT INTO xcom VALUES (?)", [(value,) for value in values])

    found = take_snapshot(emulator, tmp_path / "airflow.db").handed_on

    assert found == (HandedOn("https://link/1", frozenset({"crm-1"})),) * 2


def test_kills_are_chosen_evenly():
    assert [str(point) for point in kill_points(1, 1, None)] == ["before it was executed", "after it was executed"]
    assert [point.exchange for point in kill_points(6, 3, None)] == [2, 3, 5, 6]
    assert [point.exchange for point in kill_points(10, 1, 2)] == [3, 8]
    assert kill_points(10, 1, 50) == kill_points(10, 1, None)


def test_each_run_finds_a_copy_of_the_sqlite_databases(tmp_path, monkeypatch):
    for name in ("a", "b"):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as database, database:
            database.execute(f"CREATE TABLE of_{name} (id)")
    as_json = json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "a.db")})
    monkeypatch.setenv("AIRFLOW_CONN_A", as_json)
    monkeypatch.setenv("AIRFLOW_CONN_B", f"sqlite://{str(tmp_path / 'b.db').replace('/', '%2F')}")
    monkeypatch.setenv("AIRFLOW_CONN_MAIL", "smtp://localhost")
    home = AirflowHome(tmp_path / "home", tmp_path / "dag.py")

    connections = home.renew(None)

    assert connections["AIRFLOW_CONN_MAIL"] == "smtp://localhost"
    for name in ("a", "b"):
        copy = json.loads(connections[f"AIRFLOW_CONN_{name.upper()}"])["host"]
        assert copy == str(tmp_path / "home" / f"{name}.db")
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("SELECT name FROM sqlite_master").fetchall() == [(f"of_{name}",)]
