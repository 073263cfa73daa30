"""Batches whose answers are disarranged, or that are refused whole because of one item."""

import pytest


def answers(response):
    return [(item["id"], item["body"]["id"]) for item in response.json()["responses"]]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("swap", [("1", "p2"), ("2", "p1"), ("3", "p3")]),
        ("rotate", [("1", "p2"), ("2", "p3"), ("3", "p1")]),
        ("same", [("1", "p1"), ("2", "p1"), ("3", "p1")]),
        ("reverse", [("3", "p3"), ("2", "p2"), ("1", "p1")]),
        ("repeat", [("1", "p1"), ("2", "p2"), ("3", "p3"), ("1", "p2"), ("2", "p3"), ("3", "p1")]),
    ],
)
def test_answers_of_a_batch_change_places(application, emulator, how, expected):
    emulator.add_fault("POST $batch", answers=how)

    response = application.batch(*(application.item(str(number), f"p{number}") for number in (1, 2, 3)))

    assert answers(response) == expected
    assert {one.id for one in emulator.store.enrolled(emulator.meeting_id)} == {"p1", "p2", "p3"}


@pytest.mark.parametrize("how", ["swap", "rotate", "same", "repeat", "reverse"])
def test_batch_of_one_item_has_its_answer(application, emulator, how):
    emulator.add_fault("POST $batch", answers=how)

    assert set(answers(application.batch(application.item("1", "p1")))) == {("1", "p1")}


def test_whole_batch_is_refused_because_of_one_item(application, emulator):
    emulator.add_fault("POST $batch", registrant_id="o'hara", status=403, body="<html>Blocked", times=0)

    with_it = application.batch(application.item("1", "p1"), application.item("2", "o'hara"))
    without_it = application.batch(application.item("1", "p1"), application.item("2", "p2"))

    assert (with_it.status_code, with_it.text) == (403, "<html>Blocked")
    assert without_it.status_code == 200
    assert {one.id for one in emulator.store.enrolled(emulator.meeting_id)} == {"p1", "p2"}


def test_only_bodies_change_places(application, emulator):
    emulator.add_fault("POST registrants", registrant_id="p2", status=403)
    emulator.add_fault("POST $batch", answers="swap")

    response = application.batch(application.item("1", "p1"), application.item("2", "p2"))

    shown = {item["id"]: (item["status"], "error" in item["body"]) for item in response.json()["responses"]}
    assert shown == {"1": (200, True), "2": (403, False)}


@pytest.mark.parametrize("name", ["crm-1", "Ada@example.org", "ada@example.org"])
def test_rule_about_somebody_strikes_every_batch_with_them(webinar, emulator, name):
    external = {"registrationId": "crm-1"}
    person = webinar.item("1", "Ada", externalRegistrationInformation=external)
    nobody = webinar.item("1", "bob")
    assert webinar.caller.batch(person).status_code == 200
    (one,) = webinar.listed()
    emulator.add_fault("POST $batch", registrant_id=name, status=400, times=0)

    def read(path):
        return {"id": "2", "method": "GET", "url": f"{webinar.path}/registrations{path}"}

    about_her = [
        person,
        read(f"/{one['id']}/sessions"),
        read("(email='ADA%40example.org')"),
        read("?$filter=email eq 'ada%40example.org'"),
    ]
    assert [webinar.caller.batch(nobody, item).status_code for item in about_her] == [400] * 4
    assert [one.first_name for one in emulator.store.webinars.registered(emulator.webinar_id)] == ["Ada"]
    assert webinar.caller.batch(nobody, read("?$filter=email eq 'bob%40example.org'")).status_code == 200


def test_look_up_of_one_person_is_lied_about(webinar, emulator):
    webinar.register("ada", externalRegistrationInformation={"registrationId": "crm-1"})
    webinar.register("bob")
    emulator.add_fault("GET registrations", registrant_id="ada@example.org", body='{"value": []}', times=0)

    assert webinar.listed("?$filter=email eq 'ada%40example.org'") == []
    assert len(webinar.listed("?$filter=email eq 'bob%40example.org'")) == 1
    assert len(webinar.listed()) == 2


def test_rule_for_batches_strikes_nothing_else(application, emulator):
    emulator.add_fault("* *", answers="same", times=0)

    response = application.batch(application.item("1", "p1"), application.item("2", "p2"))

    assert {shown for _, shown in answers(response)} == {"p1"}
    assert application.enroll("p3").json()["id"] == "p3"


def test_batch_with_an_address_that_is_none_is_refused(application, emulator):
    emulator.add_fault("POST $batch", registrant_id="p", status=503)

    assert application.batch(application.item("1", "p1", url="http://[")).status_code == 400
