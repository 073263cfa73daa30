"""Bodies that no client should send: each is refused, and the emulator goes on as if it had not come."""

import base64
import json

import pytest

DEEP = f'{{"id": {"[" * 3000}{"]" * 3000}}}'
JSON = {"Content-Type": "application/json"}
UNREADABLE = {
    "no UTF-8": b'{"id": "\xff\xfe"}',
    "UTF-16": '{"id": "p"}'.encode("utf-16"),
    "no JSON": b'{"id": ',
    "deep": DEEP.encode(),
    "NaN": b'{"id": NaN}',
    "infinite": b'{"id": -Infinity}',
    "too large": b'{"id": 1e999}',
    "too many digits": b'{"id": ' + b"9" * 5000 + b"}",
    "half of a pair": b'{"id": "\\ud800"}',
    "half of a pair in a name": b'{"\\udfff": 1}',
}


@pytest.fixture
def is_whole(emulator, http, application, organizer):
    """Reads all that the emulator can show: True where every part of it is answered as if nothing had happened."""

    def read():
        emulator.set_switches(read_limit=0)
        pages = [
            http.get(f"{emulator.url}{path}", timeout=10) for path in ("/", "/emulator/state", "/emulator/journal")
        ]
        found = organizer.send("GET", "/me/onlineMeetings?$filter=joinMeetingIdSettings/joinMeetingId eq '1'")
        webinars = application.send("GET", "/solutions/virtualEvents/webinars", "v1.0")
        registrations = [
            application.send("GET", f"/solutions/virtualEvents/webinars/{one['id']}/registrations", "v1.0")
            for one in webinars.json()["value"]
        ]
        return {answer.status_code for answer in (*pages, found, webinars, *registrations)} == {200}

    return read


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_graph_says_400_of_a_body_that_it_cannot_read(application, emulator, is_whole, body):
    answer = application.send("POST", application.registrants, data=body, headers=JSON)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("Unable to read JSON request payload.")
    assert [entry.status for entry in emulator.store.journal] == [400]
    assert is_whole()


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_batch_that_cannot_be_read_is_refused_as_a_whole(application, body):
    batch = b'{"requests": [{"id": "1", "method": "POST", "url": "/me", "body": ' + body + b"}]}"

    assert application.send("POST", "/$batch", data=batch, headers=JSON).status_code == 400


def test_body_of_64_levels_is_read_and_one_of_65_is_not(application):
    def post(levels):
        body = "[" * levels + "]" * levels
        return application.send("POST", application.registrants, data=body, headers=JSON).json()["error"]["message"]

    assert post(64).startswith("Invalid request.")
    assert post(65).startswith("Unable to read JSON request payload.")


def test_byte_order_mark_before_a_body_does_no_harm(application, emulator):
    body = {"@odata.type": "#microsoft.graph.externalMeetingRegistrant", "id": "p1"}

    answer = application.send("POST", application.registrants, data=b"\xef\xbb\xbf" + json.dumps(body).encode())

    assert answer.status_code == 200
    assert [one.id for one in emulator.store.enrolled(emulator.meeting_id)] == ["p1"]


def test_body_of_a_read_is_not_looked_at(application):
    assert application.send("GET", application.registrants, data=b"\xff").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"dependsOn": 5},
        {"dependsOn": "1"},
        {"dependsOn": [5]},
        {"dependsOn": {"1": 1}},
        {"url": "http://["},
        {"headers": {"client-request-id": 5}},
    ],
    ids=str,
)
def test_item_with_a_part_of_another_type_spoils_the_batch(application, emulator, is_whole, wrong):
    answer = application.batch(application.item("1", "p1"), application.item("2", "p2", **wrong))

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "Invalid batch payload format.")
    assert emulator.store.enrolled(emulator.meeting_id) == []
    assert is_whole()


@pytest.mark.parametrize("question_id", [None, 5, [], {}], ids=str)
def test_answer_to_a_question_whose_id_is_no_text_is_refused(application, emulator, question_id):
    emulator.store.webinars.add("Launch", "launch")
    person = {"firstName": "Ada", "lastName": "Example", "email": "ada@example.org"}
    body = {**person, "preferredTimezone": "UTC", "preferredLanguage": "en-us"}
    body["registrationQuestionAnswers"] = [{"questionId": question_id, "value": "Maths"}]

    answer = application.send("POST", "/solutions/virtualEvents/webinars/launch/registrations", "v1.0", json=body)

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, f"Question '{question_id}' was not found.")


def test_form_that_is_no_utf_8_is_refused_as_any_other(emulator, http):
    answer = http.post(
        f"{emulator.url}/{emulator.tenant_id}/oauth2/v2.0/token",
        data=b"grant_type=client_credentials&client_id=\xff",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_token_that_is_nested_too_deeply_is_no_token(emulator, http):
    head = base64.urlsafe_b64encode(b"[" * 6000).decode()

    answer = http.get(f"{emulator.url}/v1.0/me", headers={"Authorization": f"Bearer {head}.e30.x"}, timeout=10)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize("path", ["meetings", "webinars", "registrants", "faults"])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_admin_api_says_in_a_sentence_what_it_cannot_read(emulator, http, is_whole, path, body):
    answer = http.post(f"{emulator.url}/emulator/{path}", data=body, headers=JSON, timeout=10)

    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")
    assert emulator.faults.in_force() == []
    assert is_whole()


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("webinars", {"coOrganizers": 5}, "coOrganizers"),
        ("webinars", {"capacity": "x"}, "capacity"),
        ("webinars", {"capacity": -1}, "capacity"),
        ("webinars", {"id": 5}, "id"),
        ("webinars", {"id": ""}, "id"),
        ("webinars", {"displayName": None}, "displayName"),
        ("webinars", {"organizerId": 5}, "organizerId"),
        ("webinars", {"status": "open"}, "status"),
        ("webinars", {"isWaitlistEnabled": "yes"}, "isWaitlistEnabled"),
        ("webinars", {"questions": 5}, "questions"),
        ("webinars", {"questions": [5]}, "questions.0"),
        ("webinars", {"questions": [{"id": 5}]}, "questions.0.displayName"),
        ("webinars", {"questions": [{"id": "q", "displayName": "?", "answerInputType": "x"}]}, "answerInputType"),
        ("webinars", {"start": {"dateTime": "\ud800"}}, "dateTime"),
        ("webinars/{webinar_id}/registrations", {"email": "a@b.c", "answers": [{}]}, "answers.0.questionId"),
        ("webinars/{webinar_id}/registrations", {"email": "a@b.c", "answers": 5}, "answers"),
        ("webinars/{webinar_id}/registrations", {"email": 5}, "email"),
        ("webinars/{webinar_id}/registrations", {"email": "a@b.c", "externalRegistrationId": 5}, "external"),
        ("webinars/{webinar_id}/registrations", {"email": "a@b.c", "id": "mine"}, "id"),
        ("meetings", {"subject": 5}, "subject"),
        ("meetings", {"nonsense": 5}, "nonsense"),
        ("registrants", {"meetingId": "{meeting_id}", "id": "p", "tenantId": 5}, "tenantId"),
        ("registrants", {}, "meetingId"),
    ],
    ids=str,
)
def test_admin_api_takes_nothing_that_could_not_be_served(emulator, http, is_whole, path, body, named):
    place = path.format(webinar_id=emulator.webinar_id)

    answer = http.post(f"{emulator.url}/emulator/{place}", json=body, timeout=10)

    assert answer.status_code == 422
    assert named in answer.json()["error"]
    assert is_whole()


def test_admin_api_names_all_that_is_wrong_and_quotes_no_value(emulator, http):
    body = {"displayName": ["CANARY"], "capacity": "CANARY", "questions": "CANARY"}

    said = http.post(f"{emulator.url}/emulator/webinars", json=body, timeout=10).json()["error"]

    assert [name for name in body if f"{name}: " in said] == list(body)
    assert "CANARY" not in said


def test_switch_of_text_takes_no_other_type(emulator, http):
    answer = http.put(f"{emulator.url}/emulator/switches", json={"roles": None}, timeout=10)

    assert (answer.status_code, answer.json()["error"]) == (422, "Switch 'roles' takes text, not None.")


def test_rule_with_a_name_that_is_not_there_is_told_what_there_is(emulator, http):
    answer = http.post(f"{emulator.url}/emulator/faults", json={"route": "* *", "\ud800": 1}, timeout=10)

    assert answer.status_code == 422
    assert answer.json()["error"].startswith(r"A rule has no '\ud800'; it has route, nth, times, when,")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_body_that_is_said_to_be_no_json_is_not_read(emulator, http, content_type):
    url, headers = f"{emulator.url}/emulator/meetings", {"Content-Type": content_type}

    answer = http.post(url, data='{"subject": "Launch"}', headers=headers, timeout=10)

    assert (answer.status_code, len(emulator.store.meetings())) == (422, 3)
    assert answer.json()["error"] == "The body must be a JSON object, sent with Content-Type: application/json."


def test_what_python_code_enrolled_is_shown_whatever_it_is(emulator, http):
    emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), "half \ud800")

    state = http.get(f"{emulator.url}/emulator/state", timeout=10).json()

    assert state["meetings"][0]["registrants"][0]["id"] == "half \ud800"


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND"])
def test_method_that_graph_does_not_have_is_refused_in_its_words(application, method):
    answer = application.send(method, "/me", headers={"client-request-id": "mine"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "Request_BadRequest")
    assert answer.headers["client-request-id"] == "mine"


class TestFailureOfItsOwn:
    """Python code may put into the books what the emulator cannot serve: that is its own failure, and is said so."""

    @pytest.fixture
    def breaks(self, emulator):
        """The path of a webinar that cannot be answered."""
        emulator.store.webinars.add("CANARY", "canary-webinar", co_organizers=5)
        return "/solutions/virtualEvents/webinars/canary-webinar"

    def test_graph_answers_500_in_its_own_words_and_writes_it_into_the_journal(self, application, emulator, breaks):
        answer = application.send("GET", breaks, headers={"client-request-id": "mine"})

        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (500, "InternalServerError")
        assert error["message"] == "The emulator failed to answer. Its log says where."
        assert answer.headers["client-request-id"] == error["innerError"]["client-request-id"] == "mine"
        (entry,) = emulator.store.journal
        assert (entry.status, entry.request_id) == (500, answer.headers["request-id"])

    def test_log_says_where_and_nothing_of_anybody(self, application, breaks, caplog):
        answer = application.send("GET", breaks)

        (record,) = [record for record in caplog.records if "emulator" in record.name]
        assert record.levelname == "ERROR"
        assert f"failed to answer request {answer.headers['request-id']}: TypeError" in record.getMessage()
        assert "webinar_bodies.py" in record.getMessage()
        assert "canary" not in record.getMessage().lower()

    def test_other_items_of_a_batch_are_answered(self, application, emulator, breaks):
        read = {"id": "1", "method": "GET", "url": breaks}

        answer = application.batch(read, application.item("2", "p2"))

        assert {item["id"]: item["status"] for item in answer.json()["responses"]} == {"1": 500, "2": 200}
        assert [one.id for one in emulator.store.enrolled(emulator.meeting_id)] == ["p2"]

    def test_connection_and_everything_else_go_on(self, application, emulator, http, breaks):
        first = application.send("GET", breaks, stream=True)
        socket = first.raw.connection.sock
        assert first.content

        second = application.send("GET", application.registrants, stream=True)

        assert second.raw.connection.sock is socket
        assert second.json()["value"] == []

    def test_page_and_admin_api_answer_500_as_graph_does(self, emulator, http, caplog):
        emulator.store.webinars.register(emulator.webinar_id, "ada@example.org", external_registration_id=5)

        answer = http.get(f"{emulator.url}/", timeout=10)

        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "InternalServerError")
        assert f"failed to answer request {answer.headers['request-id']}: TypeError" in caplog.text
        emulator.reset()
        assert http.get(f"{emulator.url}/", timeout=10).status_code == 200
