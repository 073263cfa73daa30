"""Taking people off either kind of event, as often as it takes."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RecordState, TaskRun
from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.enrollment.enroll import enroll
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested, SendingOptions
from airflow_provider_teams_registration.events.online_meeting import MeetingEvent
from airflow_provider_teams_registration.events.webinar.event import WebinarEvent
from airflow_provider_teams_registration.exceptions import Forbidden, LedgerFailure, SettingsError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.write_quota import WriteQuota

FORM = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}
ENROLLS, CANCELS, ENROLLS_AGAIN = (TaskRun("dag", "run", task) for task in ("enroll", "cancel", "again"))


def person(number):
    email = f"person{number}@example.org"
    return {"id": f"crm {number}", "email": email, "first_name": "Ada", "last_name": f"Example {number}"}


def people(number):
    return [person(one) for one in range(number)]


class OnMeeting:
    """The meeting that is open to everyone."""

    route = "DELETE registrants/*"

    def __init__(self, emulator, session):
        self._emulator, self._session = emulator, session

    def event(self):
        meeting = OnlineMeeting(self._session, self._emulator.meeting_id, self._emulator.organizer_id)
        return MeetingEvent(meeting, self._session.rate_limiter)

    def put_on(self, number):
        self._emulator.store.enroll(self._emulator.store.meeting(self._emulator.meeting_id), person(number)["id"])

    def on_it(self):
        return [record.id for record in self._emulator.store.enrolled(self._emulator.meeting_id)]

    def links(self):
        return {one.id: one.join_web_url for one in self._emulator.store.enrolled(self._emulator.meeting_id)}


class OnWebinar:
    """The webinar that is published and has room for everybody."""

    route = "POST registrations/*/cancel"

    def __init__(self, emulator, session, limit=1000, window=0.001):
        self._emulator, self._session = emulator, session
        self._rate_limiter = (limit, window)

    def event(self):
        webinar = Webinar(self._session, self._emulator.webinar_id)
        return WebinarEvent(webinar, WriteQuota(self._session.rate_limiter, *self._rate_limiter), **FORM)

    def put_on(self, number):
        row = person(number)
        self._emulator.store.webinars.register(
            self._emulator.webinar_id, row["email"].upper(), external_registration_id=row["id"]
        )

    def _live(self):
        records = self._emulator.store.webinars.registrations(self._emulator.webinar_id)
        return [one for one in records if not one.is_canceled]

    def on_it(self):
        return [one.external_registration_id for one in self._live()]

    def links(self):
        return {one.external_registration_id: one.join_web_url for one in self._live()}


@pytest.fixture
def on_webinar(emulator, graph_session):
    return OnWebinar(emulator, graph_session)


@pytest.fixture(params=[OnMeeting, OnWebinar])
def stage(request, emulator, graph_session):
    """Either kind of event, with five people on it."""
    stage = request.param(emulator, graph_session)
    for number in range(5):
        stage.put_on(number)
    return stage


@pytest.fixture
def cancel_all(open_ledger):
    """Takes people off, and sees to it that the counts add up to the input."""

    def run(stage, rows, *, as_run=CANCELS, **options):
        report = cancel(stage.event(), rows, ledger=open_ledger(as_run), **options)
        summary = report.summary()
        assert sum(summary["outcomes"].values()) + summary["repeated"] == summary["rows"] == len(rows)
        assert [one.position for one in report.enrollments] == sorted({one.position for one in report.enrollments})
        return report

    return run


@pytest.fixture
def enroll_in(open_ledger):
    def run(stage, rows, as_run=ENROLLS):
        return enroll(stage.event(), rows, ledger=open_ledger(as_run), options=SendingOptions(settle_after=1))

    return run


@pytest.fixture
def cancels(emulator):
    """Lists whom the service was asked to take off, as often as it was."""
    return lambda: [
        entry.registrant_id
        for entry in emulator.store.journal
        if entry.method == "DELETE" or entry.path.endswith("/cancel")
    ]


@pytest.mark.parametrize("as_dicts", [True, False])
def test_people_are_taken_off_by_id_and_others_stay(as_dicts, stage, cancel_all):
    rows = [person(1), person(3)] if as_dicts else ["crm 1", "crm 3"]

    report = cancel_all(stage, rows)

    assert report.counts == {"cancelled": 2}
    assert stage.on_it() == ["crm 0", "crm 2", "crm 4"]
    assert [row["id"] for row in report.rows()] == ["crm 1", "crm 3"]
    assert {(row["join_web_url"], row["error"]) for row in report.rows()} == {(None, None)}


@pytest.mark.parametrize(
    "row",
    [
        {"email": "person1@example.org"},
        {"email": " PERSON1@Example.org"},
        {"E-MAIL": "somebody else's", "EMAIL": "mailto:person1@example.org"},
        {"id": "person1@example.org"},
        {"id": "somebody else's", "email": "person1@example.org"},
        {"id": "crm 1", "email": ""},
        {"id": "crm 1", "email": None},
        "person1@example.org",
        "crm 1",
    ],
)
def test_registrant_of_a_webinar_is_named_by_address_or_by_our_id(row, on_webinar, cancel_all):
    for number in range(3):
        on_webinar.put_on(number)

    assert cancel_all(on_webinar, [row]).counts == {"cancelled": 1}
    assert on_webinar.on_it() == ["crm 0", "crm 2"]


@pytest.mark.parametrize("our_id", ["team@home", "7"])
def test_id_of_ours_that_is_no_address_is_an_id(our_id, on_webinar, emulator, cancel_all):
    emulator.store.webinars.register(emulator.webinar_id, "ada@example.org", external_registration_id=our_id)

    report = cancel_all(on_webinar, [int(our_id) if our_id.isdigit() else our_id])

    assert report.counts == {"cancelled": 1}
    assert on_webinar.on_it() == []


def test_id_of_ours_that_looks_like_an_address_is_an_id(on_webinar, emulator, cancel_all, open_ledger):
    webinars = emulator.store.webinars
    webinars.register(emulator.webinar_id, "ada@example.org", external_registration_id="ada@corp.example")
    webinars.register(emulator.webinar_id, "bob@example.org", external_registration_id="crm bob")

    report = cancel_all(on_webinar, [{"id": "ada@corp.example"}, "bob@example.org"])

    assert report.counts == {"cancelled": 2}
    assert on_webinar.on_it() == []
    ledger = open_ledger(TaskRun("reader"))
    ledger.start_attempt(emulator.webinar_id)
    assert set(ledger.load(["ada@example.org", "bob@example.org", "ada@corp.example"])) == {
        "ada@example.org",
        "bob@example.org",
    }


@pytest.mark.parametrize("status", [400, 403, 404])
def test_plain_address_is_one_where_ids_cannot_be_looked_up(status, on_webinar, emulator, cancel_all):
    emulator.add_fault("GET registrations", status=status, times=0)
    on_webinar.put_on(0)

    assert cancel_all(on_webinar, ["person0@example.org"]).counts == {"cancelled": 1}
    assert on_webinar.on_it() == []


def test_plain_address_is_one_where_nobody_is_registered_with_it_as_an_id_any_more(on_webinar, emulator, cancel_all):
    webinars = emulator.store.webinars
    old = webinars.register(emulator.webinar_id, "old@example.org", external_registration_id="ada@example.org")
    webinars.cancel(emulator.webinar_id, old.id)
    webinars.register(emulator.webinar_id, "ada@example.org", external_registration_id="crm 0")

    assert cancel_all(on_webinar, ["ada@example.org"]).counts == {"cancelled": 1}
    assert on_webinar.on_it() == []


@pytest.fixture
def moved(emulator):
    """Somebody who is registered with one id of ours under two addresses, and was under a third."""
    webinars = emulator.store.webinars
    for email in ("gone@example.org", "old@example.org", "new@example.org", "old@example.org"):
        one = webinars.register(emulator.webinar_id, email, external_registration_id="crm 0")
        if email == "gone@example.org":
            webinars.cancel(emulator.webinar_id, one.id)


@pytest.mark.usefixtures("moved")
def test_id_of_ours_takes_off_everybody_who_registered_with_it(on_webinar, emulator, cancel_all, open_ledger):
    on_webinar.put_on(1)

    report = cancel_all(on_webinar, ["crm 0", {"email": "new@example.org"}, "crm 0", "crm 1"])

    assert report.counts == {"cancelled": 2}
    assert report.repeated == 2
    assert on_webinar.on_it() == []
    ledger = open_ledger(TaskRun("reader"))
    ledger.start_attempt(emulator.webinar_id)
    assert len(ledger.load(["old@example.org", "new@example.org", "person1@example.org"])) == 3


@pytest.mark.usefixtures("moved")
@pytest.mark.parametrize("nth", [1, 2])
def test_id_of_ours_is_off_only_once_everybody_who_registered_with_it_is(nth, on_webinar, emulator, cancel_all):
    emulator.add_fault(OnWebinar.route, nth=nth, status=403, code="Forbidden")

    report = cancel_all(on_webinar, ["crm 0"])

    assert report.counts == {"rejected": 1}
    assert "VirtualEventRegistration-Anon.ReadWrite.Chat" in report.complaint()
    assert on_webinar.on_it()
    assert cancel_all(on_webinar, ["crm 0"]).counts == {"cancelled": 1}
    assert on_webinar.on_it() == []


def test_registration_without_an_address_is_taken_off_by_our_id(on_webinar, emulator, cancel_all):
    for our_id in ("crm 0", "crm 1"):
        emulator.store.webinars.register(emulator.webinar_id, "", external_registration_id=our_id)

    assert cancel_all(on_webinar, ["crm 1"]).counts == {"cancelled": 1}
    assert on_webinar.on_it() == ["crm 0"]


def test_address_needs_no_list_and_ids_need_one(on_webinar, emulator, cancel_all):
    emulator.set_switches(application_may_list_registrations=False)
    for number in range(2):
        on_webinar.put_on(number)

    report = cancel_all(on_webinar, [{"email": "person0@example.org"}, "crm 1"])

    assert report.counts == {"cancelled": 1, "invalid": 1}
    assert "VirtualEvent.Read.Chat" in report.complaint()
    assert on_webinar.on_it() == ["crm 1"]


@pytest.mark.parametrize("second_cancel", ["bad_request", "no_content", "not_found"])
def test_to_cancel_twice_is_to_cancel_once(second_cancel, stage, cancel_all, cancels, emulator):
    emulator.set_switches(second_cancel=second_cancel)
    for _ in range(3):
        assert cancel_all(stage, people(5)).counts == {"cancelled": 5}
    assert stage.on_it() == []
    if isinstance(stage, OnWebinar):
        assert Counter(cancels()) == Counter(row["id"] for row in people(5))


@pytest.mark.parametrize("second_cancel", ["bad_request", "no_content", "not_found"])
def test_person_whom_somebody_else_cancels_after_we_looked_is_off(
    second_cancel, on_webinar, cancel_all, emulator, monkeypatch
):
    emulator.set_switches(second_cancel=second_cancel)
    on_webinar.put_on(0)
    cancel_registrations = Webinar.cancel_all

    def overtaken(self, registration_ids, **known):
        emulator.store.webinars.cancel(emulator.webinar_id, registration_ids[0])
        return cancel_registrations(self, registration_ids, **known)

    monkeypatch.setattr(Webinar, "cancel_all", overtaken)

    assert cancel_all(on_webinar, people(1)).counts == {"cancelled": 1}


def test_refusal_to_cancel_somebody_who_stays_on_is_a_refusal(stage, cancel_all, emulator):
    emulator.add_fault(stage.route, nth=2, status=400, code="BadRequest", message="The event is over.")

    report = cancel_all(stage, people(3))

    assert report.counts == {"cancelled": 2, "rejected": 1}
    assert "The event is over." in report.complaint()
    assert "crm 1" in stage.on_it()


@pytest.mark.parametrize("row", [{**person(0), "phone": "+41 79 123 45 67"}, "crm 0"], ids=["whole row", "our id"])
def test_refusal_repeats_nothing_of_the_person(row, on_webinar, cancel_all, emulator):
    emulator.store.webinars.register(
        emulator.webinar_id,
        "person0@example.org",
        first_name="Ada",
        last_name="Example 0",
        external_registration_id="crm 0",
    )
    phone = row["phone"] if isinstance(row, dict) else "no number"
    echo = f"crm 0 is Ada Example 0, person0@example.org, {phone}: stays."
    emulator.add_fault(OnWebinar.route, status=400, code="BadRequest", message=echo)

    (reason,) = cancel_all(on_webinar, [row]).summary()["reasons"]

    assert reason.startswith(f"400 BadRequest: … is … …, …, {'…' if isinstance(row, dict) else phone}: stays.")


def test_people_who_are_not_on_it_are_off(stage, cancel_all, cancels):
    report = cancel_all(stage, [{"id": "nobody", "email": "nobody@example.org"}, person(0)])

    assert report.counts == {"cancelled": 2}
    assert "crm 0" in cancels()
    assert len(stage.on_it()) == 4


def test_id_that_nobody_registered_with_says_how_else_to_name_them(on_webinar, cancel_all):
    report = cancel_all(on_webinar, ["nobody"])

    assert report.counts == {"invalid": 1}
    assert "Give the e-mail address instead" in report.complaint()


def test_every_record_of_a_person_goes(on_webinar, cancel_all):
    for _ in range(3):
        on_webinar.put_on(0)
    on_webinar.put_on(1)

    assert cancel_all(on_webinar, [person(0)]).counts == {"cancelled": 1}
    assert on_webinar.on_it() == ["crm 1"]


@pytest.mark.parametrize("status", ["waitlisted", "pendingApproval", "beamedUp"])
def test_people_who_wait_are_taken_off_too(status, on_webinar, cancel_all, emulator):
    emulator.store.webinars.register(emulator.webinar_id, "person0@example.org", status=status)

    assert cancel_all(on_webinar, [person(0)]).counts == {"cancelled": 1}
    assert on_webinar.on_it() == []


@pytest.mark.parametrize("status", [400, 403, 409])
def test_people_whom_the_organizer_declined_are_off_whatever_the_service_says(status, on_webinar, cancel_all, emulator):
    webinars = emulator.store.webinars
    webinars.register(emulator.webinar_id, "person0@example.org", status="rejectedByOrganizer")
    webinars.register(emulator.webinar_id, "person1@example.org", status="waitlisted")
    emulator.add_fault(OnWebinar.route, status=status, times=0)

    report = cancel_all(on_webinar, people(2))

    assert [row["outcome"] for row in report.rows()] == ["cancelled", "rejected"]


def test_people_whom_the_organizer_declined_may_be_enrolled_anew(on_webinar, cancel_all, emulator):
    emulator.store.webinars.register(emulator.webinar_id, "person0@example.org", status="rejectedByOrganizer")

    assert cancel_all(on_webinar, people(1)).counts == {"cancelled": 1}
    assert on_webinar.on_it() == []


def test_repeated_rows_count_once(stage, cancel_all, cancels):
    report = cancel_all(stage, [person(0), person(1), person(0), person(0)])

    assert report.counts == {"cancelled": 2}
    assert report.repeated == 2
    assert sorted(cancels()) == ["crm 0", "crm 1"]


def test_invalid_rows_stop_nobody(stage, cancel_all):
    bad = [{}, {"id": None}, {"id": True}, {"id": ["a"]}, {"id": ""}]

    report = cancel_all(stage, [*bad, person(0)])

    assert report.counts == {"invalid": 5, "cancelled": 1}
    assert len(stage.on_it()) == 4


def test_address_that_is_none_is_not_repeated(on_webinar, cancel_all):
    report = cancel_all(on_webinar, [{"email": "a secret"}, {"email": 7}])

    assert report.counts == {"invalid": 2}
    assert "a secret" not in report.complaint()


def test_missing_permission_is_named(on_webinar, cancel_all, emulator):
    on_webinar.put_on(0)
    emulator.set_switches(application_may_cancel_registrations=False)

    report = cancel_all(on_webinar, people(1))

    assert report.counts == {"rejected": 1}
    assert "VirtualEventRegistration-Anon.ReadWrite.Chat" in report.complaint()
    assert "OnlineMeetings" not in report.complaint()
    assert on_webinar.on_it() == ["crm 0"]


def test_webinar_that_cannot_be_read_takes_nobody_off(on_webinar, cancel_all, emulator, cancels):
    on_webinar.put_on(0)
    emulator.set_switches(
        registration_key=False, registration_filter="refused", application_may_list_registrations=False
    )
    with pytest.raises(SettingsError, match="does not let this connection read"):
        cancel_all(on_webinar, people(2))
    assert cancels() == []


@pytest.mark.parametrize("switches", [{"registration_key": False}, {"registration_key_finds": "nobody"}])
def test_person_whom_a_webinar_may_hide_does_not_count_as_off(
    switches, on_webinar, cancel_all, emulator, cancels, enroll_in
):
    assert enroll_in(on_webinar, people(1)).counts == {"enrolled": 1}
    emulator.set_switches(registration_filter="refused", application_may_list_registrations=False, **switches)

    report = cancel_all(on_webinar, people(1))

    assert report.counts == {"rejected": 1}
    assert "VirtualEvent.Read.Chat" in report.complaint()
    assert cancels() == []
    emulator.clear_journal()
    assert enroll_in(on_webinar, people(1), as_run=CANCELS).counts == {"already_enrolled": 1}
    emulator.set_switches(application_may_list_registrations=True)
    assert cancel_all(on_webinar, people(1)).counts == {"cancelled": 1}
    assert on_webinar.on_it() == []


def test_person_is_taken_off_where_the_list_is_refused(on_webinar, cancel_all, emulator):
    emulator.set_switches(registration_filter="refused", application_may_list_registrations=False)
    for number in range(3):
        on_webinar.put_on(number)

    assert cancel_all(on_webinar, people(4)).counts == {"cancelled": 4}
    assert on_webinar.on_it() == []


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("second_cancel", ["bad_request", "no_content", "not_found"])
@pytest.mark.parametrize("how", [{"omit": True}, {"status": 503}, {"status": 429, "retry_after": "0"}])
def test_throttled_and_lost_cancellations_are_made_again(
    how, second_cancel, when, stage, cancel_all, emulator, open_ledger
):
    emulator.set_switches(second_cancel=second_cancel)
    emulator.add_fault(stage.route, nth=2, times=2, when=when if how.get("status") != 429 else "before", **how)

    report = cancel_all(stage, people(4))

    assert report.counts == {"cancelled": 4}
    assert stage.on_it() == ["crm 4"]


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_call_that_breaks_is_made_again(nth, when, stage, cancel_all, emulator):
    emulator.add_fault("POST $batch", nth=nth, drop=True, when=when)

    assert cancel_all(stage, people(4)).counts == {"cancelled": 4}
    assert stage.on_it() == ["crm 4"]


@pytest.mark.usefixtures("no_backoff")
def test_cancellation_whose_answer_is_lost_every_time_is_unknown(stage, cancel_all, emulator):
    emulator.add_fault(stage.route, registrant_id="crm 1", omit=True, times=0, when="before")

    report = cancel_all(stage, people(3))

    assert report.counts == {"cancelled": 2, "unknown": 1}
    assert len(stage.on_it()) == 3


def test_more_patience_than_there_is_ends_it(stage, cancel_all, emulator, cancels):
    emulator.add_fault(stage.route, status=429, retry_after="1000", times=0)

    report = cancel_all(stage, people(2))

    assert report.counts == {"not_sent": 2}
    assert report.transient == 2
    assert isinstance(report.aborted_by, DeferRequested)
    assert len(cancels()) == 2


@pytest.mark.usefixtures("no_backoff")
def test_trouble_on_the_way_does_not_forget_those_who_are_off(on_webinar, cancel_all, emulator, open_ledger):
    for number in range(30):
        on_webinar.put_on(number)
    for number in range(20, 30):
        emulator.add_fault(OnWebinar.route, registrant_id=f"crm {number}", status=429, retry_after="0", times=0)

    report = cancel_all(on_webinar, people(30))

    assert report.counts == {"cancelled": 20, "not_sent": 10}
    assert report.transient == 10
    ledger = open_ledger(TaskRun("reader"))
    ledger.start_attempt(emulator.webinar_id)
    known = ledger.load([row["email"] for row in people(30)])
    assert Counter(entry.outcome for entry in known.values()) == {Outcome.CANCELLED: 20, Outcome.NOT_SENT: 10}


def test_stop_ends_it_and_says_who_is_left(stage, cancel_all, cancels):
    stop = threading.Event()
    stop.set()

    report = cancel_all(stage, people(3), stop=stop)

    assert report.counts == {"not_sent": 3}
    assert "stopped before" in report.complaint()
    assert cancels() == []


def test_stop_ends_a_wait(on_webinar, cancel_all, emulator):
    on_webinar.put_on(0)
    emulator.add_fault(OnWebinar.route, status=429, retry_after="600", times=0)
    stop = threading.Event()

    def stop_once_throttled():
        while not any(entry.status == 429 for entry in emulator.store.journal):
            stop.wait(0.01)
        stop.set()

    threading.Thread(target=stop_once_throttled, daemon=True).start()

    report = cancel_all(on_webinar, people(1), stop=stop)

    assert report.counts == {"not_sent": 1}
    assert "stopped before" in report.complaint()


def test_own_pace_causes_no_429(emulator, graph_session, cancel_all, cancels):
    stage = OnWebinar(emulator, graph_session, limit=15, window=0.5)
    for number in range(40):
        stage.put_on(number)
    emulator.set_switches(write_limit=15, write_window=0.5)

    assert cancel_all(stage, people(40)).counts == {"cancelled": 40}
    assert stage.on_it() == []
    assert 429 not in {entry.status for entry in emulator.store.journal}
    assert len(cancels()) == 40


def test_long_list_is_taken_off(emulator, graph_session, cancel_all):
    stage = OnMeeting(emulator, graph_session)
    for number in range(1100):
        stage.put_on(number)

    report = cancel_all(stage, [*people(1100), person(0)])

    assert report.counts == {"cancelled": 1100}
    assert report.repeated == 1
    assert stage.on_it() == []


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


def test_meeting_that_refuses_says_so(emulator, graph_session, cancel_all):
    stage = OnMeeting(emulator, graph_session)
    stage.put_on(0)
    emulator.set_switches(application_may_enroll=False)

    report = cancel_all(stage, people(1))

    assert report.counts == {"rejected": 1}
    assert "403" in report.complaint()


def test_list_that_may_not_be_read_at_all_is_no_silent_answer(on_webinar, cancel_all, emulator):
    emulator.set_switches(application_access_policy=False)
    with pytest.raises((Forbidden, SettingsError)):
        cancel_all(on_webinar, [{"email": "person0@example.org"}])
