"""Taking people off an event."""

from collections import Counter

import pytest

from airflow_provider_teams_registration.graph.webinar import Webinar
from tests.emulated.enrollment.cancelling import OnWebinar, people, person


@pytest.mark.parametrize("as_dicts", [True, False])
def test_people_are_taken_off_by_id_and_others_stay(as_dicts, stage, cancel_all):
    rows = [person(1), person(3)] if as_dicts else ["crm 1", "crm 3"]

    report = cancel_all(stage, rows)

    assert report.counts == {"cancelled": 2}
    assert stage.on_it() == ["crm 0", "crm 2", "crm 4"]
    assert [row["id"] for row in report.rows()] == ["crm 1", "crm 3"]
    assert {(row["join_web_url"], row["error"]) for row in report.rows()} == {(None, None)}


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
    assert "The event is over." in report.error_summary()
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
