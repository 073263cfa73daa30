"""What no ledger can hold belongs to one row, and is the same whichever ledger a task keeps."""

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import LONGEST, RegistrationRecord
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from tests.services.ledger.kinds import RUN, begun, entry, every_database, every_kind, every_lasting_kind

LONG = "x" * LONGEST["registrant"]
TOO_LONG = ["x" * 70_000, "\U0001f600" * 70_000, LONG + "x", 10**1024]


@every_kind
def test_an_id_that_is_too_long_is_one_invalid_row_and_all_others_are_enrolled(place, event, emulator, books_links):
    rows = [f"person {number}" for number in range(60)]
    rows[7:7] = [LONG, "\U0001f600" * LONGEST["registrant"], *TOO_LONG]
    ledger = place.ledger()

    report = enroll(event, rows, ledger=ledger, options=SendingOptions())
    ledger.close()

    refused = [one for one in report.enrollments if one.outcome is Outcome.INVALID]
    assert [one.error for one in refused] == ["id is longer than 1,024 characters"] * len(TOO_LONG)
    assert report.counts == {"enrolled": 62, "invalid": len(TOO_LONG)}
    assert report.aborted_by is None
    assert len(books_links()) == 62


@every_kind
def test_what_a_service_says_at_length_stands_in_every_ledger_alike(place):
    ledger = begun(place)
    said = "\0no \ud800" + "y" * 70_000

    written = ledger.write(
        [entry(outcome=Outcome.REJECTED, error=said, error_code=said, request_id=said, registration_id=said)]
    )

    found = ledger.load(["somebody"])["somebody"]
    assert found == written.stored["somebody"]
    assert found.error == "no ?" + "y" * 996
    assert found.error_code == found.request_id == found.registration_id == "no ?" + "y" * 251


@every_lasting_kind
def test_the_longest_entry_of_all_fits(place):
    longest = {name: "\U0001f600" * length for name, length in LONGEST.items() if name not in ("event", "registrant")}
    # The task's state holds nobody's own id.
    longest.pop("external_id")
    longest["join_web_url"] = longest["join_web_url"][: LONGEST["join_web_url"] // 4]
    ledger = begun(place)

    ledger.write([RegistrationRecord(LONG, "f" * 64, Outcome.ENROLLED, **longest)])

    found = begun(place).load([LONG])[LONG]
    assert {name: getattr(found, name) for name in longest} == longest


@every_kind
@pytest.mark.parametrize("link", ["https://teams.example/" + "l" * 70_000, "https://\0", "https://\ud800"], ids=ascii)
def test_a_link_that_no_ledger_holds_does_not_cost_the_others_theirs(place, link):
    ledger = begun(place)

    ledger.write([entry(join_web_url=link), entry("else", join_web_url="https://teams.example/else")])

    found = ledger.load(["somebody", "else"])
    assert [found[name].join_web_url for name in ("somebody", "else")] == [None, "https://teams.example/else"]


@every_kind
@pytest.mark.parametrize("event_id", ["x" * 513, "x\0", "x\ud800"], ids=ascii)
def test_an_event_that_no_ledger_takes_is_refused_for_good(place, event_id):
    with pytest.raises(LedgerFailure, match="Correct the id of the event") as caught:
        place.ledger().start_attempt(event_id)
    assert not caught.value.transient


@every_database
def test_a_table_of_the_longest_name_works(place):
    place.table = (place.table + "_" + "x" * 58)[:58]

    assert list(begun(place).write([entry()]).stored) == ["somebody"]
    assert list(begun(place).load(["somebody"])) == ["somebody"]


def test_a_name_that_the_database_does_not_take_is_a_sentence():
    engine = sa.create_engine("sqlite://")
    engine.dialect.max_identifier_length = 30

    with pytest.raises(LedgerFailure, match="name in ledger_table is too long for this database") as caught:
        SqlLedger(engine, "x" * 40, RUN).start_attempt("event")
    assert not caught.value.transient
