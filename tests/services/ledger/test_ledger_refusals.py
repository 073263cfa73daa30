"""What a database refuses for good says what to change, and odd answers of a ledger send nobody."""

import sqlite3
import traceback
import uuid
from dataclasses import dataclass
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.sql.failures import lasting_trouble
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from airflow_provider_teams_registration.ledger.sql.tables import tables
from airflow_provider_teams_registration.ledger.task_state import StateStoreLedger
from tests.services.ledger.kinds import EVENT, RUN, begun, database, entry, every_database, full_entry
from tests.state_store import Store

NOTED = {"registrant": "x", "outcome": "enrolled", "version": 1, "last_seen": "2026-01-01", "fingerprint": ""}
SERVERS = ["PostgreSQL", "MariaDB"]


@dataclass
class Account:
    """An account that may connect, and no more, beside the one that may do everything."""

    kind: str
    place: object
    name: str
    schema: str

    def run_as_root(self, *statements):
        with self.place.engine().begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.format(name=self.name, schema=self.schema))

    def ledger(self, table=None):
        address = make_url(self.place.address).set(username=self.name)
        if self.kind == "MariaDB":
            # It lets nobody in to a database on which they have no right.
            address = address.set(database="")
        engine = sa.create_engine(address)
        self.place.opened.append(engine)
        return SqlLedger(engine, table or f"{self.schema}.ledger", RUN)


@pytest.fixture(params=SERVERS)
def account(request, tmp_path):
    found = database(request.param, tmp_path)
    name = f"canary_{uuid.uuid4().hex[:8]}"
    account = Account(request.param, found, name, f"schema_{name[7:]}")
    account.run_as_root("CREATE SCHEMA {schema}")
    account.run_as_root("CREATE ROLE {name} LOGIN" if request.param == "PostgreSQL" else "CREATE USER {name}")
    yield account
    for engine in found.opened:
        engine.dispose()
    if request.param == "PostgreSQL":
        account.run_as_root("DROP SCHEMA {schema} CASCADE", "DROP OWNED BY {name}", "DROP ROLE {name}")
    else:
        account.run_as_root("DROP SCHEMA {schema}", "DROP USER {name}")
    for engine in found.opened:
        engine.dispose()


def refusal(doing, *arguments):
    """What is said of a refusal that no retry mends; nothing of the database's own text is in it."""
    with pytest.raises(LedgerFailure) as caught:
        doing(*arguments)
    assert not caught.value.transient
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    said = str(caught.value)
    assert "canary" not in said.lower()
    assert "127.0.0.1" not in said
    return said


def test_a_missing_privilege_to_create_is_named_with_its_grant(account):
    if account.kind == "PostgreSQL":
        grant = "GRANT USAGE, CREATE ON SCHEMA {schema} TO {name}"
    else:
        grant = "GRANT CREATE, INDEX, SELECT, INSERT, UPDATE, DELETE ON {schema}.* TO {name}"

    said = refusal(account.ledger().start_attempt, EVENT)

    assert grant.format(schema=account.schema, name="<account>") in said
    assert f"{account.schema}.ledger_runs" in said
    # What it asks for is all it takes.
    account.run_as_root(grant)
    ledger = account.ledger()
    ledger.start_attempt(EVENT)
    ledger.write([entry()])
    assert list(ledger.load(["somebody"])) == ["somebody"]


def test_a_missing_privilege_to_use_is_named_with_its_grant(account):
    by_root = SqlLedger(account.place.engine(), f"{account.schema}.ledger", RUN)
    by_root.start_attempt(EVENT)
    names = [f"{account.schema}.{name}" for name in ("ledger", "ledger_runs", "ledger_rows", "ledger_apps")]
    if account.kind == "PostgreSQL":
        grants = [
            "GRANT USAGE ON SCHEMA {schema} TO {name};",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(names)} TO {{name}};",
        ]
        on_one_table = "GRANT SELECT ON {schema}.ledger TO {name}"
    else:
        grants = [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {{name}};" for name in names]
        on_one_table = "GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.ledger TO {name}"
        # Without any, a table cannot be told from one that is not there.
        account.run_as_root(*(f"GRANT SELECT ON {name} TO {{name}}" for name in names))
    account.run_as_root("GRANT USAGE ON SCHEMA {schema} TO {name}" if account.kind == "PostgreSQL" else on_one_table)

    said = refusal(account.ledger().start_attempt, EVENT)

    assert "SELECT, INSERT, UPDATE, DELETE" in said
    assert all(name in said for name in names)
    account.run_as_root(*grants)
    account.ledger().start_attempt(EVENT)


@every_database
def test_a_missing_schema_is_named_with_how_to_create_it(place):
    kept, place.table = place.table, f"nosuch.{place.table}"

    said = refusal(place.ledger().start_attempt, EVENT)

    place.table = kept
    assert "The schema nosuch of ledger_table does not exist" in said
    assert ("CREATE SCHEMA nosuch" in said) == ("sqlite" not in place.address)


@every_database
def test_a_missing_database_is_lasting(place, tmp_path):
    if "sqlite" in place.address:
        (tmp_path / "other.db").write_text("no database at all, but long enough to be looked at" * 100)
        address = f"sqlite:///{tmp_path / 'other.db'}"
    else:
        address = make_url(place.address).set(database="nosuch_canary")
    ledger = SqlLedger(sa.create_engine(address), "ledger", RUN)

    if "postgresql" in place.address:
        # Its drivers give no code where no connection comes about, so that this counts as passing.
        with pytest.raises(LedgerFailure):
            ledger.start_attempt(EVENT)
    else:
        assert "ledger_conn_id names" in refusal(ledger.start_attempt, EVENT)


def test_a_database_that_cannot_be_written_is_lasting(tmp_path):
    engine = sa.create_engine(f"sqlite:///file:{tmp_path / 'ledger.db'}?mode=ro&uri=true")
    sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}").connect().exec_driver_sql("CREATE TABLE t (i INTEGER)")

    assert "read-only" in refusal(SqlLedger(engine, "ledger", RUN).start_attempt, EVENT)


@every_database
@pytest.mark.parametrize("suffix", ["", "_runs", "_rows"])
def test_a_table_that_lacks_columns_is_named_before_anybody_is_sent(place, suffix, event, emulator):
    column = {"": "registration_id", "_runs": "summary", "_rows": "error"}[suffix]
    begun(place)
    with place.engine().begin() as connection:
        connection.execute(sa.text(f"ALTER TABLE {place.table}{suffix} DROP COLUMN {column}"))

    said = refusal(lambda: enroll(event, ["canary"], ledger=place.ledger()))

    assert f"{place.table}{suffix} lacks the columns {column}" in said
    assert not any(call.method == "POST" and call.registrant_id for call in emulator.store.journal)


@every_database
def test_a_table_that_was_dropped_is_named(place):
    ledger = begun(place)
    tables(place.table).registrants.drop(place.engine())

    for doing in (lambda: ledger.write([entry("canary")]), lambda: ledger.load(["canary"])):
        assert f"{place.table} does not exist" in refusal(doing)


@every_database
@pytest.mark.parametrize(
    "made",
    ["CREATE TABLE {} (id INTEGER)", "CREATE VIEW {} AS SELECT 1 AS id"],
    ids=["a table", "a view"],
)
def test_something_else_of_the_same_name_is_told_of(place, made, event, emulator):
    with place.engine().begin() as connection:
        connection.execute(sa.text(made.format(place.table)))

    try:
        said = refusal(lambda: enroll(event, ["canary"], ledger=place.ledger()))
    finally:
        with place.engine().begin() as connection:
            connection.execute(sa.text(f"DROP {'VIEW' if 'VIEW' in made else 'TABLE'} {place.table}"))

    assert f"{place.table} lacks the columns entry_key, event," in said
    assert not any(call.method == "POST" and call.registrant_id for call in emulator.store.journal)


def remade(place, event_id, column="outcome", kind=sa.Text, value="enrolled", times=1):
    """Put somebody into a table without constraints, one of whose columns is of another type."""
    ledger = begun(place, event=event_id)
    ledger.write([full_entry()])
    (row,) = place.select()
    row |= {name: datetime.fromisoformat(str(row[name])) for name in ("first_seen", "last_seen")}
    table = tables(place.table).registrants
    table.drop(place.engine())
    columns = [sa.Column(one.name, kind if one.name == column else one.type) for one in table.columns]
    other = sa.Table(place.table, sa.MetaData(), *columns)
    with place.engine().begin() as connection:
        other.create(connection)
        for _ in range(times):
            connection.execute(other.insert().values({**row, column: value}))
    return ledger


@every_database
@pytest.mark.parametrize(
    ("column", "kind", "value", "named"),
    [
        ("outcome", sa.String(32), "promoted", "an outcome or a state that this version does not know"),
        ("outcome", sa.String(32), None, "its column outcome"),
        ("run_id", sa.String(255), None, "its column run_id"),
        ("last_seen", sa.String(64), "yesterday", "timestamp|its column last_seen"),
        ("last_seen", sa.DateTime, None, "its column last_seen"),
        ("version", sa.String(64), "many", "its column version"),
        ("version", sa.Float, 1.5, "its column version"),
        ("join_web_url", sa.Integer, 5, "its column join_web_url"),
        ("registrant", sa.String(64), "canary", "other people"),
        ("event", sa.String(64), "other", "other people"),
    ],
    ids=str,
)
def test_a_row_that_this_version_cannot_have_written_sends_nobody(place, event, emulator, column, kind, value, named):
    remade(place, event.id, column, kind, value)

    said = refusal(lambda: enroll(event, ["somebody", "else"], ledger=place.ledger()))

    assert place.table in said
    assert any(one in said for one in named.split("|"))
    assert "so it sends nobody" in said
    assert not any(call.method == "POST" and call.registrant_id for call in emulator.store.journal)


@every_database
def test_a_version_that_became_no_number_on_the_way_is_no_reason_to_write(place, event):
    ledger = remade(place, event.id, "version", sa.String(64), "many")

    assert "its column version" in refusal(ledger.write, [entry(version=1)])


@every_database
def test_a_person_who_stands_twice_sends_nobody(place, event, emulator):
    remade(place, event.id, times=2)

    assert "an entry_key twice" in refusal(lambda: enroll(event, ["somebody"], ledger=place.ledger()))
    assert not any(call.method == "POST" and call.registrant_id for call in emulator.store.journal)


@every_database
def test_rows_that_are_no_objects_are_told_of_when_they_are_read_back(place):
    ledger = begun(place)
    ledger.write_results([(1, "somebody", {"id": "somebody"}, Outcome.ENROLLED, None)])
    for text in ('"Row(canary)"', "canary", "[1]", "null"):
        with place.engine().begin() as connection:
            connection.execute(sa.text(f"UPDATE {place.table}_rows SET row_json = :text"), {"text": text})
        said = refusal(ledger.read_results, ledger.run_key, ledger.attempt, 0, 10)
        assert f"{place.table}_rows holds no JSON object" in said


@every_database
def test_a_run_that_the_ledger_does_not_know_is_told_of_when_its_rows_are_read(place):
    ledger = begun(place)
    assert "does not hold this run" in refusal(ledger.read_results, "0" * 64, 1, 0, 10)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("attempt", "many"),
        ("attempt", None),
        ("attempt", [1]),
        ("1/0", {"registrant": "x"}),
        ("1/0", "canary"),
        ("1/0", [None]),
        ("1/0", [{"registrant": "x", "outcome": "enrolled"}]),
        (
            "1/0",
            [{"registrant": "x", "outcome": "promoted", "version": 1, "last_seen": "2026-01-01", "fingerprint": ""}],
        ),
        (
            "1/0",
            [{"registrant": "x", "outcome": "enrolled", "version": "1", "last_seen": "2026-01-01", "fingerprint": ""}],
        ),
        ("1/0", [{"registrant": "x", "outcome": "enrolled", "version": 1, "last_seen": "canary", "fingerprint": ""}]),
    ],
    ids=str,
)
def test_a_state_store_that_holds_something_else_sends_nobody(key, value):
    store = Store()
    ledger = StateStoreLedger(store, RUN)
    ledger.start_attempt(EVENT)
    ledger.write([entry()])
    (attempt,) = [name for name in store.values if name.endswith("/attempt")]
    store.set(attempt.removesuffix("attempt") + key, value)

    said = refusal(StateStoreLedger(store, RUN).start_attempt, EVENT)

    assert "Airflow's task state store holds" in said


def test_what_is_not_known_to_last_is_left_to_a_retry(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}", connect_args={"timeout": 0.1})
    SqlLedger(engine, "ledger", RUN).start_attempt(EVENT)
    holder = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}").connect()
    holder.exec_driver_sql("BEGIN EXCLUSIVE")

    with pytest.raises(LedgerFailure) as caught:
        SqlLedger(engine, "ledger", RUN, max_tries=2).start_attempt(EVENT)

    assert caught.value.transient
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("words", "lasts"),
    [
        ("no such table: canary", True),
        ("table canary has no column named x", True),
        ("unknown database canary", True),
        ("attempt to write a readonly database", True),
        ("file is not a database", True),
        ("database is locked", False),
        ("unable to open database file", False),
        ("disk I/O error", False),
    ],
)
def test_sqlite_without_codes_is_understood_by_its_words(words, lasts):
    error = sa.exc.OperationalError("SELECT", {}, sqlite3.OperationalError(words))
    assert (lasting_trouble(error, sa.create_engine("sqlite://").dialect) is not None) == lasts
