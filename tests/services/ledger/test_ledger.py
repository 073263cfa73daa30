"""What every kind of ledger keeps, in whatever order attempts and runs write to it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.exceptions import Fenced
from airflow_provider_teams_registration.ledger.base import utc_now
from tests.services.ledger.kinds import (
    EVENT,
    OTHER_RUN,
    RUN,
    begun,
    entry,
    every_database,
    every_kind,
    every_lasting_kind,
    fields,
    full_entry,
)


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


@every_kind
def test_ledger_that_was_never_begun_can_be_finished_and_closed(place):
    ledger = place.ledger()
    ledger.finish_attempt({"rows": 0})
    ledger.close()
