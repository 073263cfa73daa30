"""What only a ledger in Airflow's task state store does."""

import json
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.task_state import MAX_VALUE, StateStoreLedger
from tests.services.ledger.kinds import CANARY, EVENT, RUN, StateStores, begun, entry
from tests.state_store import Store


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
