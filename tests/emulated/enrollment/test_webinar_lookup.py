"""Finding a webinar's registrations by address: Graph may support any of the strategies."""

import threading
import time
from collections import Counter

import pytest

from airflow_provider_teams_registration.events.webinar.lookup import RegistrationLookup
from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.graph.webinar import Webinar
from tests.emulated.enrollment.webinar_people import NEXT_RUN, OTHER_DAG, REGISTRATIONS, RUN, links, people, person


class TestLookupStrategies:
    """Each strategy that finds a registration, alone and after another one has failed."""

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
    def test_every_strategy_alone_leads_to_all_links_and_is_remembered(
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
    def test_every_strategy_serves_many(self, switches, register_all, emulator, live_links):
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
        # The list and the filter share this address. The list is tried first, so the fault meets it.
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
        assert "example.org" not in report.error_summary()
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
        # The list and the filter share this address. The filter is tried first, so the fault meets it.
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
            assert "a cancelled registration, which may hide a newer one" in report.error_summary()
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
        assert "VirtualEvent.Read.Chat" in report.error_summary()
        assert "example.org" not in report.error_summary()
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


@pytest.mark.parametrize("filtering", ["works", "refused"])
def test_registration_that_is_certainly_cancelled_hides_no_other_where_a_read_is_out_of_date(
    filtering, emulator, graph_session, put_on
):
    emulator.set_switches(registration_key=False, registration_filter=filtering, duplicate="second_record")
    first, second = put_on("ada@example.org"), put_on("ada@example.org")

    lookup = RegistrationLookup(Webinar(graph_session, emulator.webinar_id), off={first.id})

    assert lookup.find(["ada@example.org"]).found["ada@example.org"].id == second.id
