"""The rules of JSON batching."""

import pytest


def statuses(answer):
    assert answer.status_code == 200
    return {item["id"]: item["status"] for item in answer.json()["responses"]}


def test_twenty_items_are_answered_in_any_order(application, emulator):
    ids = [str(number) for number in range(20)]

    answer = application.batch(*(application.item(each, f"p{each}") for each in ids))

    in_order = [item["id"] for item in answer.json()["responses"]]
    assert in_order != ids
    assert sorted(in_order) == sorted(ids)
    assert len({item["body"]["joinWebUrl"] for item in answer.json()["responses"]}) == 20
    assert all(item["body"]["id"] == f"p{item['id']}" for item in answer.json()["responses"])


def test_twenty_one_items_are_refused_as_a_whole(application, emulator):
    answer = application.batch(*(application.item(str(number), f"p{number}") for number in range(21)))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert emulator.store.enrolled(emulator.meeting_id) == []


@pytest.mark.parametrize(("first", "second"), [("1", "1"), ("a", "A")])
def test_ids_that_differ_at_most_in_case_are_refused_as_a_whole(application, emulator, first, second):
    answer = application.batch(application.item(first, "p1"), application.item(second, "p2"))

    assert answer.status_code == 400
    assert emulator.store.enrolled(emulator.meeting_id) == []


@pytest.mark.parametrize(
    "broken",
    [
        "nonsense",
        {"id": ""},
        {"id": 1},
        {"id": None},
        {"method": None},
        {"url": 5},
        {"headers": "Content-Type"},
        {"url": "/$batch"},
    ],
)
def test_malformed_item_spoils_the_batch(application, emulator, broken):
    item = application.item("1", "p1", **broken) if isinstance(broken, dict) else broken

    assert application.batch(item, application.item("2", "p2")).status_code == 400
    assert emulator.store.enrolled(emulator.meeting_id) == []


@pytest.mark.parametrize("body", [None, [], {}, {"requests": {}}, {"requests": None}])
def test_malformed_batch_is_refused(application, body):
    assert application.send("POST", "/$batch", json=body).status_code == 400


def test_body_without_content_type_fails_its_item_only(application, emulator):
    answer = application.batch(application.item("1", "p1", headers={}), application.item("2", "p2"))

    assert statuses(answer) == {"1": 400, "2": 200}
    assert [entry.status for entry in emulator.store.journal] == [400, 200, 200]


def test_headers_of_an_item_have_any_case(application):
    headers = {"CONTENT-type": "application/json"}

    assert statuses(application.batch(application.item("1", "p", headers=headers))) == {"1": 200}


def test_item_that_depends_on_a_failed_one_fails_with_424(application, emulator):
    emulator.add_fault("POST registrants", registrant_id="p1", status=400)

    answer = application.batch(
        application.item("A", "p1"),
        application.item("b", "p2", dependsOn=["a"]),
        application.item("c", "p3", dependsOn=["B"]),
        application.item("d", "p4"),
        application.item("e", "p5", dependsOn=["D"]),
        application.item("f", "p6", dependsOn=["nobody"]),
    )

    assert statuses(answer) == {"A": 400, "b": 424, "c": 424, "d": 200, "e": 200, "f": 424}
    assert {record.id for record in emulator.store.enrolled(emulator.meeting_id)} == {"p4", "p5"}


def test_items_have_ids_of_their_own(application, emulator):
    asked = {"Content-Type": "application/json", "client-request-id": "mine"}
    emulator.add_fault("POST registrants", status=400)

    answer = application.send(
        "POST",
        "/$batch",
        headers={"client-request-id": "outer"},
        json={"requests": [application.item("1", "p1", headers=asked), application.item("2", "p2")]},
    )

    items = {item["id"]: item for item in answer.json()["responses"]}
    assert answer.headers["client-request-id"] == "outer"
    assert items["1"]["headers"]["client-request-id"] == "mine"
    assert items["1"]["body"]["error"]["innerError"]["client-request-id"] == "mine"
    assert items["2"]["headers"]["client-request-id"] == items["2"]["headers"]["request-id"]
    ids = {answer.headers["request-id"], *(item["headers"]["request-id"] for item in items.values())}
    assert len(ids) == 3
    assert {entry.request_id for entry in emulator.store.journal} == ids
    assert [entry.batch for entry in emulator.store.journal] == [answer.headers["request-id"]] * 2 + [None]


def test_items_read_write_and_fail_side_by_side(application):
    application.enroll("gone")

    answer = application.batch(
        {"id": "read", "method": "GET", "url": f"{application.registrants}?$top=5"},
        {"id": "cancel", "method": "delete", "url": f"{application.registrants}/gone"},
        {"id": "relative", "method": "GET", "url": application.registration.lstrip("/")},
        {"id": "unknown", "method": "GET", "url": "/me/nonsense"},
        {"id": "versioned", "method": "GET", "url": f"/beta{application.registration}"},
    )

    assert statuses(answer) == {"read": 200, "cancel": 204, "relative": 200, "unknown": 400, "versioned": 400}
    items = {item["id"]: item for item in answer.json()["responses"]}
    assert "body" not in items["cancel"]
    assert items["read"]["headers"]["Content-Type"] == "application/json"


def test_batch_of_v1_has_no_registration(application):
    item = {"id": "1", "method": "GET", "url": application.registration}

    answer = application.send("POST", "/$batch", "v1.0", json={"requests": [item]})

    assert statuses(answer) == {"1": 400}


def test_batch_is_only_posted(application):
    assert application.send("GET", "/$batch").status_code == 405


def test_batch_wants_a_token(http, emulator):
    assert http.post(f"{emulator.url}/beta/$batch", json={"requests": []}, timeout=10).status_code == 401
