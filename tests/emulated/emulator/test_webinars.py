"""Webinars, their forms and their sessions, as the pages of Graph have them."""

import pytest

ROOT = "/solutions/virtualEvents/webinars"


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [webinar["id"] for webinar in answer.json()["value"]]


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_webinar_is_read_with_either_kind_of_token(webinar, delegated_webinar, emulator, version):
    for caller in (webinar, delegated_webinar):
        body = caller.send("GET", version=version).json()

        assert (body["id"], body["status"], body["audience"]) == (emulator.webinar_id, "published", "everyone")
        assert body["createdBy"]["user"]["id"] == emulator.organizer_id


def test_at_sign_of_the_id_may_be_encoded(application, emulator):
    path = f"{ROOT}/{emulator.webinar_id.replace('@', '%40')}"

    assert application.send("GET", path, "v1.0").json()["id"] == emulator.webinar_id


def test_list_holds_only_whom_the_access_policy_covers(application, emulator):
    foreign = emulator.store.webinars.add("Foreign", organizer_id="99999999-9999-4999-8999-999999999999")

    listed = ids(application.send("GET", ROOT, "v1.0"))

    assert listed == [webinar.id for webinar in emulator.store.webinars.all() if webinar != foreign]
    refused = application.send("GET", f"{ROOT}/{foreign.id}", "v1.0")
    assert refused.status_code == 403
    assert "application access policy" in refused.json()["error"]["message"]


def test_without_an_access_policy_the_list_is_empty_and_all_else_is_403(application, webinar, emulator):
    emulator.set_switches(application_access_policy=False)

    assert ids(application.send("GET", ROOT, "v1.0")) == []
    by_user = f"{ROOT}/getByUserIdAndRole(userId='{emulator.organizer_id}',role='organizer')"
    for answer in (application.send("GET", by_user, "v1.0"), webinar.send("GET"), webinar.register()):
        assert answer.status_code == 403
        assert answer.json()["error"]["message"].startswith("No application access policy found for this app")


def test_list_comes_in_pages(application, emulator):
    emulator.set_switches(page_size=3, empty_page=True)

    sizes, path = [], ROOT
    while path:
        page = application.send("GET", path, "v1.0").json()
        sizes.append(len(page["value"]))
        path = page.get("@odata.nextLink", "").removeprefix(f"{emulator.url}/v1.0")

    assert sizes == [3, 0, 3, 1]


def test_role_finds_the_organizers_webinars(application, organizer, emulator):
    helped = emulator.store.webinars.change(emulator.draft_webinar_id, co_organizers=[{"id": emulator.organizer_id}])
    everything = [webinar.id for webinar in emulator.store.webinars.all()]
    by_user = f"{ROOT}/getByUserIdAndRole(userId='{emulator.organizer_id}', role='%s')"

    assert ids(organizer.send("GET", f"{ROOT}/getByUserRole(role='organizer')", "v1.0")) == everything
    assert ids(organizer.send("GET", f"{ROOT}/getByUserRole(role='coOrganizer')", "v1.0")) == [helped.id]
    assert ids(application.send("GET", by_user % "organizer", "v1.0")) == everything
    assert ids(application.send("GET", by_user % "coOrganizer", "v1.0")) == [helped.id]


@pytest.mark.parametrize(
    ("who", "function", "status"),
    [
        ("application", "getByUserRole(role='organizer')", 403),
        ("organizer", "getByUserIdAndRole(userId='x',role='organizer')", 403),
        ("organizer", "getByUserRole(role='presenter')", 400),
        ("organizer", "getByUserRole(role='organizer',userId='x')", 400),
        ("application", "getByUserIdAndRole(role='organizer')", 400),
        ("organizer", "getByUserRole(role=organizer)", 404),
    ],
)
def test_role_that_cannot_be_asked_for_is_refused(request, who, function, status):
    caller = request.getfixturevalue(who)

    assert caller.send("GET", f"{ROOT}/{function}", "v1.0").status_code == status


def test_organizer_makes_changes_publishes_and_cancels_a_webinar(organizer, emulator):
    made = organizer.send("POST", ROOT, "v1.0", json={"displayName": "Launch", "audience": "organization"})
    path = f"{ROOT}/{made.json()['id']}"

    assert (made.status_code, made.json()["status"], made.json()["audience"]) == (201, "draft", "organization")
    changed = organizer.send("PATCH", path, "v1.0", json={"displayName": "Grand launch"})
    assert (changed.status_code, changed.json()["displayName"]) == (200, "Grand launch")
    for action, status in (("publish", "published"), ("cancel", "canceled")):
        acted = organizer.send("POST", f"{path}/{action}", "v1.0")
        assert (acted.status_code, acted.content) == (204, b"")
        assert organizer.send("GET", path, "v1.0").json()["status"] == status
    assert organizer.send("POST", f"{path}/publish", "v1.0").status_code == 400
    effects = [entry.effect for entry in emulator.store.journal if entry.effect]
    assert effects == ["created", "changed", "published", "cancelled"]


@pytest.mark.parametrize(
    "body",
    [{"status": "published"}, {"audience": "everyone"}, {"nonsense": 1}, {"displayName": 7}, {"coOrganizers": None}],
)
def test_property_that_cannot_be_written_is_refused(delegated_webinar, emulator, body):
    before = emulator.store.webinars.webinar(emulator.webinar_id)

    assert delegated_webinar.send("PATCH", json=body).status_code == 400
    assert emulator.store.webinars.webinar(emulator.webinar_id) == before


@pytest.mark.parametrize(("method", "below"), [("PATCH", ""), ("POST", "/publish"), ("POST", "/cancel")])
def test_application_changes_no_webinar(webinar, method, below):
    assert webinar.send(method, below, json={}).status_code == 403


def test_configuration_tells_how_people_get_in(other_webinar, emulator):
    told = {
        webinar_id: other_webinar(webinar_id).send("GET", "/registrationConfiguration").json()
        for webinar_id in (emulator.waitlist_webinar_id, emulator.small_webinar_id, emulator.approval_webinar_id)
    }

    assert [
        (body["capacity"], body["isWaitlistEnabled"], body["isManualApprovalEnabled"]) for body in told.values()
    ] == [(3, True, False), (3, False, False), (1000, False, True)]
    assert all(body["registrationWebUrl"].startswith("https://") for body in told.values())


def test_questions_are_told(other_webinar, webinar, emulator):
    below = "/registrationConfiguration/questions"
    questions = other_webinar(emulator.questions_webinar_id).send("GET", below).json()["value"]

    assert [
        (one["id"], one.get("answerInputType"), one["isRequired"], one.get("answerChoices")) for one in questions
    ] == [
        ("q-text", "text", True, []),
        ("q-single-choice", "singleChoice", True, ["Data", "Operations"]),
        ("q-multi-choice", "multiChoice", False, ["Monday", "Tuesday", "Friday"]),
        ("q-boolean", "boolean", False, []),
        ("q-job-title", None, False, None),
    ]
    assert questions[0]["@odata.type"] == "#microsoft.graph.virtualEventRegistrationCustomQuestion"
    assert questions[4]["@odata.type"] == "#microsoft.graph.virtualEventRegistrationPredefinedQuestion"
    assert questions[4]["label"] == "jobTitle"
    assert webinar.send("GET", below).json()["value"] == []


def test_webinar_has_one_session(webinar):
    (session,) = webinar.send("GET", "/sessions").json()["value"]

    one = webinar.send("GET", f"/sessions/{session['id']}").json()
    assert {name: one[name] for name in session} == session
    assert set(session) == {"id", "subject", "startDateTime", "endDateTime", "joinWebUrl", "chatInfo"}
    assert webinar.send("GET", "/sessions/other").status_code == 404


@pytest.mark.parametrize(
    ("path", "segment"),
    [
        ("/solutions", "solutions"),
        ("/solutions/virtualEvents", "virtualEvents"),
        ("/solutions/virtualEvents/townhalls/x", "townhalls"),
        ("/solutions/bookings", "bookings"),
        (f"{ROOT}/{{webinar}}/nonsense", "nonsense"),
        (f"{ROOT}/{{webinar}}/registrationConfiguration/nonsense", "nonsense"),
        (f"{ROOT}/{{webinar}}/registrations/x/nonsense", "nonsense"),
        (f"{ROOT}/{{webinar}}/registrations(registrationId='x')", "registrations(registrationId='x')"),
        (f"{ROOT}/{{webinar}}/registrations(email=x)", "registrations(email=x)"),
    ],
)
def test_unknown_route_names_the_segment(application, emulator, path, segment):
    answer = application.send("GET", path.format(webinar=emulator.webinar_id), "v1.0")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Resource not found for the segment '{segment}'."


@pytest.mark.parametrize(
    ("method", "below"),
    [
        ("DELETE", ""),
        ("GET", "/publish"),
        ("POST", "/registrationConfiguration"),
        ("DELETE", "/registrations"),
        ("DELETE", "/registrations/x"),
        ("GET", "/registrations/x/cancel"),
    ],
)
def test_method_that_a_route_does_not_have_is_405(webinar, method, below):
    assert webinar.send(method, below).status_code == 405


def test_methods_of_the_whole_list(application, emulator):
    assert application.send("DELETE", ROOT, "v1.0").status_code == 405
    assert application.send("POST", f"{ROOT}/getByUserRole(role='organizer')", "v1.0").status_code == 405
    assert application.send("POST", ROOT, "v1.0", json={}).status_code == 403


def test_webinar_that_is_not_there_is_not_found(other_webinar):
    assert other_webinar("nobody").send("GET").status_code == 404
    assert other_webinar("nobody").send("GET", "/registrations/x").status_code == 404
    assert other_webinar("nobody").register().status_code == 404
