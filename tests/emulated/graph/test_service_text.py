"""Whatever the service says is short, and every database, XCom and log can hold it."""

import json
import time

import pytest

from airflow_provider_teams_registration.core.service_text import storable
from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    GraphError,
    ServiceUnreachable,
    SignInError,
    blank_personal,
)
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant

NASTY = {
    "half a surrogate pair": '"\\ud800 half \\udfff"',
    "NUL": '"no\\u0000thing"',
    "line breaks": '"a\\r\\nforged line\\u2028\\u0085\\u001b[31m"',
    "70,000 characters": json.dumps("x" * 70_000),
    "5 MB": json.dumps("x" * 5_000_000),
    "number": "4" * 4_000,
    "list": "[" * 2_000 + "]" * 2_000,
    "object": '{"a": null}',
    "true": "true",
}
NASTY_HEADERS = {"70,000 characters": "x" * 7_000, "percent": "%00%0A"}


def assert_storable(error):
    said = [str(error), repr(error), *map(str, error.args), getattr(error, "reason", ""), error.request_id or ""]
    for text in [*said, getattr(error, "code", "")]:
        assert len(text) < 1_500
        text.encode()
        assert all(character.isprintable() or character == " " for character in text)
    kept = getattr(error, "message", "")
    assert len(kept) <= 4_000
    kept.encode()
    assert "\0" not in kept


@pytest.mark.parametrize("nasty", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("place", ["code", "message", "request-id", "error"])
@pytest.mark.parametrize("call", ["read", "write", "item"])
def test_refusal_of_any_wording_makes_an_error_that_can_be_stored(place, nasty, call, meeting, emulator, graph_session):
    bodies = {
        "code": f'{{"error": {{"code": {nasty}, "message": "m"}}}}',
        "message": f'{{"error": {{"code": "c", "message": {nasty}}}}}',
        "request-id": f'{{"error": {{"code": "c", "innerError": {{"request-id": {nasty}}}}}}}',
        "error": f'{{"error": {nasty}}}',
    }
    route = {"read": "GET registration", "write": "POST registration", "item": "POST registration/registrants"}[call]
    emulator.add_fault(route, status=400, body=bodies[place], content_type="application/json", times=0)

    error = _error_of(call, meeting, graph_session, emulator)

    assert isinstance(error, GraphError | AnswerLost)
    assert_storable(error)


def _error_of(call, meeting, session, emulator):
    if call == "item":
        (answer,) = meeting.enroll([ExternalMeetingRegistrant("ada")])
        return answer
    try:
        if call == "read":
            meeting.registration()
        else:
            OnlineMeeting(session, emulator.closed_meeting_id, emulator.organizer_id).open_registration()
    except (GraphError, AnswerLost) as error:
        return error
    raise AssertionError("no error")


@pytest.mark.parametrize("nasty", NASTY_HEADERS.values(), ids=NASTY_HEADERS)
@pytest.mark.parametrize("status", [400, 503])
def test_header_of_any_length_makes_an_error_that_can_be_stored(nasty, status, meeting, emulator, no_backoff):
    headers = {"request-id": nasty, "Retry-After": "0." + "0" * 6_000 if status == 503 else nasty}
    emulator.add_fault("GET registration", status=status, headers=headers, times=0)

    assert_storable(_error_of("read", meeting, None, emulator))


@pytest.mark.parametrize("nasty", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("place", ["error", "error_description"])
def test_refusal_of_entra_of_any_wording_makes_an_error_that_can_be_stored(
    place, nasty, open_session, settings, emulator
):
    nasty = nasty.replace('"', '"AADSTS', 1) if place == "error_description" else nasty
    body = {"error": f'{{"error": {nasty}}}', "error_description": f'{{"error": "e", "error_description": {nasty}}}'}
    emulator.add_fault("POST token", status=400, body=body[place], content_type="application/json", times=0)

    with pytest.raises((SignInError, ServiceUnreachable)) as failure:
        open_session(settings).token()

    said = str(failure.value)
    assert len(said) < 500
    assert all(character.isprintable() for character in said)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 20_000,
        "a'" * 10_000,
        "a'" * 10_000 + "@",
        "@." * 10_000,
        "a@b" * 7_000,
        "." * 20_000 + "@a.b",
        "eyJ" * 7_000,
        "http://" * 3_000,
        "%" * 20_000,
        "%25" * 7_000,
        "Ada " * 5_000,
        "<'\"" * 7_000,
        "aaaa" * 1_250_000,
        "a'@." * 1_250_000,
    ],
    ids=lambda text: f"{text[:4]} {len(text)}",
)
def test_blanking_takes_no_time_whatever_the_text(text):
    began_at = time.monotonic()

    blanked = blank_personal(text, ["Ada Lovelace", "a" * 3_999 + "b", "ada@example.org", None])

    assert time.monotonic() - began_at < 1
    assert len(blanked) <= 500


@pytest.mark.parametrize("value", ["Ada Lovelace", "ada@example.org", "x" * 1_000, "a%20b 1/2", "ÄÖÜ ß", "12"])
@pytest.mark.parametrize("end", range(1, 14))
def test_value_that_a_cut_goes_through_does_not_show(value, end):
    """However many of its characters are left, and wherever they stand."""
    text = ("word " * 1_000)[: 4_000 - end]

    blanked = blank_personal(f"{text} {value} and more" + " word" * 1_000, [value])

    assert blanked.startswith("word word")
    assert not set(blanked) - set("word …")


def test_text_that_is_fine_is_left_alone():
    assert storable("Grüße, 你好 😀") == "Grüße, 你好 😀"
    assert storable(42) == "42"


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, b"x"])
def test_what_is_no_text_is_no_text(value):
    assert storable(value) == ""


def test_long_text_is_cut_and_says_so():
    assert storable("x" * 1_000, at_most=10) == "x" * 9 + "…"
