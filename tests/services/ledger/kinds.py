"""The kinds of ledgers, each with a place of its own to keep rows in."""

import uuid
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.ledger.base import Ledger
from airflow_provider_teams_registration.ledger.memory import MemoryLedger
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from airflow_provider_teams_registration.ledger.sql.tables import tables
from airflow_provider_teams_registration.ledger.task_state import StateStoreLedger
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


def kind_of(place):
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
