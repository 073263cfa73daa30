"""How a row of people to cancel names a registrant of a webinar."""

import pytest

from airflow_provider_teams_registration.core.record import TaskRun
from tests.emulated.enrollment.cancelling import OnWebinar


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
    assert "VirtualEventRegistration-Anon.ReadWrite.Chat" in report.error_summary()
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
    assert "VirtualEvent.Read.Chat" in report.error_summary()
    assert on_webinar.on_it() == ["crm 1"]


def test_id_that_nobody_registered_with_says_how_else_to_name_them(on_webinar, cancel_all):
    report = cancel_all(on_webinar, ["nobody"])

    assert report.counts == {"invalid": 1}
    assert "Give the e-mail address instead" in report.error_summary()


def test_address_that_is_none_is_not_repeated(on_webinar, cancel_all):
    report = cancel_all(on_webinar, [{"email": "a secret"}, {"email": 7}])

    assert report.counts == {"invalid": 2}
    assert "a secret" not in report.error_summary()
