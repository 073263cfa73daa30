"""What an error keeps, what it says, and what it never says."""

import pytest

from airflow_provider_teams_registration.exceptions import (
    AccessPolicyMissing,
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    GraphError,
    NotFound,
    ServiceFailure,
    Throttled,
    Unauthorized,
    blank_personal,
)
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant
from airflow_provider_teams_registration.graph.response import graph_error

REGISTRANTS = "POST registration/registrants"
LINK = "https://teams.microsoft.com/l/meetup-join/19%3ameeting/0?context=%7b%22prid%22%3a%22CANARY%22%7d"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (403, Forbidden),
        (404, NotFound),
        (405, GraphError),
        (409, Conflict),
        (410, Gone),
        (423, GraphError),
    ],
)
def test_refusal_keeps_what_graph_said(status, kind, meeting, emulator):
    emulator.add_fault("GET registration", status=status, code="SomeCode", message="Some wording.")

    with pytest.raises(kind, match=f"{status} SomeCode: Some wording") as failure:
        meeting.registration()

    error = failure.value
    assert type(error) is kind
    assert (error.status, error.code, error.message) == (status, "SomeCode", "Some wording.")
    assert error.request_id == emulator.store.journal[0].request_id
    assert error.request_id in str(error)
    assert error.reason == f"{status} SomeCode: Some wording."
    assert not error.transient


@pytest.mark.parametrize(
    ("status", "kind", "is_transient"),
    [(401, Unauthorized, False), (429, Throttled, True), (500, ServiceFailure, True), (599, ServiceFailure, True)],
)
def test_status_decides_the_kind(status, kind, is_transient):
    error = graph_error(status, None, request_id=None)

    assert type(error) is kind
    assert error.transient is is_transient


@pytest.mark.parametrize("body", [None, "text", [], {}, {"error": "invalid"}, {"error": {"innerError": "text"}}])
def test_answer_of_any_shape_makes_an_error(body):
    error = graph_error(400, body, request_id="some-id")

    assert (error.code, error.message, error.request_id) == ("", "", "some-id")
    assert str(error) == "400 [request-id some-id]"


@pytest.mark.parametrize("spelling", ["innerError", "innererror"])
def test_request_id_is_found_in_the_body_where_no_header_names_it(spelling):
    error = graph_error(400, {"error": {"code": "A", spelling: {"request-id": "inner"}}}, request_id=None)

    assert error.request_id == "inner"


def test_missing_access_policy_says_what_an_administrator_has_to_do(meeting, emulator):
    emulator.set_switches(application_access_policy=False)

    with pytest.raises(AccessPolicyMissing) as failure:
        meeting.registration()

    said = str(failure.value)
    assert f"app {emulator.client_id}" in said
    assert f"organizer {emulator.organizer_id}" in said
    assert f'New-CsApplicationAccessPolicy -Identity TeamsRegistration -AppIds "{emulator.client_id}"' in said
    assert f'Grant-CsApplicationAccessPolicy -PolicyName TeamsRegistration -Identity "{emulator.organizer_id}"' in said
    assert "Get-CsApplicationAccessPolicy" in said
    assert "30 minutes" in said
    assert "application access policy" in failure.value.message
    assert (failure.value.status, failure.value.request_id) == (403, emulator.store.journal[0].request_id)
    assert not failure.value.transient


@pytest.mark.parametrize(
    "act",
    [
        lambda meeting: list(meeting.registrants()),
        lambda meeting: meeting.open_registration(),
        lambda meeting: meeting.close_registration(),
        lambda meeting: meeting.cancel("somebody"),
        lambda meeting: meeting.join_web_url(),
    ],
    ids=["list", "open", "close", "cancel", "link"],
)
def test_missing_access_policy_is_explained_whatever_was_asked(act, meeting, emulator):
    emulator.set_switches(application_access_policy=False)

    with pytest.raises(AccessPolicyMissing, match="Grant-CsApplicationAccessPolicy"):
        act(meeting)


def test_missing_access_policy_is_explained_to_everybody_in_a_batch(meeting, emulator):
    emulator.set_switches(application_access_policy=False)

    answers = meeting.enroll([ExternalMeetingRegistrant("a"), ExternalMeetingRegistrant("b")])

    assert [type(answer) for answer in answers] == [AccessPolicyMissing] * 2


def test_signed_in_organizer_is_not_sent_to_the_access_policy(delegated_meeting, emulator):
    emulator.add_fault(
        "GET registration", status=403, message="No application access policy found for this app on the user."
    )

    with pytest.raises(Forbidden) as failure:
        delegated_meeting.registration()

    assert not isinstance(failure.value, AccessPolicyMissing)
    assert "Grant-CsApplicationAccessPolicy" not in str(failure.value)
    assert "the caller is the meeting's organizer" in str(failure.value)


def test_any_other_refusal_of_the_application_names_the_permissions(meeting, emulator):
    emulator.set_switches(roles="Calendars.Read")

    with pytest.raises(Forbidden, match=r"Authorization_RequestDenied.*OnlineMeetings\.ReadWrite\.All") as failure:
        meeting.registration()

    assert not isinstance(failure.value, AccessPolicyMissing)


@pytest.mark.parametrize(
    "registrant_id",
    ["CANARY", "canary@example.org", "CANARY with spaces", "CANARY/%2F?#+'\"", "CANARY-" + "9" * 1000, "CANARY😀"],
)
@pytest.mark.parametrize("status", [400, 429])
def test_error_of_a_person_does_not_say_who_they_are(registrant_id, status, meeting, emulator):
    emulator.add_fault(
        REGISTRANTS, status=status, message=f"Registrant '{registrant_id}' <{registrant_id}> is refused, see {LINK}."
    )

    (error,) = meeting.enroll([ExternalMeetingRegistrant(registrant_id)])

    assert isinstance(error, GraphError)
    assert registrant_id in error.message
    assert "canary" not in f"{error} {error!r} {error.reason} {error.args}".lower()
    assert "is refused" in str(error)


def test_error_of_a_person_does_not_say_their_tenant_and_user(emulator, graph_session):
    meeting = OnlineMeeting(graph_session, emulator.organization_meeting_id, emulator.organizer_id)
    emulator.add_fault(REGISTRANTS, status=400, message="User CANARY-USER of CANARY-TENANT is unknown.")

    (error,) = meeting.enroll([ExternalMeetingRegistrant("a", "CANARY-TENANT", "CANARY-USER")])

    assert str(error).startswith("400 Fault: User … of … is unknown.")


def test_error_of_a_cancellation_does_not_say_who_they_are(meeting, emulator):
    wording = "CANARY 1/2 is not at registrants/CANARY%201%2F2."
    emulator.add_fault("DELETE registrants/*", status=404, message=wording)

    with pytest.raises(NotFound) as failure:
        meeting.cancel("CANARY 1/2")

    assert failure.value.message == wording
    assert "CANARY" not in f"{failure.value!r} {failure.value}"


def test_error_of_a_read_holds_no_link_address_or_token(graph_session, meeting, emulator):
    token = graph_session.token().value
    emulator.add_fault("GET registration", status=400, message=f"Ask ada@example.org, {LINK} or {token}, please.")

    with pytest.raises(BadRequest, match="Ask … … or …, please") as failure:
        meeting.registration()

    assert "ada@example.org" in failure.value.message


def test_exception_that_graph_caused_chains_to_nothing_that_says_more(meeting, emulator, no_backoff):
    emulator.add_fault("DELETE registrants/*", drop=True)

    with pytest.raises(Exception, match="whether it took effect") as failure:
        meeting.cancel("CANARY")

    chain, error = [], failure.value
    while error is not None:
        chain.append(f"{error!r}")
        error = None if error.__suppress_context__ else error.__cause__ or error.__context__
    assert "CANARY" not in " ".join(chain)


@pytest.mark.parametrize(
    ("text", "values", "blanked"),
    [
        ("nothing personal", [None, ""], "nothing personal"),
        ("id 12 and 123", ["12", "123"], "id … and …"),
        ("Ada Lovelace", ["Ada", "Ada Lovelace"], "…"),
        ("Ada <ada@example.org>", ["Ada"], "… <…>"),
        (f"go to {LINK} now", [], "go to … now"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln!", [], "token …!"),
        ("http://a/b 'x@y.org' \"z@y.org\"", [], "… '…' \"…\""),
        ("o'x@y.org's, 'o'x@y.org' and <o'x'z@y.org>", [], "…'s, '…' and <…>"),
    ],
)
def test_blanking(text, values, blanked):
    assert blank_personal(text, values) == blanked
