"""Enrolling in a webinar, which says nothing to an application: everything is read back."""

import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.core.state import OnMissingJoinUrl
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
from airflow_provider_teams_registration.exceptions import Forbidden, SettingsError

RUN = TaskRun("dag", "run 1", "enroll")
NEXT_RUN = TaskRun("dag", "run 2", "enroll")
OTHER_DAG = TaskRun("other dag", "run 1", "enroll")
DUPLICATES = ["same", "new_link", "conflict", "bad_request", "second_record"]
REGISTRATIONS = "POST registrations"

every_duplicate = pytest.mark.parametrize("duplicate", DUPLICATES)


def person(number, **more):
    email = f"person{number}@example.org"
    return {"id": f"crm {number}", "email": email, "first_name": "Ada", "last_name": f"Example {number}", **more}


def people(number):
    return [person(one) for one in range(number)]


def emails(rows):
    return [row["email"].lower() for row in rows]


def links(report):
    return {row["email"].lower(): row["join_web_url"] for row in report.rows()}


@pytest.fixture
def prepared(open_event):
    """The webinar with its form read, ready to be looked at."""
    event = open_event()
    event.prepare()
    return event


@pytest.fixture
def find(prepared):
    """Finds people on the event."""
    return lambda rows: prepared.find([prepared.read(1, row) for row in rows]).registrations


@pytest.fixture
def looks(emulator):
    """Counts the ways of reading registrations since the journal was cleared."""

    def count():
        kinds = Counter()
        for entry in emulator.store.journal:
            path = entry.path.lower()
            if entry.method != "GET" or "/registrations" not in path:
                continue
            if "email=" in path:
                kinds["key"] += 1
            elif path.endswith("/sessions"):
                kinds["sessions"] += 1
            elif path.endswith("/registrations"):
                # The journal has no queries; filters are items of batches, and lists are not.
                kinds["filter" if entry.batch else "list"] += 1
            else:
                kinds["id"] += 1
        return kinds

    return count


def writes(emulator):
    return [
        entry
        for entry in emulator.store.journal
        if entry.method != "GET" and not entry.path.endswith(("$batch", "token"))
    ]


class TestLadder:
    """The ways of finding a registration, of which a service may know any."""

    @pytest.mark.parametrize(
        ("switches", "remembered"),
        [
            ({"registration_filter": "refused", "application_may_list_registrations": False}, "key"),
            ({"registration_key": False, "application_may_list_registrations": True}, "filter"),
            ({"registration_key": False, "registration_filter": "refused"}, "list"),
            ({"registration_key": False, "registration_filter": "ignored"}, "list"),
            ({}, "key"),
        ],
    )
    def test_every_rung_alone_leads_to_all_links_and_is_remembered(
        self, switches, remembered, register_all, emulator, live_links, prepared, find, looks, put_on
    ):
        emulator.set_switches(**switches)

        report = register_all(people(3), on=prepared)

        assert report.counts == {"enrolled": 3}
        assert links(report) == live_links()
        emulator.clear_journal()
        late = put_on("person9@example.org")
        assert find([person(9)])["person9@example.org"][0].join_web_url == late.join_web_url
        assert set(looks()) == {remembered, "sessions"}
        assert find([person(8)]) == {}
        assert set(looks()) == {remembered, "sessions"}

    @pytest.mark.parametrize(
        "switches",
        [
            {"application_may_list_registrations": False},
            {"registration_key": False, "registration_filter": "ignored"},
            {"registration_key": False},
        ],
    )
    def test_every_rung_serves_many(self, switches, register_all, emulator, live_links):
        emulator.set_switches(**switches)

        report = register_all(people(45))

        assert report.counts == {"enrolled": 45}
        assert links(report) == live_links()

    def test_many_are_found_in_one_list(self, register_all, emulator, looks, live_links):
        report = register_all(people(60))

        assert links(report) == live_links()
        assert looks()["key"] == looks()["filter"] == 0
        assert looks()["list"] < 10

    def test_many_are_looked_up_one_by_one_where_the_list_is_refused(self, find, emulator, put_on, looks):
        emulator.set_switches(application_may_list_registrations=False)
        for row in people(45):
            put_on(row["email"])

        found = find(people(45))

        assert len(found) == 45
        assert all(standings[0].join_web_url for standings in found.values())
        assert looks() == {"list": 1, "key": 45, "sessions": 45}
        emulator.clear_journal()
        assert find([person(99)]) == {}
        assert looks() == {"key": 1}

    def test_many_are_filtered_for_one_by_one_where_neither_list_nor_key_is_accepted(
        self, find, emulator, put_on, looks
    ):
        emulator.set_switches(registration_key=False)
        # Of the two kinds of look at this address the list comes first.
        emulator.add_fault("GET registrations", status=403, code="Forbidden")
        for row in people(25):
            put_on(row["email"])

        found = find(people(25))

        assert len(found) == 25
        assert all(standings[0].join_web_url for standings in found.values())
        assert looks() == {"list": 1, "key": 25, "filter": 25, "sessions": 25}
        emulator.clear_journal()
        assert find([person(99)]) == {}
        assert looks() == {"filter": 1}

    def test_absence_is_not_believed_of_a_way_that_never_found_anybody(self, find, emulator, put_on, looks):
        put_on("person1@example.org")
        emulator.add_fault("GET registrations(email=*", status=404, code="NotFound", times=0)

        assert set(find([person(1), person(2)])) == {"person1@example.org"}
        assert looks() == {"key": 2, "filter": 2, "sessions": 1}
        emulator.clear_journal()
        assert find([person(3)]) == {}
        assert looks() == {"key": 1, "filter": 1}

    def test_address_that_a_good_way_refuses_is_looked_for_in_another(self, find, emulator, put_on, looks):
        for row in people(3):
            put_on(row["email"])
        emulator.add_fault("GET registrations(email=*", registrant_id="person1@example.org", status=400, times=0)

        assert len(find(people(3))) == 3
        assert looks() == {"key": 3, "filter": 1, "sessions": 3}
        emulator.clear_journal()
        assert find([person(7)]) == {}
        assert looks() == {"key": 1}

    @pytest.mark.parametrize("refused_first", ["alone", "among others"])
    def test_address_that_no_way_takes_is_that_persons_own_trouble(
        self, refused_first, register_all, emulator, prepared, find, put_on, sent, live
    ):
        emulator.set_switches(application_may_list_registrations=False, registration_filter="refused")
        emulator.add_fault(
            "GET registrations(email=*", registrant_id="person0@example.org", status=400, code="Odd", times=0
        )
        if refused_first == "alone":
            assert find([person(0)]) == {}

        report = register_all(people(3), on=prepared, settle_after=0.3)

        assert report.counts == {"enrolled": 2, "rejected": 1}
        assert "400 Odd" in report.rows()[0]["error"]
        assert "example.org" not in report.complaint()
        assert sorted(sent()) == ["crm 1", "crm 2"]
        assert set(live()) == {"person1@example.org", "person2@example.org"}

    def test_person_who_was_sent_and_cannot_be_looked_up_is_unknown_and_not_sent_again(
        self, register_all, emulator, sent
    ):
        emulator.set_switches(application_may_list_registrations=False, registration_filter="refused")
        emulator.add_fault(REGISTRATIONS, registrant_id="crm 0", omit=True, when="after")
        emulator.add_fault("GET registrations(email=*", registrant_id="crm 0", status=400, code="Odd", times=0)

        for run in (RUN, NEXT_RUN):
            report = register_all(people(2), as_run=run, settle_after=0.1)
            assert report.unknown == 1
            assert "400 Odd" in report.rows()[0]["error"]
            time.sleep(0.15)

        assert Counter(sent()) == {"crm 0": 1, "crm 1": 1}

    @pytest.mark.parametrize("status", [403, 404, 405])
    def test_way_that_is_closed_is_not_tried_again_for_the_next_person(self, status, find, emulator, looks):
        emulator.set_switches(registration_key=False)
        # Of the two kinds of look at this address the filter comes first.
        emulator.add_fault("GET registrations", status=status, code="Closed")

        for number in range(3):
            assert find([person(number)]) == {}

        assert looks()["filter"] == 1
        assert looks()["list"] == 3

    @pytest.mark.usefixtures("no_backoff")
    @pytest.mark.parametrize("how", [{"status": 429, "retry_after": "0"}, {"status": 503}, {"omit": True}])
    def test_look_ups_without_an_answer_are_made_again(self, how, find, emulator, put_on):
        for row in people(30):
            put_on(row["email"])
        emulator.set_switches(application_may_list_registrations=False)
        emulator.add_fault("GET registrations(email=*", nth=5, times=9, **how)
        emulator.add_fault("GET sessions", nth=5, times=9, **how)

        found = find(people(30))

        assert len([one for (one,) in found.values() if one.join_web_url]) == 30

    def test_nothing_readable_is_said_before_anybody_is_sent(self, register_all, emulator, live, sent):
        emulator.set_switches(
            registration_key=False, registration_filter="refused", application_may_list_registrations=False
        )
        with pytest.raises(
            SettingsError, match="does not let this connection read the webinar's registrations"
        ) as caught:
            register_all(people(2))
        assert "VirtualEvent.Read.Chat" in str(caught.value)
        assert "example.org" not in str(caught.value)
        assert sent() == []
        assert live() == {}

    def test_service_that_writes_addresses_otherwise(self, register_all, emulator, put_on, live_links, sent):
        put_on("PERSON1@Example.ORG")
        for switches in ({}, {"registration_key": False}, {"registration_filter": "refused"}):
            emulator.set_switches(**switches)
            report = register_all([person(1)], as_run=OTHER_DAG)
            assert report.counts == {"already_enrolled": 1}
            assert links(report) == live_links()
        assert sent() == []

    def test_person_cancelled_and_registered_anew_since_we_looked_is_found(self, find, emulator, put_on):
        first = put_on("person1@example.org")
        (found,) = find([person(1)])["person1@example.org"]
        assert found.registration_id == first.id

        emulator.store.webinars.cancel(emulator.webinar_id, first.id)
        assert find([person(1)]) == {}
        second = put_on("person1@example.org")
        (found,) = find([person(1)])["person1@example.org"]
        assert found.join_web_url == second.join_web_url

    def test_cancelled_registration_that_a_way_finds_hides_no_newer_one(
        self, register_all, emulator, put_on, sent, live_links, looks
    ):
        emulator.set_switches(registration_key_finds="oldest", duplicate="second_record")
        put_on("person0@example.org", status="canceled")

        for run, outcome in ((RUN, "enrolled"), (NEXT_RUN, "already_enrolled"), (OTHER_DAG, "already_enrolled")):
            report = register_all(people(1), as_run=run, settle_after=0.3)
            assert report.counts == {outcome: 1}
            assert links(report) == live_links()

        assert sent() == ["crm 0"]
        assert looks()["filter"]

    def test_cancelled_registration_proves_nothing_where_no_other_way_is_open(
        self, register_all, emulator, put_on, sent, live, live_links
    ):
        emulator.set_switches(
            registration_key_finds="oldest",
            registration_filter="refused",
            application_may_list_registrations=False,
            duplicate="second_record",
        )
        put_on("person0@example.org", status="canceled")
        emulator.add_fault(REGISTRATIONS, omit=True, when="after")

        for run in (RUN, RUN, NEXT_RUN):
            report = register_all(people(1), as_run=run, settle_after=0.1)
            assert report.counts == {"unknown": 1}
            assert "a cancelled registration, which may hide a newer one" in report.complaint()
            time.sleep(0.15)

        assert sent() == ["crm 0"]
        assert len(live()) == 1
        emulator.set_switches(application_may_list_registrations=True)
        assert links(register_all(people(1), as_run=NEXT_RUN)) == live_links()

    def test_person_cancelled_and_registered_anew_in_between_is_found(self, find, emulator, put_on):
        first = put_on("person1@example.org")
        assert find([person(1)])
        emulator.store.webinars.cancel(emulator.webinar_id, first.id)
        second = put_on("person1@example.org")

        (found,) = find([person(1)])["person1@example.org"]

        assert found.join_web_url == second.join_web_url


class TestNobodyIsFound:
    """The list is refused, and looking people up says of everybody that they are not there: it proves nothing."""

    @pytest.fixture(autouse=True)
    def blind(self, emulator):
        emulator.set_switches(
            application_may_list_registrations=False,
            registration_filter="refused",
            registration_key_finds="nobody",
            duplicate="second_record",
        )

    @pytest.mark.parametrize("is_lost", [True, False], ids=["answer lost", "taken"])
    def test_nobody_who_was_sent_is_sent_again(self, is_lost, register_all, emulator, sent, live_links):
        if is_lost:
            emulator.add_fault(REGISTRATIONS, omit=True, when="after", times=2)

        for run in (RUN, RUN, NEXT_RUN):
            report = register_all(people(2), as_run=run, settle_after=0.1)
            assert report.counts == {"unknown": 2}
            time.sleep(0.15)

        assert Counter(sent()) == {"crm 0": 1, "crm 1": 1}
        assert "VirtualEvent.Read.Chat" in report.complaint()
        assert "example.org" not in report.complaint()
        emulator.set_switches(application_may_list_registrations=True)
        assert links(register_all(people(2), as_run=NEXT_RUN)) == live_links()

    @pytest.mark.parametrize("status", ["waitlisted", "pendingApproval", "registered"])
    def test_whoever_was_on_it_is_not_sent_again(
        self, status, register_all, emulator, sent, open_ledger, live, open_event
    ):
        emulator.set_switches(application_may_list_registrations=True, new_registration_status=status)
        register_all(people(1), ledger=open_ledger(RUN, store_join_urls=False))
        emulator.set_switches(application_may_list_registrations=False)

        for run in (RUN, NEXT_RUN):
            report = register_all(people(1), ledger=open_ledger(run, store_join_urls=False))
            assert report.counts == {"unknown": 1}

        assert len(sent()) == len(live()) == 1

    def test_whoever_was_on_it_by_others_is_not_sent(self, register_all, emulator, sent, put_on):
        put_on("person0@example.org")
        emulator.set_switches(application_may_list_registrations=True, application_may_read_registration_sessions=False)
        assert register_all(people(1)).counts == {"already_enrolled": 1}
        emulator.set_switches(application_may_list_registrations=False)

        assert register_all(people(1), as_run=NEXT_RUN).counts == {"unknown": 1}
        assert sent() == []

    def test_filter_that_answers_404_is_no_way_of_looking(self, register_all, emulator, sent):
        emulator.set_switches(registration_key=False)
        emulator.add_fault("GET registrations", status=404, code="NotFound", times=0)

        with pytest.raises(SettingsError, match="does not let this connection read the webinar's registrations"):
            register_all(people(2))

        assert sent() == []

    def test_one_who_is_found_proves_who_is_not(self, register_all, emulator, sent, live_links):
        emulator.set_switches(registration_key_finds="active")
        emulator.add_fault(REGISTRATIONS, registrant_id="crm 1", omit=True)

        report = register_all(people(3), settle_after=0.1)

        assert report.counts == {"enrolled": 3}
        assert links(report) == live_links()
        assert Counter(sent()) == {"crm 0": 1, "crm 1": 2, "crm 2": 1}

    def test_one_whom_the_ledger_knows_proves_who_is_not(self, register_all, emulator, sent, live_links, looks):
        emulator.set_switches(registration_key_finds="active")
        assert register_all(people(2)).counts == {"enrolled": 2}
        emulator.add_fault(REGISTRATIONS, registrant_id="crm 2", omit=True)
        stop = threading.Event()
        threading.Timer(0.3, stop.set).start()
        assert register_all([person(2)], stop=stop, settle_after=60).counts == {"unknown": 1}
        emulator.clear_journal()

        report = register_all(people(3), settle_after=0.1)

        assert report.counts == {"enrolled": 3}
        assert links(report) == live_links()
        assert sent() == ["crm 2"]
        assert looks()["key"] >= 4


@pytest.mark.parametrize("number", [3, 25])
def test_late_registrations_are_waited_for(number, register_all, emulator, live_links, sent):
    emulator.set_switches(visibility_lag=0.5)

    report = register_all(people(number), settle_after=5)

    assert report.counts == {"enrolled": number}
    assert links(report) == live_links()
    assert len(sent()) == number


def test_registration_that_never_shows_is_unknown_and_not_sent_again(register_all, emulator, sent, live_links):
    emulator.set_switches(visibility_lag=60)

    report = register_all(people(2), settle_after=0.3)

    assert report.counts == {"unknown": 2}
    assert "does not show it yet" in report.rows()[0]["error"]
    assert len(sent()) == 2
    emulator.set_switches(visibility_lag=0)
    again = register_all(people(2), as_run=NEXT_RUN)
    assert again.counts == {"enrolled": 2}
    assert links(again) == live_links()
    assert len(sent()) == 2


@pytest.mark.parametrize("when", ["left unknown", "stopped", "killed"])
def test_person_whom_the_service_took_is_not_sent_again_by_any_later_attempt(
    when, register_all, emulator, sent, live_links, open_event, open_ledger, monkeypatch
):
    emulator.set_switches(visibility_lag=60, duplicate="second_record")
    event, ledger = open_event(), open_ledger(RUN)
    find = event.find

    def aborted_by(*_):
        raise RuntimeError

    def find_at_first_only(registrants, control=None):
        if not sent() or when == "left unknown":
            return find(registrants, control)
        if when == "killed":
            monkeypatch.setattr(ledger, "write", aborted_by)
        return aborted_by()

    monkeypatch.setattr(event, "find", find_at_first_only)
    assert register_all(people(2), on=event, ledger=ledger, settle_after=0.1).counts == {"unknown": 2}
    assert len(sent()) == 2

    for run in (RUN, RUN, NEXT_RUN):
        time.sleep(0.15)
        report = register_all(people(2), as_run=run, settle_after=0.1)
        assert report.counts == {"unknown": 2}
        assert "does not show it yet" in report.rows()[0]["error"]

    assert len(sent()) == 2
    emulator.set_switches(visibility_lag=0)
    assert links(register_all(people(2), as_run=NEXT_RUN)) == live_links()


def test_withheld_links_leave_the_enrollment_good_and_name_the_permission(register_all, emulator, live):
    emulator.set_switches(application_may_read_registration_sessions=False)
    for run in (RUN, RUN, NEXT_RUN):
        report = register_all(people(3), as_run=run)

        assert report.counts == {"enrolled": 3}
        assert (report.links_missing, report.links_withheld, report.refused) == (0, 3, 0)
        assert report.sentence().endswith("3 enrolled (3 of them without a link)")
        ((reason, count),) = report.summary()["reasons"].items()
        assert ("VirtualEvent.Read.Chat" in reason, count) == (True, 3)
        for one in report.enrollments:
            assert (one.join_web_url, one.is_link_missing) == (None, False)
            assert "VirtualEvent.Read.Chat" in one.error
    assert len(live()) == 3
    emulator.set_switches(application_may_read_registration_sessions=True)
    for run, outcome in ((NEXT_RUN, "enrolled"), (NEXT_RUN, "enrolled"), (RUN, "already_enrolled")):
        report = register_all(people(3), as_run=run)

        assert (report.counts, report.links_withheld) == ({outcome: 3}, 0)
        assert all(links(report).values())


def test_link_that_was_handed_out_and_not_kept_is_new_to_nobody_once_it_can_be_read_again(
    register_all, open_ledger, emulator
):
    def register(run=RUN):
        return register_all(people(2), as_run=run, ledger=open_ledger(run, store_join_urls=False))

    assert all(links(register()).values())
    emulator.set_switches(application_may_read_registration_sessions=False)
    assert register().links_withheld == 2

    emulator.set_switches(application_may_read_registration_sessions=True)

    report = register(NEXT_RUN)
    assert report.counts == {"already_enrolled": 2}
    assert all(links(report).values())


@pytest.mark.parametrize("policy", list(OnMissingJoinUrl))
@pytest.mark.parametrize("is_there", [False, True], ids=["ours", "somebody else's"])
def test_link_that_stays_refused_is_reported_with_the_reason_as_the_policy_says(
    policy, is_there, register_all, emulator, put_on, live
):
    emulator.add_fault("GET sessions", times=0, status=404, code="NotFound", message="No such session.")
    if is_there:
        put_on("person0@example.org")

    for run in (RUN, NEXT_RUN):
        report = register_all(people(1), as_run=run, settle_after=0.2, on_missing_join_url=policy)

        assert report.links_missing == (policy is not OnMissingJoinUrl.IGNORE)
        (one,) = report.rows()
        assert one["outcome"] in ("enrolled", "already_enrolled")
        assert one["error"] == "registered, but the link cannot be read: 404 NotFound: No such session."
    assert len(live()) == 1
    emulator.clear_faults()
    assert all(links(register_all(people(1))).values())


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("registered", "enrolled"),
        ("waitlisted", "waitlisted"),
        ("pendingApproval", "pending_approval"),
        ("rejectedByOrganizer", "declined"),
        ("beamedUp", "unknown"),
    ],
)
def test_status_is_an_outcome_and_only_registered_people_have_a_link(
    status, outcome, register_all, emulator, live, sent
):
    emulator.set_switches(new_registration_status=status)
    for run in (RUN, RUN, NEXT_RUN):
        report = register_all(people(2), as_run=run, settle_after=0.2)

        if (outcome, run) == ("enrolled", NEXT_RUN):
            assert report.counts == {"already_enrolled": 2}
        else:
            assert report.counts == {outcome: 2}
        assert all(bool(row["join_web_url"]) == (status == "registered") for row in report.rows())
        assert report.links_missing == 0
        assert (report.rows()[0]["error"] is None) == (status != "beamedUp")
    assert len(live()) == 2
    assert len(sent()) == 2


def test_people_registered_by_others_keep_their_registration_and_their_link_is_read(
    register_all, put_on, live_links, sent
):
    for row, status in zip(people(3), ["registered", "waitlisted", "pendingApproval"], strict=True):
        put_on(row["email"], status=status)

    report = register_all(people(4))

    assert report.counts == {"already_enrolled": 1, "waitlisted": 1, "pending_approval": 1, "enrolled": 1}
    assert sent() == ["crm 3"]
    assert all(row["join_web_url"] for row in (report.rows()[0], report.rows()[3]))


def test_person_cancelled_earlier_is_registered_anew(register_all, put_on, emulator, live_links):
    gone = put_on("person0@example.org", status="canceled")

    report = register_all(people(2))

    assert report.counts == {"enrolled": 2}
    assert links(report) == live_links()
    assert gone in emulator.store.webinars.registrations(emulator.webinar_id)


def test_person_who_is_cancelled_as_soon_as_they_are_registered_stays_unknown_and_is_not_sent_again(
    register_all, emulator, sent
):
    emulator.set_switches(new_registration_status="canceled")
    assert register_all(people(2), settle_after=0.2).counts == {"unknown": 2}
    assert len(sent()) == 2
    emulator.set_switches(new_registration_status="")

    # The cancelled record may be an older one, and theirs not show yet.
    assert register_all(people(2), as_run=NEXT_RUN, settle_after=0.2).counts == {"unknown": 2}
    assert len(sent()) == 2


def test_person_on_the_waitlist_whom_the_organizer_cancelled_is_registered_anew(
    register_all, emulator, live, live_links
):
    emulator.set_switches(new_registration_status="waitlisted")
    assert register_all(people(1)).counts == {"waitlisted": 1}
    (waiting,) = live().values()
    emulator.store.webinars.cancel(emulator.webinar_id, waiting.id)
    emulator.set_switches(new_registration_status="")

    report = register_all(people(1), as_run=NEXT_RUN)

    assert report.counts == {"enrolled": 1}
    assert links(report) == live_links()


LOST = {
    "dropped": {"route": "POST $batch", "drop": True},
    "503": {"route": "POST $batch", "status": 503},
    "half an answer": {"route": "POST $batch", "half": True},
    "left out": {"route": REGISTRATIONS, "registrant_id": "crm 1", "omit": True},
}


@every_duplicate
@pytest.mark.parametrize(
    ("how", "lag"), [*[(how, 0) for how in LOST], ("dropped", 0.15), ("left out", 0.15)], ids=lambda value: str(value)
)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.usefixtures("no_backoff")
def test_lost_answer_leaves_everybody_registered_once_with_their_own_link(
    duplicate, lag, how, when, register_all, emulator, live_links, sent, open_event
):
    emulator.set_switches(duplicate=duplicate, visibility_lag=lag)
    fault = LOST[how]
    # More than one fits the list: the first batch is the registering.
    rows = people(21) if fault["route"] == "POST $batch" else people(5)
    emulator.add_fault(**{**fault, "when": when})

    report = register_all(rows, settle_after=0.35 if lag else 0.05)

    assert report.counts == {"enrolled": len(rows)}
    assert links(report) == live_links()
    assert set(links(report)) == set(emails(rows))
    asked = Counter(sent())
    assert all(asked[row["id"]] <= 1 + (when == "before") for row in rows)


@every_duplicate
def test_answers_lost_twice_in_a_row_leave_everybody_registered_once(duplicate, register_all, emulator, live_links):
    emulator.set_switches(duplicate=duplicate)
    emulator.add_fault(REGISTRATIONS, registrant_id="crm 0", omit=True, when="after", times=2)
    emulator.add_fault(REGISTRATIONS, registrant_id="crm 1", status=503, when="before", times=2)

    report = register_all(people(5), settle_after=0.05)

    assert report.counts == {"enrolled": 5}
    assert links(report) == live_links()


@every_duplicate
def test_person_whom_somebody_else_registers_after_we_looked_is_there_once(
    duplicate, register_all, emulator, open_event, put_on, monkeypatch
):
    emulator.set_switches(duplicate=duplicate, visibility_lag=0.2)
    event = open_event()
    enroll = event.enroll

    def overtaken(registrants):
        put_on("person1@example.org")
        monkeypatch.undo()
        return enroll(registrants)

    monkeypatch.setattr(event, "enroll", overtaken)

    report = register_all(people(3), on=event, settle_after=0.6)

    assert all(links(report)[email] for email in ("person0@example.org", "person2@example.org"))
    theirs = report.enrollments[1]
    is_refused = duplicate in ("conflict", "bad_request")
    assert theirs.outcome is (Outcome.ALREADY_ENROLLED if is_refused else Outcome.ENROLLED)
    assert theirs.join_web_url


def test_row_that_the_service_does_not_like_is_not_waited_for_as_long_as_a_lost_answer(register_all, emulator, sent):
    emulator.add_fault(REGISTRATIONS, registrant_id="crm 1", status=400, code="Odd")
    began = time.monotonic()

    report = register_all(people(2), settle_after=60)

    assert report.counts == {"enrolled": 1, "rejected": 1}
    assert "400 Odd" in report.rows()[1]["error"]
    assert time.monotonic() - began < 10
    assert len(sent()) == 2


@every_duplicate
@pytest.mark.parametrize(
    ("again", "outcome"), [(RUN, "enrolled"), (NEXT_RUN, "already_enrolled"), (OTHER_DAG, "already_enrolled")]
)
def test_re_run_writes_nothing_and_hands_out_the_links_of_the_ledger(
    duplicate, again, outcome, register_all, emulator, live_links, looks
):
    emulator.set_switches(duplicate=duplicate)
    first = register_all(people(30))
    emulator.clear_journal()

    report = register_all(people(30), as_run=again)

    assert report.counts == {outcome: 30}
    assert links(report) == links(first) == live_links()
    assert writes(emulator) == []
    assert not looks()


def test_ledger_that_keeps_no_links_reads_them_again(register_all, open_ledger, live_links, sent):
    runs = [(RUN, "enrolled"), (RUN, "enrolled"), (NEXT_RUN, "already_enrolled"), (OTHER_DAG, "already_enrolled")]
    for run, outcome in runs:
        report = register_all(people(3), ledger=open_ledger(run, store_join_urls=False))

        assert report.counts == {outcome: 3}
        assert links(report) == live_links()
        assert report.refused == report.links_missing == 0
    assert len(sent()) == 3


def test_those_promoted_from_the_waitlist_are_enrolled_with_a_link_by_the_next_run(
    register_all, open_event, emulator, live, sent
):
    webinar_id, rows = emulator.waitlist_webinar_id, people(5)
    first = register_all(rows, on=open_event(webinar_id), max_parallel_requests=1)
    assert first.counts == {"enrolled": 3, "waitlisted": 2}
    promoted = live(webinar_id)[emails(rows)[4]]
    emulator.store.webinars.promote(webinar_id, promoted.id)

    report = register_all(rows, on=open_event(webinar_id), as_run=NEXT_RUN)

    assert report.counts == {"already_enrolled": 3, "waitlisted": 1, "enrolled": 1}
    assert report.enrollments[4].outcome is Outcome.ENROLLED
    assert links(report)[emails(rows)[4]] == live(webinar_id)[emails(rows)[4]].join_web_url
    assert report.enrollments[3].join_web_url is None
    assert len(sent()) == 5


def test_approval_decides(register_all, open_event, emulator, live):
    webinar_id, webinars = emulator.approval_webinar_id, emulator.store.webinars
    assert register_all(people(3), on=open_event(webinar_id)).counts == {"pending_approval": 3}
    webinars.approve(webinar_id, live(webinar_id)["person0@example.org"].id)
    webinars.reject(webinar_id, live(webinar_id)["person1@example.org"].id)

    report = register_all(people(3), on=open_event(webinar_id), as_run=NEXT_RUN)

    assert [one.outcome.value for one in report.enrollments] == ["enrolled", "declined", "pending_approval"]
    assert [bool(one.join_web_url) for one in report.enrollments] == [True, False, False]


@pytest.mark.parametrize("status", ["draft", "canceled"])
def test_webinar_that_takes_nobody_is_refused(status, register_all, open_event, emulator, sent):
    webinar_id = emulator.draft_webinar_id if status == "draft" else emulator.canceled_webinar_id
    with pytest.raises(SettingsError, match=f"The webinar is {status}, not published"):
        register_all(people(1), on=open_event(webinar_id))
    assert sent() == []


@pytest.mark.parametrize("event_full", ["bad_request", "conflict", "forbidden"])
def test_full_webinar_rejects_those_beyond_its_capacity(event_full, register_all, open_event, emulator, live):
    emulator.set_switches(event_full=event_full)
    webinar_id = emulator.small_webinar_id

    report = register_all(people(5), on=open_event(webinar_id), settle_after=0.3)

    assert report.counts == {"enrolled": 3, "rejected": 2}
    assert len(live(webinar_id)) == 3
    assert "has reached its capacity of 3" in report.complaint()
    assert {one.join_web_url is None for one in report.enrollments if one.outcome is Outcome.REJECTED} == {True}


def test_questions_are_read_once_and_bad_rows_are_refused_before_anything_is_sent(
    register_all, open_event, emulator, live, sent
):
    webinar_id = emulator.questions_webinar_id
    good = {"Who told you of us?": "Bob", "q-single-choice": "data", "Which days?": "Monday;Friday", "Job title": "CTO"}
    rows = [
        person(0, **good),
        person(1),
        person(2, **{**good, "q-single-choice": "neither"}),
        person(3, **good, answers={"Shoe size?": 42}),
        person(4, **good, preferred_timezone="Europe/Rom"),
        {**person(5, **good), "id": "x" * 257},
        {**person(6, **good), "email": "nobody"},
    ]

    report = register_all(rows, on=open_event(webinar_id))

    assert report.counts == {"enrolled": 1, "invalid": 6}
    assert sent() == ["crm 0"]
    (made,) = live(webinar_id).values()
    assert made.preferred_timezone == "W. Europe Standard Time"
    assert {answer["questionId"] for answer in made.answers} == {
        "q-text",
        "q-single-choice",
        "q-multi-choice",
        "q-job-title",
    }
    asked = [entry for entry in emulator.store.journal if entry.path.endswith("/questions")]
    assert len(asked) == 1


def test_signed_in_user_registers_themselves(register_all, open_event, emulator, delegated_session, live):
    rows = [{"email": "organizer@emulator.example"}]

    report = register_all(rows, on=open_event(session=delegated_session))

    assert report.counts == {"enrolled": 1}
    (made,) = live().values()
    assert made.user_id == emulator.organizer_id
    assert links(report) == {"organizer@emulator.example": made.join_web_url}
    assert register_all(rows, on=open_event(session=delegated_session)).counts == {"enrolled": 1}


@pytest.mark.parametrize("lag", [0, 0.3])
def test_signed_in_user_needs_no_look_up(lag, register_all, open_event, emulator, delegated_session, looks, live_links):
    emulator.set_switches(registration_key=False, visibility_lag=lag)
    rows = [{"email": "organizer@emulator.example"}]

    report = register_all(rows, on=open_event(session=delegated_session))

    assert report.counts == {"enrolled": 1}
    assert links(report) == live_links()
    assert looks()["id"] >= 1


@pytest.mark.parametrize("duplicate", ["same", "new_link", "second_record"])
def test_signed_in_user_who_is_on_it_and_cannot_be_looked_up_gets_the_link_that_the_service_answers_with(
    duplicate, register_all, open_event, emulator, delegated_session, put_on
):
    emulator.set_switches(duplicate=duplicate, registration_key=False)
    put_on("organizer@emulator.example", user_id=emulator.organizer_id)

    report = register_all([{"email": "organizer@emulator.example"}], on=open_event(session=delegated_session))

    assert report.counts == {"enrolled": 1}
    *_, last = emulator.store.webinars.registrations(emulator.webinar_id)
    assert links(report) == {"organizer@emulator.example": last.join_web_url}


@pytest.mark.parametrize(
    ("default", "said"),
    [
        ({"preferred_timezone": "Europe/Rom"}, "The operator's preferred_timezone is no time zone"),
        ({"preferred_language": "English"}, "The operator's preferred_language is no language tag"),
    ],
)
def test_impossible_default_is_said_before_anything_is_asked(default, said, register_all, open_event, emulator):
    with pytest.raises(SettingsError, match=said):
        register_all(people(3), on=open_event(**default))
    assert emulator.store.journal == []


USER = {"email": "Organizer@emulator.example"}


@pytest.fixture
def register_as_user(register_all, open_event, delegated_session):
    """Enrolls people with a signed-in user."""
    return lambda rows, **options: register_all(rows, on=open_event(session=delegated_session), **options)


@pytest.mark.parametrize("rows", [[USER, *people(3)], [*people(3), USER], [USER, USER, *people(3)], people(3)])
def test_signed_in_user_registers_nobody_else(register_as_user, emulator, sent, live, rows):
    emulator.set_switches(duplicate="second_record")

    report = register_as_user(rows)

    assert {row["email"]: row["outcome"] for row in report.rows()} == {
        row["email"]: "enrolled" if row == USER else "invalid" for row in rows
    }
    assert "can register only themselves" in report.complaint()
    assert len(sent()) == len(live()) == (USER in rows)


@pytest.fixture
def nameless(emulator):
    """The user's token does not say what they sign in with."""
    emulator.set_switches(token_names_user=False, duplicate="second_record")


@pytest.mark.usefixtures("nameless")
def test_user_whose_token_says_no_name_takes_one_address(register_as_user, sent, live):
    report = register_as_user([USER, USER, *people(3)])

    assert report.counts == {"enrolled": 1, "invalid": 3}
    assert len(sent()) == len(live()) == 1


@pytest.mark.usefixtures("nameless")
@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"registration_key": False, "delegated_may_list_registrations": True},
        {"registration_key": False, "delegated_may_list_registrations": True, "registration_filter": "ignored"},
    ],
    ids=["by key", "by filter", "among all"],
)
def test_user_who_was_registered_for_somebody_else_is_not_registered_again(
    register_as_user, emulator, sent, live, put_on, switches
):
    emulator.set_switches(**switches)
    put_on("person9@example.org")

    first = register_as_user(people(3))
    again = [register_as_user(people(3), as_run=run) for run in (RUN, NEXT_RUN)]

    assert first.counts == {"rejected": 1, "invalid": 2}
    assert "Graph registered the user, and not the person of this row" in first.complaint()
    assert [report.counts for report in again] == [{"invalid": 3}] * 2
    assert len(sent()) == 1
    assert set(live()) == {"person9@example.org", "organizer@emulator.example"}


def test_user_may_be_registered_under_another_address_than_they_sign_in_with(register_as_user, monkeypatch, live_links):
    monkeypatch.setattr(
        "airflow_provider_teams_registration.emulator.entra.entra.ORGANIZER_EMAIL", "signs.in@emulator.example"
    )

    report = register_as_user([{"email": "signs.in@emulator.example"}])

    assert report.counts == {"enrolled": 1}
    assert list(links(report).values()) == list(live_links().values())


def test_address_in_two_cases_is_never_two_registrants(register_all, live):
    same = {"email": "ADA@example.org", "first_name": "Ada", "last_name": "Example"}

    report = register_all([same, {**same, "email": "ada@example.org"}, person(1), same])

    assert set(live()) <= {"ada@example.org", "person1@example.org"}
    assert report.counts == {"invalid": 2, "enrolled": 1}
    assert report.repeated == 1
    assert {row["error"] for row in report.rows() if row["outcome"] == "invalid"} == {
        "rows 1, 2 name the same registrant but differ"
    }


def test_refused_permission_is_named(register_all, emulator):
    emulator.set_switches(roles="VirtualEvent.Read.All")

    report = register_all(people(2))

    assert report.counts == {"rejected": 2}
    assert "VirtualEventRegistration-Anon.ReadWrite.All" in report.complaint()
    assert "OnlineMeetings" not in report.complaint()


def test_missing_access_policy_is_said_before_anybody_is_sent(register_all, emulator, sent):
    emulator.set_switches(application_access_policy=False)
    with pytest.raises(Forbidden, match="application access policy"):
        register_all(people(2))
    assert sent() == []


class TestPace:
    """The allowance for writes is per app, across everything."""

    def test_estimate_is_logged_beforehand(self, register_all, open_event, caplog):
        with caplog.at_level(logging.INFO):
            register_all(people(16), on=open_event(limit=15, window=0.6))
        first = next(record for record in caplog.records if "write quota" in record.getMessage())
        assert first.getMessage() == "16 registrants will take about 0:00:01, because of the write quota for webinars."

    def test_list_that_the_allowance_does_not_slow_needs_no_words(self, register_all, open_event, caplog):
        with caplog.at_level(logging.INFO):
            register_all(people(3), on=open_event(limit=15, window=30))
        assert "write quota" not in caplog.text

    def test_own_pace_causes_no_429_and_uses_the_allowance(self, register_all, open_event, emulator, live_links):
        emulator.set_switches(write_limit=15, write_window=1, latency=0.02)

        report = register_all(people(60), on=open_event(limit=15, window=1))

        assert report.counts == {"enrolled": 60}
        assert links(report) == live_links()
        made = [entry for entry in emulator.store.journal if entry.path.endswith("/registrations")]
        assert {entry.status for entry in made} <= {200, 204}
        at = [entry.at for entry in made if entry.method == "POST"]
        assert len(at) == 60
        assert at[-1] - at[0] < 3 + 1

    @pytest.mark.usefixtures("no_backoff")
    def test_two_sessions_that_share_the_app_meet_429_and_lose_nobody(
        self, register_all, open_event, open_session, settings, emulator, live_links
    ):
        emulator.set_switches(write_limit=15, write_window=0.4)
        ready = threading.Barrier(2)

        def run(as_run, rows, session):
            ready.wait()
            return register_all(rows, on=open_event(session=session, limit=15, window=0.4), as_run=as_run)

        rows = people(60)
        sessions = [open_session(settings), open_session(settings)]
        with ThreadPoolExecutor(2) as threads:
            one, other = threads.map(run, [RUN, OTHER_DAG], [rows[:30], rows[30:]], sessions)

        assert one.counts == other.counts == {"enrolled": 30}
        assert {**links(one), **links(other)} == live_links()
        assert len(live_links()) == 60
        assert 429 in {entry.status for entry in emulator.store.journal}

    def test_throttled_people_are_sent_again(self, register_all, emulator, live_links, sent):
        emulator.add_fault(REGISTRATIONS, nth=3, times=2, status=429, retry_after="0")

        report = register_all(people(5))

        assert report.counts == {"enrolled": 5}
        assert links(report) == live_links()
        assert len(sent()) == 7

    def test_more_patience_than_there_is_postpones(self, register_all, emulator):
        emulator.add_fault(REGISTRATIONS, times=0, status=429, retry_after="1000")

        report = register_all(people(2))

        assert report.counts == {"not_sent": 2}
        assert isinstance(report.aborted_by, DeferRequested)
        assert report.aborted_by.seconds == 1000


SPELLINGS_OF_A_MAILBOX = [
    "ünï@exämple.org",
    "u\u0308ni\u0308@EXÄMPLE.org",
    '"ünï@xn--exmple-cua.org"',
    "mailto:Ünï@exämple.org\u200b",
]


@pytest.mark.parametrize("many", [0, 30], ids=["looked up", "listed"])
@pytest.mark.parametrize("spelling", SPELLINGS_OF_A_MAILBOX)
def test_mailbox_has_one_seat_in_whatever_spelling_it_comes(spelling, many, register_all, open_event, sent):
    one = person("", email=SPELLINGS_OF_A_MAILBOX[0])
    assert register_all([one, *people(many)]).counts == {"enrolled": 1 + many}

    report = register_all([{**one, "email": spelling}, *people(many)], as_run=OTHER_DAG)

    assert report.counts == {"already_enrolled": 1 + many}
    assert len(sent()) == 1 + many


def test_mailbox_in_several_spellings_in_one_list_is_a_contradiction(register_all, sent):
    report = register_all([person(1, email=spelling) for spelling in SPELLINGS_OF_A_MAILBOX] + [person(2)])

    assert report.counts == {"enrolled": 1, "invalid": 4}
    assert sent() == ["crm 2"]


def test_person_whom_the_service_lists_in_another_spelling_is_on_it(register_all, put_on, sent):
    put_on(" UNÏ@xn--exmple-cua.org")

    report = register_all([person("", email="unï@exämple.org"), *people(30)])

    assert report.counts == {"already_enrolled": 1, "enrolled": 30}
    assert sorted(sent()) == sorted(f"crm {number}" for number in range(30))
