"""What every kind of ledger keeps, whoever writes to it and however it ends."""

import json
import sqlite3
import threading
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.exceptions import Fenced, LedgerFailure
from airflow_provider_teams_registration.ledger.base import Ledger, utc_now
from airflow_provider_teams_registration.ledger.memory import MemoryLedger
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from airflow_provider_teams_registration.ledger.sql.tables import tables
from airflow_provider_teams_registration.ledger.task_state import MAX_VALUE, StateStoreLedger
from tests.servers import MARIADB, POSTGRES, connect_or_skip
from tests.state_store import Store

EVENT = "MSp" + "x" * 150
RUN = TaskRun("dag", "manual__2025-01-01", "enroll[3]")
OTHER_RUN = TaskRun("dag", "manual__2025-01-02", "enroll[3]")
CANARY = "CANARY@example.org"
DATABASES = ["SQLite", "PostgreSQL", "MariaDB"]


class StateStores:
    """The store of one task, and of each other task another one."""

    is_fenced = True

    def __init__(self):
        self.stores = {}

    def ledger(self, run=RUN, **options):
        return StateStoreLedger(self.stores.setdefault(run, Store()), run, **options)

    def raw(self):
        return " ".join(" ".join(store.values.values()) for store in self.stores.values())


class Memory:
    is_fenced = False

    def ledger(self, run=RUN, **options):
        return MemoryLedger(run, **options)


@dataclass
class Database:
    """Tables of their own in a database."""

    address: str
    table: str
    file: object = None
    is_fenced = True

    def __post_init__(self):
        self.opened = []

    def engine(self):
        self.opened.append(sa.create_engine(self.address))
        return self.opened[-1]

    def ledger(self, run=RUN, **options):
        return SqlLedger(self.engine(), self.table, run, **options)

    def select(self, suffix=""):
        with self.engine().connect() as connection:
            return [row._asdict() for row in connection.execute(sa.text(f"SELECT * FROM {self.table}{suffix}"))]

    def raw(self):
        found = " ".join(repr(self.select(suffix)) for suffix in ("", "_runs", "_rows", "_apps"))
        return found + (self.file.read_bytes().decode("latin-1") if self.file else "")

    def drop(self):
        engine = self.engine()
        tables(self.table).runs.metadata.drop_all(engine)
        for each in self.opened:
            each.dispose()


def database(kind, folder):
    table = f"ledger_{uuid.uuid4().hex[:12]}"
    if kind == "SQLite":
        return Database(f"sqlite:///{folder / 'ledger.db'}", table, folder / "ledger.db")
    found = Database({"PostgreSQL": POSTGRES, "MariaDB": MARIADB}[kind], table)
    connect_or_skip(kind, lambda: found.engine().connect().close(), sa.exc.OperationalError)
    return found


@pytest.fixture
def place(request, tmp_path):
    """Where ledgers are kept."""
    if request.param == "memory":
        yield Memory()
    elif request.param == "state store":
        yield StateStores()
    else:
        found = database(request.param, tmp_path)
        yield found
        found.drop()


def _kind(place):
    return next(kind for kind in DATABASES if kind.lower()[:5] in place.address.replace("mysql", "maria"))


every_kind = pytest.mark.parametrize("place", ["memory", "state store", *DATABASES], indirect=True)
every_lasting_kind = pytest.mark.parametrize("place", ["state store", *DATABASES], indirect=True)
every_database = pytest.mark.parametrize("place", DATABASES, indirect=True)


def begun(place, run=RUN, event=EVENT, **options) -> Ledger:
    ledger = place.ledger(run, **options)
    ledger.start_attempt(event)
    return ledger


def entry(registrant="somebody", outcome=Outcome.ENROLLED, **fields):
    return RegistrationRecord(registrant, "f" * 64, outcome, **fields)


def full_entry():
    return entry(
        join_web_url="https://teams.example/" + "é😀" * 300,
        registration_id="registration 1",
        error="Graph said 'no' - \"no\" \\ % ; 😀",
        error_code="Bad",
        request_id="00000000-1111-2222-3333-444444444444",
    )


def fields(found):
    return {name: value for name, value in vars(found).items() if name not in ("first_seen", "last_seen", "age")}


@every_kind
def test_nobody_is_known_at_first(place):
    assert begun(place).load(["somebody", "else"]) == {}


@every_kind
def test_every_field_comes_back(place):
    ledger = begun(place)
    before = utc_now()

    written = ledger.write([full_entry()])

    found = ledger.load(["somebody", "else"])
    assert written.lost_claims == {}
    assert list(found) == ["somebody"]
    assert fields(found["somebody"]) == fields(replace(full_entry(), run=RUN, attempt=1, version=1))
    assert fields(written.stored["somebody"]) == fields(found["somebody"])
    # The database's clock is read once and goes on with the machine's, so the two may differ a little.
    slack = timedelta(seconds=1)
    assert found["somebody"].first_seen == found["somebody"].last_seen
    assert before - slack <= found["somebody"].first_seen <= utc_now() + slack


@every_kind
@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_comes_back(place, outcome):
    ledger = begun(place)
    ledger.write([entry(outcome=outcome)])

    assert ledger.load(["somebody"])["somebody"].outcome is outcome


@every_kind
def test_writing_again_keeps_the_first_moment_and_forgets_what_is_no_more(place):
    ledger = begun(place)
    first = ledger.write([full_entry()]).stored["somebody"]

    ledger.write([entry(outcome=Outcome.CANCELLED, version=first.version)])

    found = ledger.load(["somebody"])["somebody"]
    assert (found.outcome, found.version) == (Outcome.CANCELLED, 2)
    assert (found.join_web_url, found.error, found.error_code, found.request_id) == (None, None, None, None)
    assert found.first_seen == first.first_seen
    assert found.last_seen > first.last_seen


@every_kind
def test_stale_write_comes_back_as_foreign_and_changes_nothing(place):
    ledger = begun(place)
    ledger.write([entry(outcome=Outcome.UNKNOWN)])
    ledger.write([entry(join_web_url="https://teams.example/1", version=1)])

    written = ledger.write([entry(outcome=Outcome.UNKNOWN), entry("else", Outcome.UNKNOWN)])

    assert list(written.stored) == ["else"]
    assert written.lost_claims["somebody"].join_web_url == "https://teams.example/1"
    assert written.lost_claims["somebody"].registrant == "somebody"
    found = ledger.load(["somebody", "else"])
    assert [found[name].version for name in ("somebody", "else")] == [2, 1]
    assert found["somebody"].outcome is Outcome.ENROLLED


@every_database
def test_what_another_run_wrote_meanwhile_comes_back_as_foreign(place):
    one, other = begun(place), begun(place, OTHER_RUN)
    one.write([entry(join_web_url="https://teams.example/1")])

    written = other.write([entry(outcome=Outcome.UNKNOWN)])

    assert written.stored == {}
    assert (written.lost_claims["somebody"].run, written.lost_claims["somebody"].version) == (RUN, 1)
    assert other.load(["somebody"])["somebody"].join_web_url == "https://teams.example/1"


@every_database
def test_write_whose_confirmation_was_lost_counts_as_written_when_it_is_repeated(place):
    ledger = begun(place)
    ledger.write([entry(outcome=Outcome.UNKNOWN)])

    written = ledger.write([entry(outcome=Outcome.UNKNOWN)])

    assert (written.stored["somebody"].version, written.lost_claims) == (1, {})


@every_kind
def test_event_keeps_its_own_people(place):
    begun(place).write([entry()])

    assert begun(place, event="another event").load(["somebody"]) == {}


@every_lasting_kind
def test_newer_attempt_of_a_run_fences_the_older_one_off(place):
    older = begun(place)
    older.write([entry(outcome=Outcome.UNKNOWN)])
    newer = begun(place)

    with pytest.raises(Fenced, match="newer attempt"):
        older.write([entry(version=1), entry("else")])

    assert (older.attempt, newer.attempt) == (1, 2)
    found = newer.load(["somebody", "else"])
    assert list(found) == ["somebody"]
    assert found["somebody"].outcome is Outcome.UNKNOWN
    assert newer.write([entry(version=1)]).stored["somebody"].attempt == 2


@every_lasting_kind
@pytest.mark.parametrize(
    ("run", "event"),
    [
        (OTHER_RUN, EVENT),
        (replace(RUN, dag_id="other"), EVENT),
        (replace(RUN, task="enroll[4]"), EVENT),
        (RUN, "another event"),
    ],
)
def test_attempt_of_another_run_or_on_another_event_fences_nobody_off(place, run, event):
    ledger = begun(place)
    begun(place, run, event)

    assert list(ledger.write([entry()]).stored) == ["somebody"]


@every_kind
def test_ids_that_a_database_might_confuse_are_kept_apart(place):
    ids = ["a", "A", "a ", "a  ", " a", "\u00e4", "a\u0308", "\u00c4", "ss", "\u00df", "x" * 5000, "x" * 4999 + "y"]
    ids += ["\U0001f600", "\U0001f601", "'; DROP TABLE x; --", '"', "\\", "%", "_", "a\nb", "a\tb", "null", "1", "01"]
    ledger = begun(place)

    ledger.write([entry(name, join_web_url=f"https://teams.example/{number}") for number, name in enumerate(ids)])

    found = ledger.load([*ids, "B", "a   ", "x" * 5001])
    assert {name: one.join_web_url for name, one in found.items()} == {
        name: f"https://teams.example/{number}" for number, name in enumerate(ids)
    }
    assert all(name == one.registrant for name, one in found.items())


@every_lasting_kind
def test_links_that_are_not_to_be_kept_stand_nowhere(place):
    ledger = begun(place, store_join_urls=False)
    ledger.write([entry(outcome=Outcome.UNKNOWN)])

    written = ledger.write([entry(join_web_url="https://teams.example/CANARY", version=1)])
    ledger.finish_attempt({"rows": 1})

    assert written.stored["somebody"].join_web_url is None
    assert ledger.load(["somebody"])["somebody"].join_web_url is None
    assert "CANARY" not in place.raw()
    assert "f" * 64 in place.raw()


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
        recalled = ledgers[0].load(names)
        assert {name: found.run for name, found in recalled.items()} == {
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


@every_kind
def test_ledger_that_was_never_begun_can_be_finished_and_closed(place):
    ledger = place.ledger()
    ledger.finish_attempt({"rows": 0})
    ledger.close()


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
    place.table = f"{schema[_kind(place)]}.{place.table}"

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


def long_entry(name, version=0):
    return entry(name, join_web_url=f"https://teams.example/{name}/{'l' * 4000}", version=version)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def state_store_ledger(store):
    def make():
        ledger = StateStoreLedger(store, RUN)
        ledger.start_attempt(EVENT)
        return ledger

    return make


def test_state_store_takes_long_links_in_values_of_its_size(state_store_ledger, store):
    ledger = state_store_ledger()
    names = [f"person {number}" for number in range(60)]
    for start in range(0, 60, 20):
        batch = names[start : start + 20]
        ledger.write([entry(name, Outcome.UNKNOWN) for name in batch])
        ledger.write([long_entry(name, version=1) for name in batch])

    found = state_store_ledger().load(names)

    assert [found[name].join_web_url for name in names] == [long_entry(name).join_web_url for name in names]
    assert {one.version for one in found.values()} == {2}
    assert max(len(value) for value in store.values.values()) <= MAX_VALUE
    # The attempt; for each batch a page before, and two after, which the links fill.
    assert len(store.values) == 1 + 3 * (1 + 2)


def test_state_store_goes_on_with_what_an_older_attempt_wrote(state_store_ledger):
    names = [f"person {number}" for number in range(40)]
    older = state_store_ledger()
    older.write([entry(name, Outcome.UNKNOWN) for name in names[:20]])
    older.write([entry(name, Outcome.UNKNOWN) for name in names[20:]])
    newer = state_store_ledger()
    # A batch of a retry mixes people of several earlier ones.
    newer.write([long_entry(name, version=1) for name in names[10:30]])

    found = state_store_ledger().load(names)

    assert [found[name].outcome for name in names] == (
        [Outcome.UNKNOWN] * 10 + [Outcome.ENROLLED] * 20 + [Outcome.UNKNOWN] * 10
    )


@pytest.mark.parametrize("doing", range(1, 12))
def test_state_store_loses_nothing_that_was_written_however_a_later_write_ends(doing, state_store_ledger, store):
    class Killed(BaseException):
        pass

    ledger = state_store_ledger()
    written = [f"person {number}" for number in range(20)]
    ledger.write([entry(name, Outcome.UNKNOWN) for name in written])
    ledger.write([long_entry(name, version=1) for name in written[:5]])
    put, left = store.set, [doing]

    def set_until_killed(key, value):
        left[0] -= 1
        if not left[0]:
            raise Killed
        put(key, value)

    store.set = set_until_killed
    try:
        ledger.write([long_entry(name, version=1) for name in written[5:]])
        ledger.write([long_entry(f"new {number}") for number in range(40)])
    except Killed:
        pass
    store.set = put

    newer = state_store_ledger()
    found = newer.load(written)
    assert len(found) == 20
    assert all(found[name].join_web_url for name in written[:5])
    newer.write([long_entry(f"newer {number}") for number in range(40)])
    assert len(state_store_ledger().load([f"newer {number}" for number in range(40)])) == 40
    assert len(state_store_ledger().load(written)) == 20


def test_state_store_that_refuses_once_has_written_nothing_and_goes_on(state_store_ledger, store):
    ledger = state_store_ledger()
    ledger.write([entry("first", Outcome.UNKNOWN)])
    store.refusals_to_come = 1

    with pytest.raises(LedgerFailure) as caught:
        ledger.write([entry("CANARY", Outcome.UNKNOWN)])

    assert str(caught.value) == "Airflow's task state store failed with ConnectionError."
    assert caught.value.__suppress_context__
    assert ledger.load(["CANARY"]) == {}
    assert list(ledger.write([entry("second")]).stored) == ["second"]
    assert sorted(state_store_ledger().load(["first", "CANARY", "second"])) == ["first", "second"]


def test_state_store_names_nobody(state_store_ledger, store):
    state_store_ledger().write([entry(CANARY)])

    assert "CANARY" not in json.dumps(store.values)
    assert EVENT not in json.dumps(store.values)


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


def test_task_state_of_many_attempts_is_read_in_few_calls(monkeypatch):
    stores = StateStores()
    for number in range(30):
        ledger = begun(stores)
        ledger.write([entry(f"person {number}", join_web_url=f"https://teams.example/{number}")])
    read, get = [], Store.get
    monkeypatch.setattr(Store, "get", lambda store, key, default=None: read.append(key) or get(store, key, default))

    ledger = begun(stores)

    found = ledger.load([f"person {number}" for number in range(30)])
    assert {name: one.join_web_url for name, one in found.items()} == {
        f"person {number}": f"https://teams.example/{number}" for number in range(30)
    }
    assert len(read) < 30
    written = ledger.write([replace(found["person 3"], registrant="person 3", outcome=Outcome.CANCELLED)])
    assert list(written.stored) == ["person 3"]
