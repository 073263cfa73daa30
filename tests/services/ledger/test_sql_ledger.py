"""What only a ledger in a SQL database does."""

import json
import sqlite3
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.exceptions import Fenced, LedgerFailure
from airflow_provider_teams_registration.ledger.base import utc_now
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from airflow_provider_teams_registration.ledger.sql.tables import tables
from tests.services.ledger.kinds import CANARY, EVENT, OTHER_RUN, RUN, begun, entry, every_database, full_entry, kind_of


@every_database
def test_two_who_write_the_same_new_people_at_once_get_each_person_once(place):
    ledgers = [begun(place), begun(place, OTHER_RUN)]
    for round_ in range(5):
        names = [f"person {round_} {number}" for number in range(40)]
        ready = threading.Barrier(2)

        def write(ledger, order, ready=ready):
            ready.wait()
            return ledger.write([entry(name, Outcome.UNKNOWN) for name in order])

        with ThreadPoolExecutor(2) as threads:
            one, other = threads.map(write, ledgers, [names, names[::-1]])

        assert sorted([*one.stored, *other.stored]) == sorted(names)
        assert set(one.lost_claims) == set(other.stored)
        assert set(other.lost_claims) == set(one.stored)
        loaded = ledgers[0].load(names)
        assert {name: found.run for name, found in loaded.items()} == {
            **dict.fromkeys(one.stored, RUN),
            **dict.fromkeys(other.stored, OTHER_RUN),
        }


@every_database
def test_many_who_create_the_tables_at_once_all_get_to_work(place):
    ready = threading.Barrier(6)

    def begin(number):
        ledger = place.ledger(RUN if number < 3 else replace(RUN, run_id=f"run {number}"))
        ready.wait()
        ledger.start_attempt(EVENT)
        return ledger.attempt

    with ThreadPoolExecutor(6) as threads:
        attempts = list(threads.map(begin, range(6)))

    assert sorted(attempts[:3]) == [1, 2, 3]
    assert attempts[3:] == [1, 1, 1]


@every_database
def test_summary_stands_in_the_runs_table_and_only_the_youngest_attempt_writes_it(place):
    older = begun(place)
    older.finish_attempt({"rows": 3, "reasons": {"\U0001f600": 1}})
    (row,) = place.select("_runs")
    assert json.loads(row["summary"]) == {"rows": 3, "reasons": {"\U0001f600": 1}}
    assert row["ended_at"] is not None
    assert (row["dag_id"], row["run_id"], row["task"], row["attempt"]) == (RUN.dag_id, RUN.run_id, RUN.task, 1)

    newer = begun(place)
    older.finish_attempt({"rows": 4})

    (row,) = place.select("_runs")
    assert (row["summary"], row["ended_at"], row["attempt"]) == (None, None, 2)
    newer.finish_attempt({"rows": 5})
    assert json.loads(place.select("_runs")[0]["summary"]) == {"rows": 5}


@every_database
def test_people_are_queried_by_event_and_id(place):
    begun(place).write([replace(full_entry(), registrant=CANARY)])

    (row,) = place.select()

    assert (row["event"], row["registrant"], row["outcome"]) == (EVENT, CANARY, "enrolled")
    assert row["join_web_url"] == full_entry().join_web_url
    assert (row["dag_id"], row["run_id"], row["task"], row["attempt"]) == (RUN.dag_id, RUN.run_id, RUN.task, 1)
    assert (row["error_code"], row["request_id"]) == ("Bad", full_entry().request_id)


@every_database
def test_people_who_came_up_again_are_marked(place):
    ledger = begun(place)
    written = ledger.write([entry(f"person {number}") for number in range(1001)]).stored

    ledger.mark_seen(list(written))

    found = ledger.load(list(written))
    assert len(found) == 1001
    assert all(found[name].last_seen > written[name].last_seen for name in written)
    assert all(found[name].first_seen == written[name].first_seen for name in written)
    assert {one.version for one in found.values()} == {1}


@every_database
def test_rows_are_read_back_with_their_links_in_pages(place):
    ledger = begun(place)
    ledger.write([entry(f"person {n}", join_web_url=f"https://teams.example/{n}") for n in (1, 2)])
    rows = [
        (position, f"person {position}", {"id": f"person {position}", "seat": "\U0001f600"}, Outcome.ENROLLED, None)
        for position in (1, 2)
    ]
    ledger.write_results([*rows, (3, None, {"id": None, "at": utc_now()}, Outcome.INVALID, "id is empty")])
    ledger.write_results([(7, "person 7", {"id": "person 7"}, Outcome.REJECTED, "400")])
    ledger.write_results([])

    reader = place.ledger(TaskRun())
    first, rest = (reader.read_results(ledger.run_key, ledger.attempt, *pages) for pages in ((0, 2), (2, 100)))

    assert first == [
        {
            "id": f"person {n}",
            "seat": "\U0001f600",
            "outcome": "enrolled",
            "join_web_url": f"https://teams.example/{n}",
            "error": None,
        }
        for n in (1, 2)
    ]
    assert [(row["id"], row["outcome"], row["join_web_url"], row["error"]) for row in rest] == [
        (None, "invalid", None, "id is empty"),
        ("person 7", "rejected", None, "400"),
    ]


@every_database
def test_next_attempt_starts_its_rows_anew_and_leaves_those_of_others(place):
    ledger, other = begun(place), begun(place, OTHER_RUN)
    for each in (ledger, other):
        each.write_results([(1, "somebody", {"id": "somebody"}, Outcome.ENROLLED, None)])

    again = begun(place)

    assert again.read_results(again.run_key, again.attempt, 0, 10) == []
    assert len(again.read_results(other.run_key, other.attempt, 0, 10)) == 1


@every_database
def test_attempt_that_was_fenced_off_keeps_no_rows(place):
    older, newer = begun(place), begun(place)

    with pytest.raises(Fenced):
        older.write_results([(1, "somebody", {"id": "somebody"}, Outcome.UNKNOWN, None)])

    newer.write_results([(1, "somebody", {"id": "somebody"}, Outcome.ENROLLED, None)])
    assert [row["outcome"] for row in newer.read_results(newer.run_key, newer.attempt, 0, 10)] == ["enrolled"]


@pytest.mark.parametrize(
    "name",
    ["", " ", "a b", "1a", "a-b", "a.b.c", ".a", "a.", 'a"', "a;b", "a\n", "\u00e4", "x" * 59, f"{'s' * 64}.a", "a--"],
)
def test_table_that_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match=r"ledger_table is .*; it must consist of letters"):
        SqlLedger(sa.create_engine("sqlite://"), name)


@pytest.mark.parametrize("name", ["a", "_a", "Ledger_2", "x" * 58])
def test_table_of_any_other_name_is_created_with_three_beside_it(name, tmp_path):
    ledger = SqlLedger(sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}"), name)
    ledger.start_attempt(EVENT)
    ledger.close()

    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert found == {name, f"{name}_runs", f"{name}_rows", f"{name}_apps"}


@every_database
def test_ledger_lives_in_a_schema(place):
    schema = {"SQLite": "main", "PostgreSQL": "public", "MariaDB": "test"}
    place.table = f"{schema[kind_of(place)]}.{place.table}"

    assert list(begun(place).write([entry()]).stored) == ["somebody"]


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////nowhere/at/CANARY/all.db",
        "postgresql://CANARY:CANARY@127.0.0.1:1/CANARY",
        "mysql+pymysql://CANARY:CANARY@127.0.0.1:1/CANARY",
    ],
)
def test_database_out_of_reach_is_said_without_its_address_or_password(address):
    ledger = SqlLedger(sa.create_engine(address), max_tries=2)

    with pytest.raises(LedgerFailure) as caught:
        ledger.start_attempt(EVENT)

    assert str(caught.value) == "The ledger's database failed with OperationalError."
    assert caught.value.transient
    assert "CANARY" not in "".join(traceback.format_exception(caught.value)).replace(f'"{address}"', "")


@every_database
def test_failure_of_the_database_names_nobody(place):
    ledger = begun(place, max_tries=2)
    tables(place.table).registrants.drop(place.engine())
    doings = [
        lambda: ledger.write([entry("CANARY", join_web_url="https://teams.example/CANARY")]),
        lambda: ledger.load(["CANARY"]),
        lambda: ledger.mark_seen(["CANARY"]),
    ]

    for doing in doings:
        with pytest.raises(LedgerFailure) as caught:
            doing()
        assert "CANARY" not in str(caught.value)
        assert caught.value.__suppress_context__


@every_database
def test_row_that_somebody_deleted_on_the_way_is_a_failure_not_a_new_person(place):
    ledger = begun(place)
    ledger.write([entry(outcome=Outcome.UNKNOWN)])
    with place.engine().begin() as connection:
        connection.execute(sa.text(f"DELETE FROM {place.table}"))

    with pytest.raises(LedgerFailure, match="deleted a row"):
        ledger.write([entry(version=1)])


@every_database
def test_texts_that_graph_makes_too_long_are_shortened_rather_than_lost(place):
    ledger = begun(place)

    ledger.write([entry(outcome=Outcome.REJECTED, error="\0x" * 40_000, error_code="\0y" * 300, request_id="z" * 300)])

    found = ledger.load(["somebody"])["somebody"]
    assert found.error.startswith("xxx")
    assert found.error_code == "y" * 255
    assert found.request_id == "z" * 255


@pytest.mark.skipif(sa.__version__ < "2", reason="SQLAlchemy 1.4 does not know psycopg 3")
@pytest.mark.parametrize("place", ["PostgreSQL"], indirect=True)
def test_psycopg_3_keeps_no_plan_from_when_the_ledger_was_empty(place):
    place.address = sa.make_url(place.address).set(drivername="postgresql+psycopg")
    ledger = begun(place)
    for number in range(10):
        ledger.write([entry(f"person {number}", Outcome.UNKNOWN)])

    with place.opened[-1].connect() as connection:
        prepared = connection.execute(sa.text("SELECT statement FROM pg_prepared_statements")).scalars().all()
    assert prepared == []
    assert len(ledger.load([f"person {number}" for number in range(10)])) == 10


@every_database
def test_database_that_locks_nothing_gives_a_person_to_one_run_alone(place):
    one, other = begun(place, locks_rows=False), begun(place, OTHER_RUN, locks_rows=False)
    first = one.write([full_entry()]).stored["somebody"]
    one.write([entry(outcome=Outcome.CANCELLED, version=1)])

    reads = []

    def read_before_it_changed(connection, cursor, statement, parameters, *_):
        if statement.startswith("SELECT"):
            reads.append(statement)
        if len(reads) == 1:
            statement = statement.replace(f"{place.table}.version,", f"{place.table}.version - 1 AS version,", 1)
        return statement, parameters

    sa.event.listen(place.opened[-1], "before_cursor_execute", read_before_it_changed, retval=True)
    written = other.write([entry(outcome=Outcome.UNKNOWN, version=1)])

    assert len(reads) > 1
    assert (written.stored, written.lost_claims["somebody"].version) == ({}, 2)
    found = one.load(["somebody"])["somebody"]
    assert (found.outcome, found.join_web_url, found.first_seen) == (Outcome.CANCELLED, None, first.first_seen)


@pytest.mark.parametrize("place", ["PostgreSQL", "MariaDB"], indirect=True)
def test_looking_for_people_who_are_not_there_holds_up_no_other_event(place):
    one = begun(place)
    looking = place.opened[-1]
    other = begun(place, OTHER_RUN, event="another event")
    people = [entry(f"person {number}") for number in range(50)]
    written = []

    def write_meanwhile(connection, cursor, statement, *_):
        if "FOR UPDATE" in statement:
            written.append(other.write(people))

    sa.event.listen(looking, "after_cursor_execute", write_meanwhile)
    one.write(people)

    assert [len(each.stored) for each in written] == [50]


@pytest.mark.skipif(sa.__version__ < "2", reason="SQLAlchemy 1.4 sends row by row")
@pytest.mark.parametrize("place", ["PostgreSQL"], indirect=True)
def test_outcomes_of_a_batch_take_one_round_trip(place):
    ledger = begun(place)
    names = [f"person {number}" for number in range(100)]
    ledger.write([entry(name, Outcome.UNKNOWN) for name in names])
    sent = []
    sa.event.listen(place.opened[-1], "before_cursor_execute", lambda *args: sent.append(args[2]))

    ledger.write([entry(name, version=1) for name in names])

    *_, outcomes = sent
    assert len(sent) == 3
    assert outcomes.count("%(entry_key__") == len(names)
    assert {one.outcome for one in ledger.load(names).values()} == {Outcome.ENROLLED}
