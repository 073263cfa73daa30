"""Registrations for a webinar: making, reading, waiting, cancelling."""

import json
from urllib.parse import parse_qs, quote, urlsplit

import pytest


def person_in_link(link):
    return json.loads(parse_qs(urlsplit(link).query)["context"][0])["prid"]


def statuses(emulator, webinar_id):
    return [one.status for one in emulator.store.webinars.registrations(webinar_id)]


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_application_registers_somebody_and_is_told_nothing(webinar, emulator, version):
    external = {"referrer": "crm", "registrationId": "crm-1"}
    form = webinar.form("ada", externalRegistrationInformation=external)

    answer = webinar.send("POST", "/registrations", version, json=form)

    assert (answer.status_code, answer.content) == (204, b"")
    (one,) = webinar.listed()
    assert {name: one[name] for name in form} == form
    assert (one["status"], one["userId"], one["cancelationDateTime"]) == ("registered", None, None)
    assert len(one["registrationDateTime"]) == len("2026-01-01T00:00:00")
    assert "joinWebUrl" not in one
    posted, _ = emulator.store.journal
    assert (posted.status, posted.registrant_id, posted.effect) == (204, "crm-1", "enrolled")


def test_signed_in_user_registers_themselves_and_is_told(delegated_webinar, webinar, emulator):
    form = {"preferredTimezone": "UTC", "preferredLanguage": "en-us"}

    answer = delegated_webinar.send("POST", "/registrations", json=form)

    assert answer.status_code == 201
    one = answer.json()
    assert (one["userId"], one["email"], one["status"]) == (
        emulator.organizer_id,
        "organizer@emulator.example",
        "registered",
    )
    assert webinar.listed()[0]["id"] == one["id"]
    assert delegated_webinar.send("GET", f"/registrations/{one['id']}").json()["id"] == one["id"]
    assert person_in_link(delegated_webinar.session(one["id"])["joinWebUrl"]) == one["id"]
    by_user = delegated_webinar.send("GET", f"/registrations(userId='{emulator.organizer_id}')")
    assert by_user.json()["id"] == one["id"]
    assert emulator.store.journal[0].registrant_id == "organizer@emulator.example"


def test_everybody_has_a_link_of_their_own(webinar):
    for name in ("ada", "bob"):
        webinar.register(name)

    sessions = {one["id"]: webinar.session(one["id"]) for one in webinar.listed()}

    assert {person_in_link(session["joinWebUrl"]): session for session in sessions.values()} == sessions


def test_journal_falls_back_on_the_address(webinar, emulator):
    webinar.register("ada")
    (one,) = webinar.listed()
    webinar.cancel(one["id"])
    webinar.send("GET", "/registrations(email='nobody@example.org')")

    entries = [(entry.registrant_id, entry.effect) for entry in emulator.store.journal]
    ada = "ada@example.org"
    assert entries == [(ada, "enrolled"), (None, None), (ada, "cancelled"), ("nobody@example.org", None)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"firstName": None}, "firstName"),
        ({"lastName": " "}, "lastName"),
        ({"email": ""}, "email"),
        ({"email": 7}, "email"),
        ({"email": "nobody"}, "e-mail address"),
        ({"preferredTimezone": None}, "preferredTimezone"),
        ({"preferredLanguage": None}, "preferredLanguage"),
        ({"externalRegistrationInformation": "crm-1"}, "must be an object"),
        ({"externalRegistrationInformation": {"registrationId": 7}}, "must be strings"),
        ({"externalRegistrationInformation": {"registrationId": "x" * 257}}, "256"),
        ({"registrationQuestionAnswers": "yes"}, "collection"),
        ({"registrationQuestionAnswers": ["yes"]}, "collection"),
        ({"registrationQuestionAnswers": [{"questionId": "other", "value": "x"}]}, "'other'"),
        ({"registrationQuestionAnswers": [{"value": "x"}]}, "was not found"),
    ],
)
def test_form_that_is_not_filled_in_is_refused(webinar, emulator, change, says):
    answer = webinar.register("ada", **change)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert says in answer.json()["error"]["message"]
    assert statuses(emulator, emulator.webinar_id) == []


@pytest.mark.parametrize("body", [None, [], {}])
def test_registration_without_a_body_is_refused(webinar, body):
    assert webinar.send("POST", "/registrations", json=body).status_code == 400


def test_longest_id_is_taken(webinar):
    assert webinar.register("ada", externalRegistrationInformation={"registrationId": "x" * 256}).status_code == 204


def test_signed_in_user_names_nobody_else(delegated_webinar):
    answer = delegated_webinar.register("ada")

    assert answer.status_code == 400
    assert "only for application permissions" in answer.json()["error"]["message"]


TEXT = {"questionId": "q-text", "value": "A friend"}
SINGLE = {"questionId": "q-single-choice", "value": "Data"}


def test_answers_are_kept(other_webinar, emulator):
    webinar = other_webinar(emulator.questions_webinar_id)
    answers = [
        TEXT,
        SINGLE,
        {"questionId": "q-multi-choice", "multiChoiceValues": ["Monday", "Friday"]},
        {"questionId": "q-boolean", "booleanValue": False},
        {"questionId": "q-job-title", "value": "Engineer"},
    ]

    assert webinar.register("ada", registrationQuestionAnswers=answers).status_code == 204

    (one,) = webinar.listed()
    kept = one["registrationQuestionAnswers"]
    assert [{name: answer[name] for name in sent} for sent, answer in zip(answers, kept, strict=True)] == answers
    assert [answer["displayName"] for answer in kept] == [None] * 5
    in_beta = webinar.send("GET", f"/registrations/{one['id']}", "beta").json()["registrationQuestionAnswers"]
    assert in_beta[1]["displayName"] == "Which track?"


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ([], "q-text"),
        ([TEXT], "q-single-choice"),
        ([{**TEXT, "value": ""}, SINGLE], "q-text"),
        ([{**TEXT, "value": 7}, SINGLE], "q-text"),
        ([{"questionId": "q-text", "booleanValue": True}, SINGLE], "q-text"),
        ([TEXT, {**SINGLE, "value": "Sales"}], "q-single-choice"),
        ([TEXT, {"questionId": "q-single-choice", "multiChoiceValues": ["Data"]}], "q-single-choice"),
        ([TEXT, SINGLE, {"questionId": "q-multi-choice", "multiChoiceValues": ["Sunday"]}], "q-multi-choice"),
        ([TEXT, SINGLE, {"questionId": "q-multi-choice", "multiChoiceValues": "Monday"}], "q-multi-choice"),
        ([TEXT, SINGLE, {"questionId": "q-boolean", "booleanValue": "yes"}], "q-boolean"),
    ],
)
def test_answer_that_is_missing_or_does_not_fit_is_refused(other_webinar, emulator, answers, named):
    answer = other_webinar(emulator.questions_webinar_id).register("ada", registrationQuestionAnswers=answers)

    assert answer.status_code == 400
    assert f"'{named}'" in answer.json()["error"]["message"]


def test_waitlist_takes_whom_the_seats_do_not(other_webinar, emulator):
    webinar = other_webinar(emulator.waitlist_webinar_id)
    for number in range(5):
        assert webinar.register(f"p{number}").status_code == 204

    assert statuses(emulator, emulator.waitlist_webinar_id) == ["registered"] * 3 + ["waitlisted"] * 2
    links = [webinar.session(one["id"])["joinWebUrl"] for one in webinar.listed()]
    assert [link is not None for link in links] == [True] * 3 + [False] * 2
    waiting = webinar.listed()[3]
    emulator.store.webinars.promote(emulator.waitlist_webinar_id, waiting["id"])
    assert person_in_link(webinar.session(waiting["id"])["joinWebUrl"]) == waiting["id"]


@pytest.mark.parametrize(("event_full", "status"), [("bad_request", 400), ("conflict", 409), ("forbidden", 403)])
def test_full_webinar_refuses_until_a_seat_is_free(other_webinar, emulator, event_full, status):
    emulator.set_switches(event_full=event_full)
    webinar = other_webinar(emulator.small_webinar_id)
    for number in range(3):
        webinar.register(f"p{number}")

    refused = webinar.register("ada")

    assert refused.status_code == status
    assert "capacity of 3" in refused.json()["error"]["message"]
    webinar.cancel(webinar.listed()[0]["id"])
    assert webinar.register("ada").status_code == 204


@pytest.mark.parametrize(("action", "status"), [("approve", "registered"), ("reject", "rejectedByOrganizer")])
def test_organizer_decides(other_webinar, emulator, action, status):
    webinar = other_webinar(emulator.approval_webinar_id)
    webinar.register("ada")
    (one,) = webinar.listed()
    assert (one["status"], webinar.session(one["id"])["joinWebUrl"]) == ("pendingApproval", None)

    getattr(emulator.store.webinars, action)(emulator.approval_webinar_id, one["id"])

    assert webinar.send("GET", f"/registrations/{one['id']}").json()["status"] == status
    assert (webinar.session(one["id"])["joinWebUrl"] is not None) == (status == "registered")
    assert webinar.register("ada").status_code == 204
    assert statuses(emulator, emulator.approval_webinar_id) == [status]


def test_draft_and_canceled_webinars_take_nobody(other_webinar, emulator):
    for webinar_id in (emulator.draft_webinar_id, emulator.canceled_webinar_id):
        assert other_webinar(webinar_id).register().status_code == 400
        assert statuses(emulator, webinar_id) == []

    emulator.store.webinars.publish(emulator.draft_webinar_id)

    assert other_webinar(emulator.draft_webinar_id).register().status_code == 204


def test_cancelled_person_stays_on_the_list_and_may_register_again(webinar, emulator):
    webinar.register("ada")
    (first,) = webinar.listed()

    cancelled = webinar.cancel(first["id"])

    assert (cancelled.status_code, cancelled.content) == (204, b"")
    (gone,) = webinar.listed()
    assert gone["status"] == "canceled"
    assert gone["cancelationDateTime"]
    assert webinar.session(first["id"])["joinWebUrl"] is None
    assert webinar.register("ada").status_code == 204
    assert statuses(emulator, emulator.webinar_id) == ["canceled", "registered"]
    assert webinar.send("GET", "/registrations(email='ada@example.org')").json()["id"] != first["id"]


@pytest.mark.parametrize(("second_cancel", "status"), [("bad_request", 400), ("no_content", 204), ("not_found", 404)])
def test_second_cancel(webinar, emulator, second_cancel, status):
    emulator.set_switches(second_cancel=second_cancel)
    webinar.register("ada")
    (one,) = webinar.listed()

    assert [webinar.cancel(one["id"]).status_code for _ in range(2)] == [204, status]
    assert emulator.store.journal[-1].effect is None


def test_each_kind_of_token_cancels_its_own_people(webinar, delegated_webinar):
    webinar.register("ada")
    delegated_webinar.send("POST", "/registrations", json={"preferredTimezone": "UTC", "preferredLanguage": "en-us"})
    external, own = (one["id"] for one in webinar.listed())

    assert (delegated_webinar.cancel(external).status_code, webinar.cancel(own).status_code) == (403, 403)
    assert (webinar.cancel(external).status_code, delegated_webinar.cancel(own).status_code) == (204, 204)


@pytest.mark.parametrize("name", ["ada", "o'brien", "a+b", "a b/c%25"])
def test_alternate_key_finds_cancels_and_reads_whatever_the_case(webinar, name):
    webinar.register("x", email=f"{name}@example.org".replace(" ", "_"))
    (one,) = webinar.listed()
    key = one["email"].upper().replace("'", "''")
    path = f"/registrations(email='{quote(key, safe='')}')"

    assert webinar.send("GET", path).json()["id"] == one["id"]
    assert webinar.send("GET", f"{path}/sessions").json()["value"] == [webinar.session(one["id"])]
    assert webinar.send("POST", f"{path}/cancel").status_code == 204
    assert webinar.listed()[0]["status"] == "canceled"


def test_registration_that_is_not_there_is_not_found(webinar):
    for below in ("/registrations/x", "/registrations(email='x')", "/registrations/x/sessions"):
        assert webinar.send("GET", below).status_code == 404
    assert webinar.cancel("x").status_code == 404


def test_filter_finds_one_person_by_address_or_account(webinar, delegated_webinar, emulator):
    for name in ("ada", "bob"):
        webinar.register(name)
    delegated_webinar.send("POST", "/registrations", json={"preferredTimezone": "UTC", "preferredLanguage": "en-us"})

    assert [one["firstName"] for one in webinar.listed("?$filter=email eq 'ADA@example.org'")] == ["ada"]
    by_user = f"?$filter=userId eq '{emulator.organizer_id}'"
    assert [one["userId"] for one in webinar.listed(by_user)] == [emulator.organizer_id]
    assert webinar.listed("?$filter=email eq 'nobody@example.org'") == []
    for expression in ("status eq 'registered'", "email eq ada", "nonsense"):
        assert webinar.send("GET", f"/registrations?$filter={expression}").status_code == 400


def test_registrations_come_in_pages(webinar, emulator):
    emulator.set_switches(page_size=2, empty_page=True)
    for number in range(3):
        webinar.register(f"p{number}")

    pages, path = [], "/registrations"
    while path:
        page = webinar.send("GET", path).json()
        pages.append([one["firstName"] for one in page["value"]])
        path = page.get("@odata.nextLink", "").removeprefix(f"{emulator.url}/v1.0{webinar.path}")

    assert pages == [["p0", "p1"], [], ["p2"]]


def test_batch_registers_reads_and_cancels(webinar, application, emulator):
    items = [webinar.item(str(number), f"p{number}") for number in range(20)]

    answer = application.send("POST", "/$batch", "v1.0", json={"requests": items})

    assert [item["status"] for item in answer.json()["responses"]] == [204] * 20
    assert not any("body" in item for item in answer.json()["responses"])
    assert len(emulator.store.webinars.registered(emulator.webinar_id)) == 20
    registration_id = webinar.listed()[0]["id"]
    one = {"id": "1", "method": "GET", "url": f"{webinar.path}/registrations/{registration_id}/sessions"}
    other = {"id": "2", "method": "POST", "url": f"{webinar.path}/registrations/{registration_id}/cancel"}
    again = application.send("POST", "/$batch", "v1.0", json={"requests": [one, other]}).json()["responses"]
    assert {item["id"]: item["status"] for item in again} == {"1": 200, "2": 204}


def test_rule_for_one_person_strikes_all_that_is_about_them(webinar, emulator):
    webinar.register("ada", externalRegistrationInformation={"registrationId": "crm-1"})
    webinar.register("bob")
    first, second = (one["id"] for one in webinar.listed())
    emulator.add_fault("* *", registrant_id="crm-1", times=0, status=503)

    assert webinar.cancel(first).status_code == 503
    assert webinar.send("GET", f"/registrations/{first}/sessions").status_code == 503
    assert webinar.cancel(second).status_code == 204
