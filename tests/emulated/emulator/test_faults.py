"""Each kind of fault, as the caller feels it and as the books know it."""

import threading
import time

import pytest
import requests

from airflow_provider_teams_registration.emulator.behaviour.faults import Fault


def is_enrolled(emulator, registrant_id="p"):
    return emulator.store.find(emulator.meeting_id, registrant_id) is not None


@pytest.mark.parametrize("when", ["before", "after"])
def test_status_is_answered_before_or_after_the_effect(application, emulator, when):
    emulator.add_fault("POST registration/registrants", when=when, status=503)

    answer = application.enroll("p")

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ServiceUnavailable")
    assert is_enrolled(emulator) == (when == "after")
    entry = emulator.store.journal[-1]
    assert (entry.status, entry.effect) == (503, "enrolled" if when == "after" else None)
    assert entry.fault == "POST registration/registrants"
    assert application.enroll("p").status_code == 200


def test_fault_has_the_code_and_message_that_it_was_given(application, emulator):
    emulator.add_fault("POST registrants", status=404, code="itemNotFound", message="Not here.")

    error = application.enroll("p").json()["error"]

    assert (error["code"], error["message"]) == ("itemNotFound", "Not here.")
    assert {"date", "request-id", "client-request-id"} == set(error["innerError"])


@pytest.mark.parametrize("retry_after", ["10", "2.128", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
def test_retry_after_is_sent_as_it_stands(application, emulator, retry_after):
    emulator.add_fault("POST *", times=0, status=429, retry_after=retry_after)

    answer = application.enroll("p")

    assert answer.headers["Retry-After"] == retry_after
    assert answer.json()["error"]["code"] == "TooManyRequests"


def test_item_of_a_batch_has_its_own_retry_after(application, emulator):
    emulator.add_fault("POST registrants", nth=2, status=429, retry_after="7")

    answer = application.batch(application.item("1", "p1"), application.item("2", "p2"))

    by_id = {item["id"]: item for item in answer.json()["responses"]}
    assert "Retry-After" not in answer.headers
    assert [by_id["1"]["status"], by_id["2"]["status"]] == [200, 429]
    assert by_id["2"]["headers"]["Retry-After"] == "7"


@pytest.mark.parametrize(("status", "answered"), [(503, 503), (None, 200)])
def test_plain_text_answer_is_empty(application, emulator, status, answered):
    emulator.add_fault("POST registrants", when="after", status=status, is_plain_text=True)

    answer = application.enroll("p")

    assert (answer.status_code, answer.content) == (answered, b"")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert is_enrolled(emulator)


@pytest.mark.parametrize("kind", ["drop", "omit"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_connection_drops_without_an_answer(application, emulator, kind, when):
    emulator.add_fault("POST registrants", when=when, **{kind: True})

    with pytest.raises(requests.ConnectionError):
        application.enroll("p")

    assert is_enrolled(emulator) == (when == "after")
    assert emulator.store.journal[-1].status is None
    assert application.enroll("q").status_code == 200


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("status", [None, 503])
def test_answer_breaks_off_half_way(application, emulator, when, status):
    emulator.add_fault("POST registrants", when=when, half=True, status=status)

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        application.enroll("p")

    assert is_enrolled(emulator) == (when == "after")


def test_half_of_an_empty_answer_is_no_answer(application, emulator):
    application.enroll("p")
    emulator.add_fault("DELETE registrants/p", when="after", half=True)

    with pytest.raises(requests.ConnectionError):
        application.cancel("p")

    assert not is_enrolled(emulator)


@pytest.mark.parametrize("kind", ["drop", "half", "omit"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_batch_leaves_the_answer_of_one_item_out(application, emulator, kind, when):
    emulator.add_fault("POST registrants", nth=2, when=when, **{kind: True})

    answer = application.batch(*(application.item(str(number), f"p{number}") for number in range(1, 4)))

    assert {item["id"] for item in answer.json()["responses"]} == {"1", "3"}
    assert is_enrolled(emulator, "p2") == (when == "after")


@pytest.mark.parametrize("kind", ["drop", "half"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whole_batch_is_lost(application, emulator, kind, when):
    emulator.add_fault("POST $batch", when=when, **{kind: True})

    with pytest.raises(requests.ConnectionError if kind == "drop" else requests.exceptions.ChunkedEncodingError):
        application.batch(application.item("1", "p"))

    assert is_enrolled(emulator) == (when == "after")


def test_delay_holds_the_answer_back(application, emulator):
    emulator.add_fault("POST registrants", times=2, delay=0.2)

    for call in (lambda: application.enroll("p"), lambda: application.batch(application.item("1", "q"))):
        began = time.monotonic()
        assert call().status_code == 200
        assert time.monotonic() - began >= 0.2
    assert is_enrolled(emulator, "q")


def test_delayed_answer_comes_too_late_for_the_impatient(application, emulator):
    emulator.add_fault("POST registrants", delay=5)
    body = {"@odata.type": "#microsoft.graph.externalMeetingRegistrant", "id": "p"}
    url = f"{emulator.url}/beta{application.registrants}"

    with pytest.raises(requests.ReadTimeout):
        application.http.post(url, json=body, headers={"Authorization": f"Bearer {application.token}"}, timeout=0.1)

    assert is_enrolled(emulator)


@pytest.mark.parametrize(
    ("nth", "times", "struck"),
    [(1, 1, [1]), (3, 1, [3]), (2, 2, [2, 3]), (2, 0, [2, 3, 4, 5])],
)
def test_rule_strikes_the_hits_that_it_names(application, emulator, nth, times, struck):
    emulator.add_fault("GET registration", nth=nth, times=times, status=500)

    statuses = [application.send("GET", application.registration).status_code for _ in range(5)]

    assert [hit for hit, status in enumerate(statuses, 1) if status == 500] == struck


def test_rule_for_one_person_strikes_nobody_else(application, emulator):
    emulator.add_fault("* *", times=0, registrant_id="p/2", status=403)

    assert [application.enroll(each).status_code for each in ("p/1", "p/2", "p/3")] == [200, 403, 200]
    assert application.cancel("p/2").status_code == 403
    assert application.batch(application.item("1", "p/2")).json()["responses"][0]["status"] == 403
    assert application.send("GET", application.registrants).status_code == 200


def test_first_rule_that_is_due_strikes_and_all_are_counted(application, emulator):
    emulator.add_fault("GET registration", nth=2, status=502)
    emulator.add_fault("GET *", times=2, status=504)

    statuses = [application.send("GET", application.registration).status_code for _ in range(3)]

    assert statuses == [504, 502, 200]


def test_cleared_rules_strike_no_more(application, emulator):
    emulator.add_fault("* *", times=0, status=500)

    emulator.clear_faults()

    assert application.enroll("p").status_code == 200


def test_fault_401_asks_for_a_token(application, emulator):
    emulator.add_fault("GET registration", status=401, code="InvalidAuthenticationToken")

    assert application.send("GET", application.registration).headers["WWW-Authenticate"] == "Bearer"


def test_write_lands_by_itself(application, emulator, poll):
    emulator.add_fault("POST registrants", status=503, lands_after=0.05)

    assert application.enroll("p").status_code == 503

    poll(lambda: emulator.store.journal[0].effect == "enrolled")
    assert is_enrolled(emulator)


@pytest.mark.parametrize(
    ("rule", "status"),
    [({"status": 503}, 503), ({"status": 202, "when": "after"}, 202), ({}, 504), ({"delay": 0.05}, 504)],
)
def test_write_lands_after_it_was_answered(application, emulator, rule, status):
    emulator.add_fault("POST registrants", lands_after=600, **rule)

    assert application.enroll("p").status_code == status

    (entry,) = emulator.store.journal
    assert (is_enrolled(emulator), entry.status, entry.effect) == (False, status, None)
    emulator.store.delayed_writes.land_now()
    (landed,) = emulator.store.journal
    assert (is_enrolled(emulator), landed.status, landed.effect) == (True, status, "enrolled")


def test_write_lands_after_its_connection_broke(application, emulator):
    emulator.add_fault("POST registrants", drop=True, lands_after=600)

    with pytest.raises(requests.ConnectionError):
        application.enroll("p")

    assert not is_enrolled(emulator)
    emulator.store.delayed_writes.land_now()
    (entry,) = emulator.store.journal
    assert (is_enrolled(emulator), entry.status, entry.effect) == (True, None, "enrolled")


def test_one_item_of_a_batch_lands_late(application, emulator):
    emulator.add_fault("POST registrants", nth=2, omit=True, lands_after=600)

    answer = application.batch(*(application.item(str(number), f"p{number}") for number in range(1, 4)))

    assert {item["id"] for item in answer.json()["responses"]} == {"1", "3"}
    assert not is_enrolled(emulator, "p2")
    emulator.store.delayed_writes.land_now()
    assert is_enrolled(emulator, "p2")
    assert [entry.effect for entry in emulator.store.journal] == ["enrolled"] * 3 + [None]


def test_whole_batch_lands_late(application, emulator):
    emulator.add_fault("POST $batch", status=503, lands_after=600)

    assert application.batch(*(application.item(str(number), f"p{number}") for number in range(3))).status_code == 503

    assert emulator.store.enrolled(emulator.meeting_id) == []
    emulator.store.delayed_writes.land_now()
    assert len(emulator.store.enrolled(emulator.meeting_id)) == 3
    assert [entry.status for entry in emulator.store.journal] == [503, 200, 200, 200]


def test_cancelling_lands_late(webinar, emulator):
    webinar.register("ada")
    (one,) = webinar.listed()
    emulator.add_fault("POST cancel", status=504, lands_after=600)

    assert webinar.cancel(one["id"]).status_code == 504

    assert webinar.listed()[0]["status"] == "registered"
    emulator.store.delayed_writes.land_now()
    assert webinar.listed()[0]["status"] == "canceled"


def test_late_write_counts_when_it_comes_in_and_not_when_it_lands(webinar, emulator):
    emulator.set_switches(write_limit=1)
    emulator.add_fault("POST registrations", status=503, lands_after=600)

    assert [webinar.register(name).status_code for name in ("ada", "bob")] == [503, 429]

    emulator.store.delayed_writes.land_now()
    assert [one.first_name for one in emulator.store.webinars.registered(emulator.webinar_id)] == ["ada"]


def test_reset_loses_what_has_not_landed(application, emulator):
    emulator.add_fault("POST registrants", status=503, lands_after=600)
    application.enroll("lost")

    emulator.reset()

    emulator.store.delayed_writes.land_now()
    assert emulator.store.registrants(emulator.meeting_id) == emulator.store.journal == []
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert all(timer.finished.is_set() for timer in timers)


def test_cleared_journal_stays_clear_when_a_write_lands(application, emulator):
    emulator.add_fault("POST registrants", status=503, lands_after=600)
    application.enroll("p")

    emulator.clear_journal()

    emulator.store.delayed_writes.land_now()
    assert is_enrolled(emulator)
    assert emulator.store.journal == []


def test_entra_fails_by_rule_and_before_it_took_effect(emulator, ask_for_token):
    emulator.set_switches(rotate_refresh_tokens="old_one_dies")
    emulator.add_fault("POST token", status=503, retry_after="3")
    emulator.add_fault("POST token", nth=2, drop=True)

    def refresh():
        return ask_for_token(grant_type="refresh_token", refresh_token=emulator.refresh_token)

    answer = refresh()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert answer.json()["error"] == "temporarily_unavailable"
    with pytest.raises(requests.ConnectionError):
        refresh()
    assert refresh().status_code == 200


def test_entra_answers_as_a_gateway_does(emulator, ask_for_token):
    emulator.add_fault("POST token", status=502, is_plain_text=True)

    answer = ask_for_token()

    assert (answer.status_code, answer.content) == (502, b"")
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_discovery_fails_by_rule(emulator, http):
    emulator.add_fault("GET openid-configuration", half=True)
    url = f"{emulator.url}/{emulator.tenant_id}/v2.0/.well-known/openid-configuration"

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        http.get(url, timeout=10)

    assert http.get(url, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"route": "registrants"}, "a method, a space and the end of a path"),
        ({"route": "POST a b"}, "a method, a space and the end of a path"),
        ({"route": "* *", "when": "later"}, "before or after"),
        ({"route": "* *", "nth": 0}, "nth counts from 1"),
        ({"route": "* *", "times": -1}, "cannot be negative"),
        ({"route": "* *", "lands_after": -1}, "cannot be negative"),
        ({"route": "* *", "status": "429"}, "a number from 200 to 599"),
        ({"route": "* *", "status": 99}, "a number from 200 to 599"),
        ({"route": "* *", "retry_after": 2}, "the header's text"),
    ],
)
def test_bad_rule_is_named(rule, says):
    with pytest.raises(ValueError, match=says):
        Fault(**rule)
