"""What schemathesis sends by the OpenAPI description, allowed or not, is answered as the description says."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis")

from schemathesis import GenerationMode, checks  # noqa: E402

from airflow_provider_teams_registration.graph.teams_app_package import (  # noqa: E402
    EVENT_PERMISSIONS,
    TeamsAppSettings,
    package,
)

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
PACKAGE = package(TeamsAppSettings("11111111-1111-4111-8111-111111111111"))
schemathesis.openapi.media_type("application/zip", st.one_of(st.just(PACKAGE), st.binary()))


@schemathesis.serializer("application/zip")
def _as_it_is(_, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


# The same requests in every run, so that a red test is red again, and few of them: there are a hundred operations.
BOUNDED = settings(
    max_examples=5, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
MODES = pytest.mark.parametrize("mode", list(GenerationMode), ids=["allowed", "not-allowed"])


@pytest.fixture
def description(emulator, http):
    """The description, as the emulator publishes it."""
    return http.get(f"{emulator.url}/emulator/openapi.json", timeout=10).json()


@pytest.fixture
def operations(description):
    """The operations of the description that are chosen by method and path."""
    schema = schemathesis.openapi.from_dict(description)
    every = [result.ok() for result in schema.get_all_operations()]
    return lambda is_chosen: [each for each in every if is_chosen(each.method.upper(), each.path)]


@pytest.fixture
def send(emulator, http):
    """Sends generated requests, half of them about what is really there, and holds the answers to the description."""
    ids = {
        "userId": emulator.organizer_id,
        "meetingId": emulator.meeting_id,
        "eventId": emulator.event_id,
        "webinarId": emulator.questions_webinar_id,
        "webinar_id": emulator.webinar_id,
        "role": "organizer",
    }

    def send_all(operation, mode, more_checks=(), and_then=lambda: None, **how):
        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode), is_about_seeded=st.booleans())
        def one(case, is_about_seeded):
            if is_about_seeded:
                for name in set(ids) & set(case.path_parameters or ()):
                    case.path_parameters[name] = ids[name]
            emulator.reset()
            emulator.set_switches(read_limit=0, write_limit=0)
            answer = case.call(base_url=emulator.url, session=http, verify=emulator.ca_file, timeout=10, **how)
            case.validate_response(answer, checks=[*CHECKS, *more_checks])
            and_then()

        one()

    return send_all


@MODES
@pytest.mark.parametrize(("caller", "foreign"), [("application", "me"), ("organizer", "users")])
def test_graph_answers_as_described(request, operations, send, mode, caller, foreign):
    headers = {"Authorization": f"Bearer {request.getfixturevalue(caller).token}"}
    described = operations(lambda _, path: path.startswith(("/{version}", "/beta")) and f"/{foreign}/" not in path)

    assert len(described) > 25
    for operation in described:
        send(operation, mode, headers=headers)


@MODES
def test_admin_api_answers_as_described(operations, send, mode):
    described = operations(lambda _, path: path.startswith("/emulator/") or path == "/")

    assert len(described) > 15
    for operation in described:
        has_parts = operation.body or operation.path_parameters
        if mode is GenerationMode.NEGATIVE and not has_parts:
            continue
        # Switches take text for any type, as a command line gives it.
        is_strict = operation.path != "/emulator/switches"
        send(operation, mode, [checks.negative_data_rejection] if is_strict else [])


def test_graph_and_the_page_can_show_whatever_the_admin_api_takes(operations, send, emulator, http, application):
    shown = []

    def everything_is_shown():
        pages = [http.get(f"{emulator.url}{path}", timeout=10) for path in ("/", "/emulator/state")]
        webinars = application.send("GET", "/solutions/virtualEvents/webinars", "v1.0")
        lists = [
            application.send("GET", f"/solutions/virtualEvents/webinars/{one.id}/{what}", "v1.0")
            for one in emulator.store.webinars.all()
            if one.id not in seeded
            for what in ("registrations", "registrationConfiguration/questions")
        ]
        shown.append(len(lists))
        assert {answer.status_code for answer in (*pages, webinars)} == {200}
        assert {answer.status_code for answer in lists} <= {200, 403}

    seeded = {one.id for one in emulator.store.webinars.all()} - {emulator.webinar_id}
    for operation in operations(lambda method, path: method == "POST" and path.startswith("/emulator/")):
        if not operation.path.endswith("faults"):
            send(operation, GenerationMode.POSITIVE, and_then=everything_is_shown)
    assert max(shown) > 2


def test_every_route_of_graph_that_is_described_is_there_and_takes_no_other_method(description, emulator, organizer):
    ids = {"meetingId": emulator.meeting_id, "eventId": emulator.event_id, "webinarId": emulator.webinar_id}
    ids |= {"version": "v1.0", "userId": emulator.organizer_id, "role": "organizer"}
    ids |= dict.fromkeys(("chatId", "registrationId", "registrantId", "sessionId", "email"), "x")

    for path, methods in description["paths"].items():
        if path.startswith(("/{version}", "/beta")):
            _, version, below = f"{path.format_map(ids)}?$filter=email eq 'x'".split("/", 2)
            answers = {
                method: organizer.send(method, f"/{below}", version) for method in ("GET", "POST", "PATCH", "DELETE")
            }
            there = {
                method.lower()
                for method, answer in answers.items()
                if answer.status_code != 405 and "for the segment" not in answer.text
            }
            assert there == set(methods), path


def test_answers_about_a_teams_app_are_as_described(emulator, operations, as_organizer):
    emulator.set_switches(scopes="AppCatalog.ReadWrite.All TeamsAppInstallation.ReadWriteAndConsentForChat")
    organizer = as_organizer()
    (find, upload), (count,), (install,) = (
        operations(lambda _, path, end=end: path.endswith(end))
        for end in ("/teamsApps", "/teamsApps/$count", "/installedApps")
    )
    catalog = "/appCatalogs/teamsApps"

    uploaded = organizer.send("POST", catalog, "v1.0", data=PACKAGE, headers={"Content-Type": "application/zip"})
    query = f"?$filter=id eq '{uploaded.json()['id']}'"
    found = organizer.send("GET", f"{catalog}{query}", "v1.0")
    counted = organizer.send("GET", f"{catalog}/$count{query}", "v1.0")
    asked = [{"permissionValue": name, "permissionType": "application"} for name in EVENT_PERMISSIONS]
    body = {
        "teamsApp@odata.bind": f"{emulator.url}/v1.0{catalog}/{uploaded.json()['id']}",
        "consentedPermissionSet": {"resourceSpecificPermissions": asked},
    }
    installed = organizer.send("POST", "/chats/19:x@thread.v2/installedApps", "v1.0", json=body)

    assert [one.status_code for one in (uploaded, found, counted, installed)] == [201, 200, 200, 201]
    assert (len(found.json()["value"]), counted.text) == (1, "1")
    for operation, answer in ((upload, uploaded), (find, found), (count, counted), (install, installed)):
        operation.validate_response(answer)
