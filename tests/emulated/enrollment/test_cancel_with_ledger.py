"""Cancelling and enrolling with one ledger."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.core.record import RecordState
from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
from airflow_provider_teams_registration.exceptions import LedgerFailure
from tests.emulated.enrollment.cancelling import CANCELS, ENROLLS, ENROLLS_AGAIN, OnMeeting, OnWebinar, people, person


@pytest.mark.parametrize("kind", [OnMeeting, OnWebinar])
def test_cancelled_people_are_enrolled_anew_through_the_ledger_and_the_others_are_not_touched(
    kind, emulator, graph_session, cancel_all, enroll_in
):
    stage = kind(emulator, graph_session)
    before = enroll_in(stage, people(4))
    assert before.counts == {"enrolled": 4}
    old = stage.links()
    assert cancel_all(stage, [person(1)["id"], person(2)]).counts == {"cancelled": 2}
    assert set(stage.on_it()) == {"crm 0", "crm 3"}
    emulator.clear_journal()

    report = enroll_in(stage, people(4), as_run=ENROLLS_AGAIN)

    assert report.counts == {"already_enrolled": 2, "enrolled": 2}
    now = stage.links()
    assert {row["id"]: row["join_web_url"] for row in report.rows()} == now
    assert {name for name in now if now[name] != old[name]} == {"crm 1", "crm 2"}
    # The same run that enrolled them first may enroll them anew too.
    assert cancel_all(stage, [person(0)]).counts == {"cancelled": 1}
    again = enroll_in(stage, people(4))
    assert {row["id"]: row["join_web_url"] for row in again.rows()} == stage.links()
    assert stage.links()["crm 3"] == old["crm 3"]


@pytest.mark.parametrize("kind", [OnMeeting, OnWebinar])
def test_link_of_somebody_who_could_not_be_cancelled_stays_in_the_ledger(
    kind, emulator, graph_session, cancel_all, enroll_in
):
    stage = kind(emulator, graph_session)
    enroll_in(stage, people(2))
    links = stage.links()
    emulator.add_fault(stage.route, status=403, code="Forbidden", times=0)

    assert cancel_all(stage, people(2)).counts == {"rejected": 2}

    emulator.clear_journal()
    again = enroll_in(stage, people(2), as_run=ENROLLS_AGAIN)
    assert again.counts == {"already_enrolled": 2}
    assert {row["id"]: row["join_web_url"] for row in again.rows()} == links == stage.links()


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("kind", [OnMeeting, OnWebinar])
def test_link_that_ended_with_a_lost_answer_is_not_handed_on(kind, emulator, graph_session, cancel_all, enroll_in):
    stage = kind(emulator, graph_session)
    enroll_in(stage, people(1))
    # The first removal takes effect, its answer is lost, and Graph then answers with nothing but 403.
    emulator.add_fault(stage.route, status=503, when="after")
    emulator.add_fault(stage.route, status=403, code="Forbidden", times=0)
    emulator.add_fault("GET registrations*", nth=3, times=0, status=403)

    cancel_all(stage, people(1))

    emulator.clear_faults()
    again = enroll_in(stage, people(1), as_run=ENROLLS_AGAIN)
    assert {row["id"]: row["join_web_url"] for row in again.rows()} == stage.links()


@pytest.mark.parametrize("kind", [OnMeeting, OnWebinar])
def test_ledger_that_breaks_down_is_told_with_those_who_are_off(kind, emulator, graph_session, open_ledger):
    stage = kind(emulator, graph_session)
    stage.put_on(0)
    ledger = open_ledger(CANCELS)
    write = ledger.write

    def breaks(entries):
        if any(one.state is not RecordState.CANCELLING for one in entries):
            raise LedgerFailure("The database is away.")
        return write(entries)

    ledger.write = breaks

    report = cancel(stage.event(), people(1), ledger=ledger)

    assert report.counts == {"cancelled": 1}
    assert isinstance(report.aborted_by, LedgerFailure)
    assert stage.on_it() == []


def test_attempt_that_follows_a_killed_one_cancels_the_rest(
    emulator, graph_session, open_ledger, cancel_all, enroll_in
):
    stage = OnWebinar(emulator, graph_session)
    enroll_in(stage, people(2))
    ledger = open_ledger(CANCELS)
    ledger.start_attempt(emulator.webinar_id)
    known = ledger.load([row["email"] for row in people(2)]).values()
    ledger.write([replace(one, state=RecordState.CANCELLING) for one in known])
    (first, _) = emulator.store.webinars.registrations(emulator.webinar_id)
    emulator.store.webinars.cancel(emulator.webinar_id, first.id)

    assert cancel_all(stage, people(2)).counts == {"cancelled": 2}
    assert stage.on_it() == []


@pytest.mark.parametrize("kind", [OnMeeting, OnWebinar])
def test_enroll_and_cancel_at_once_tell_the_truth(kind, emulator, graph_session, open_ledger):
    stage = kind(emulator, graph_session)
    emulator.set_switches(duplicate="second_record")
    options = SendingOptions(settle_after=1, read_pause=0.05, longest_read_pause=0.1, ledger_pause=0.05)
    enrolling, cancelling = stage.event(), stage.event()
    ledgers = open_ledger(ENROLLS), open_ledger(CANCELS)

    with ThreadPoolExecutor(2) as threads:
        enrolls = threads.submit(enroll, enrolling, people(40), ledger=ledgers[0], options=options)
        cancels = threads.submit(cancel, cancelling, people(40), ledger=ledgers[1], settle_after=1)
    rows = {row["id"]: row for row in enrolls.result().rows()}
    outcomes = {row["id"]: row["outcome"] for row in cancels.result().rows()}

    assert len(set(stage.on_it())) == len(stage.on_it())
    on_it = stage.links()
    assert {name: rows[name]["join_web_url"] for name in on_it} == on_it
    assert {outcomes[name] for name in rows if name not in on_it} <= {"cancelled"}
    assert {row["outcome"] for row in rows.values()} <= {"enrolled", "already_enrolled"}
