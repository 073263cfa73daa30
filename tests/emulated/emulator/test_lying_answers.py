"""Answers that are not what was asked for: bodies, redirects, bytes that drip."""

import base64
import gc
import json
import time

import pytest
import requests

from airflow_provider_teams_registration.emulator.http.connections import DrippingResponse
from airflow_provider_teams_registration.emulator.server import Emulator

LISTED = "GET registration/registrants"
BODIES = {
    "HTML": "<html><body>Sign in to the network</body></html>",
    "empty": "",
    "empty object": "{}",
    "null for a value": '{"value": null}',
    "object for a value": '{"value": {}}',
    "null items": '{"value": [null, null]}',
    "half a JSON text": '{"value": [{"id": "p',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_body_is_answered_as_it_stands(application, emulator, body):
    emulator.add_fault(LISTED, body=body, content_type="text/html", headers={"X-Gateway": "proxy-7"})

    answer = application.send("GET", application.registrants)

    assert (answer.status_code, answer.text) == (200, body)
    assert (answer.headers["Content-Type"], answer.headers["X-Gateway"]) == ("text/html", "proxy-7")
    assert application.send("GET", application.registrants).json()["value"] == []


def test_bytes_are_answered_from_base64(application, emulator):
    emulator.add_fault(LISTED, body_base64=base64.b64encode(b"\xff\xfe\x00{").decode(), status=203)

    answer = application.send("GET", application.registrants)

    assert (answer.status_code, answer.content) == (203, b"\xff\xfe\x00{")


@pytest.mark.parametrize(("when", "enrolled"), [("before", 0), ("after", 1)])
def test_request_takes_effect_or_not_behind_a_body(application, emulator, when, enrolled):
    emulator.add_fault("POST registration/registrants", when=when, body="{}")

    assert application.enroll("p").json() == {}
    assert len(emulator.store.enrolled(emulator.meeting_id)) == enrolled


def test_item_of_a_batch_has_the_body_as_json_or_as_text(application, emulator):
    emulator.add_fault("POST registrants", when="after", registrant_id="p1", body='{"value": null}')
    emulator.add_fault("POST registrants", when="after", registrant_id="p2", body="<html>")

    answer = application.batch(application.item("1", "p1"), application.item("2", "p2"))

    assert {item["id"]: item["body"] for item in answer.json()["responses"]} == {"1": {"value": None}, "2": "<html>"}


@pytest.mark.parametrize(
    ("body", "shown"),
    [("[" * 5000, "[" * 5000), ("half of a pair: \ud800", "half of a pair: \ud800"), ("", "")],
    ids=["deep", "surrogate", "empty"],
)
def test_item_of_a_batch_has_any_text_for_a_body(application, emulator, body, shown):
    emulator.add_fault("POST registrants", body=body)

    (item,) = application.batch(application.item("1", "p1")).json()["responses"]

    assert (item["status"], item["body"]) == (200, shown)


def test_item_of_a_batch_has_the_headers_and_the_status_of_the_rule(application, emulator):
    headers = {"retry-after": "7", "Request-Id": "mine"}
    emulator.add_fault("POST registrants", status=503, body_base64="/wD/", content_type="image/gif", headers=headers)

    (item,) = application.batch(application.item("1", "p1")).json()["responses"]

    assert (item["status"], item["body"]) == (503, "/wD/")
    assert item["headers"].pop("client-request-id")
    assert item["headers"] == {"Content-Type": "image/gif", **headers}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/csv"}, 200),
        ({"Request-Id": "mine"}, 200),
        ({"www-authenticate": "Negotiate"}, 401),
        ({"date": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ({"LOCATION": "http://other.example/"}, 307),
        ({"retry-after": "never"}, 429),
    ],
)
def test_headers_of_a_rule_win_whatever_their_case(application, emulator, headers, status):
    usual = {"content_type": "text/html", "retry_after": "1"}
    emulator.add_fault(LISTED, headers=headers, status=status, body="{}", **usual)

    answer = application.send("GET", application.registrants, allow_redirects=False)

    assert answer.status_code == status
    # Two headers of one name would come joined.
    assert {name: answer.headers[name] for name in headers} == headers


def test_answer_says_when_it_was_made_and_when_to_come_again(application, emulator):
    emulator.add_fault(LISTED, body="<html>", retry_after="3")

    answer = application.send("GET", application.registrants)

    assert (answer.status_code, answer.headers["Retry-After"]) == (200, "3")
    assert answer.headers["Date"].endswith("GMT")


@pytest.mark.parametrize("status", [204, 304])
def test_answer_that_can_have_no_body_has_none(application, emulator, status):
    emulator.add_fault(LISTED, status=status, times=2)

    answers = [application.send("GET", application.registrants) for _ in range(2)]

    assert [(one.status_code, one.content) for one in answers] == [(status, b"")] * 2


def test_headers_alone_change_nothing_else(application, emulator):
    emulator.add_fault("POST registrants", headers={"X-Gateway": "proxy-7"}, content_type="text/html")

    answer = application.enroll("p")

    assert (answer.json()["id"], answer.headers["X-Gateway"]) == ("p", "proxy-7")
    assert answer.headers["Content-Type"] == "text/html"


def test_body_of_a_rule_breaks_off_half_way(application, emulator):
    emulator.add_fault(LISTED, body='{"value": []}', half=True, content_type="text/csv")

    answer = application.send("GET", application.registrants, stream=True)

    assert answer.headers["Content-Type"] == "text/csv"
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        answer.content  # noqa: B018 - reading it is what fails


def test_write_lands_after_a_body_of_a_rule(application, emulator):
    emulator.add_fault("POST registrants", lands_after=600, body="<html>", headers={"X-Gateway": "proxy-7"})

    answer = application.enroll("p")

    assert (answer.status_code, answer.text, answer.headers["X-Gateway"]) == (200, "<html>", "proxy-7")
    assert emulator.store.enrolled(emulator.meeting_id) == []
    emulator.store.delayed_writes.land_now()
    assert [one.id for one in emulator.store.enrolled(emulator.meeting_id)] == ["p"]


def test_body_of_a_rule_keeps_to_its_hits_its_delay_and_its_person(application, emulator):
    emulator.add_fault("POST registrants", registrant_id="p", nth=2, times=2, delay=0.1, body="<html>")

    began = time.monotonic()
    answers = [application.enroll(each).text for each in ("p", "q", "p", "q", "p", "p")]

    assert [number for number, text in enumerate(answers) if text == "<html>"] == [2, 4]
    assert time.monotonic() - began >= 0.2


def test_redirect_names_its_place(application, emulator):
    emulator.add_fault(LISTED, redirect="http://other.example/")
    emulator.add_fault(LISTED, nth=2, redirect="http://other.example/", status=302)

    answers = [application.send("GET", application.registrants, allow_redirects=False) for _ in range(2)]

    assert [one.status_code for one in answers] == [307, 302]
    assert {one.headers["Location"] for one in answers} == {"http://other.example/"}


def test_token_endpoint_redirects_and_lies_too(emulator):
    url = f"{emulator.url}/{emulator.tenant_id}/oauth2/v2.0/token"
    emulator.add_fault("POST token", redirect="http://other.example/")
    emulator.add_fault("POST token", nth=2, body="<html>")

    first, second = (requests.post(url, verify=emulator.ca_file, allow_redirects=False, timeout=5) for _ in range(2))

    assert (first.status_code, first.headers["Location"]) == (307, "http://other.example/")
    assert (second.status_code, second.text) == (200, "<html>")


@pytest.mark.parametrize("drips_head", [False, True], ids=["body", "head and body"])
def test_answer_drips_until_it_is_whole(application, emulator, drips_head):
    emulator.add_fault(LISTED, body='{"value": []}', drip=0.01, drips_head=drips_head)
    began = time.monotonic()

    answer = application.send("GET", application.registrants)

    assert answer.json() == {"value": []}
    assert time.monotonic() - began >= 0.1


def bearer(application):
    return {"Authorization": f"Bearer {application.token}"}


def dripping(application, emulator, **rule):
    """Begins to read an answer that takes an hour."""
    emulator.add_fault(LISTED, body="x" * 60, drip=60, **rule)
    http = requests.Session()
    http.trust_env = False
    url = f"{emulator.url}/beta{application.registrants}"
    answer = http.get(url, headers=bearer(application), verify=emulator.ca_file, stream=True, timeout=5)
    assert next(answer.iter_content(1)) == b"x"
    return answer


def test_others_are_answered_while_an_answer_drips(application, emulator):
    with dripping(application, emulator):
        assert application.send("GET", application.registrants).status_code == 200


def test_dripping_ends_when_the_client_goes_away(application, emulator, poll):
    def answers():
        return [one for one in gc.get_objects() if type(one) is DrippingResponse]

    answer = dripping(application, emulator)
    assert answers()

    answer.close()

    poll(lambda: not answers())


def test_dripping_ends_with_the_emulator():
    with Emulator() as emulator, requests.Session() as http:
        http.trust_env = False
        emulator.add_fault("GET openid-configuration", drip=60)
        url = f"{emulator.url}/{emulator.tenant_id}/v2.0/.well-known/openid-configuration"
        answer = http.get(url, verify=emulator.ca_file, stream=True, timeout=5)
        assert next(answer.iter_content(1)) == b"{"
        began = time.monotonic()

    assert time.monotonic() - began < 5
    with pytest.raises(requests.RequestException):
        next(answer.iter_content(1))


def test_answer_to_a_batch_drips_where_an_item_does(application, emulator):
    emulator.add_fault("POST registrants", registrant_id="p2", drip=0.001)
    began = time.monotonic()

    answer = application.batch(application.item("1", "p1"), application.item("2", "p2"))

    assert time.monotonic() - began >= 0.001 * (len(answer.content) - 1)
    assert len(answer.json()["responses"]) == 2


@pytest.mark.parametrize("drips_head", [False, True], ids=["body", "head and body"])
def test_connection_is_good_after_an_answer_dripped(application, emulator, drips_head):
    emulator.add_fault(LISTED, body="{}", drip=0.001, drips_head=drips_head, times=3, status=503)

    statuses = [application.send("GET", application.registrants).status_code for _ in range(4)]

    assert statuses == [503, 503, 503, 200]


@pytest.mark.parametrize(
    "rule",
    [
        {"body": "{}", "body_base64": "e30="},
        {"body_base64": "no base64!"},
        {"body": 5},
        {"headers": "X-Name: value"},
        {"headers": {"X-Name": "a\r\nSet-Cookie: b"}},
        {"content_type": "text/html\n"},
        {"redirect": "http://other.example/\r\n"},
        {"retry_after": "1\n2"},
        {"answers": "at random"},
        {"drip": -1},
        {"drip": float("nan")},
        {"delay": float("inf")},
        {"times": True},
        {"nth": "1"},
        {"route": 5},
        {"route": "GET /a\nb"},
        {"times": 10**400},
        {"delay": 10**400},
        {"headers": {"": "1"}},
        {"headers": {"X Name": "1"}},
        {"headers": {"X-Name": " 1"}},
        {"headers": {"X-Name": 1}},
        {"content_type": " text/html"},
        {"redirect": ""},
        {"redirect": "http://other.example/", "status": 200},
        {"answers": "swap", "route": "GET registrants"},
        {"answers": "swap", "route": "POST $batch", "status": 503},
        {"answers": "swap", "route": "POST $batch", "body": "{}"},
        {"answers": "swap", "route": "POST $batch", "lands_after": 1},
    ],
)
def test_rule_that_could_not_be_kept_is_refused_by_the_argument(application, emulator, rule):
    body = json.dumps({"route": "GET *", **rule})
    url, headers = f"{emulator.url}/emulator/faults", {"Content-Type": "application/json"}

    answer = requests.post(url, data=body, headers=headers, verify=emulator.ca_file, timeout=5)

    assert answer.status_code == 422
    assert next(iter(rule)).split("_")[0].lower() in answer.text.lower().replace("-", "_")
    assert emulator.faults.in_force() == []


def test_rule_with_half_of_a_surrogate_pair_is_added_shown_and_answered(emulator, http):
    rule = {"route": "GET openid-configuration", "body": "\ud800", "registrant_id": None}
    url, headers = f"{emulator.url}/emulator/faults", {"Content-Type": "application/json"}

    assert http.post(url, data=json.dumps(rule), headers=headers, timeout=5).json() == rule
    http.post(url, data=json.dumps({"route": "* registrants", "registrant_id": "\ud800"}), headers=headers, timeout=5)

    assert [fault["body"] for fault in http.get(url, timeout=5).json()] == ["\ud800", None]
    assert "sends a body of its own" in http.get(f"{emulator.url}/", timeout=5).text
    discovery = f"{emulator.url}/{emulator.tenant_id}/v2.0/.well-known/openid-configuration"
    assert http.get(discovery, timeout=5).content == "\ud800".encode("utf-8", "surrogatepass")
