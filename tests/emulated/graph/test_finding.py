"""From what people know of an event to its id."""

import json
from urllib.parse import quote

import pytest

from airflow_provider_teams_registration.emulator.store.seeded import EVENT_ID, ORGANIZER_ID
from airflow_provider_teams_registration.exceptions import (
    AccessPolicyMissing,
    BadRequest,
    Forbidden,
    NotFound,
    ServiceUnreachable,
    SettingsError,
)
from airflow_provider_teams_registration.graph.event_search import (
    meeting_by_calendar_event,
    meeting_by_join_meeting_id,
    meeting_by_join_web_url,
    webinar_by_name,
)
from airflow_provider_teams_registration.graph.webinar_by_link import webinar_by_link

STRANGER = "99999999-9999-4999-8999-999999999999"


@pytest.fixture(params=["application", "user"])
def caller(request, graph_session, delegated_session):
    """Session and organizer id as either kind of connection gives them."""
    return (graph_session, ORGANIZER_ID) if request.param == "application" else (delegated_session, None)


@pytest.fixture
def books_meeting(emulator):
    return emulator.store.meeting(emulator.meeting_id)


@pytest.mark.parametrize("encoded", [True, False])
def test_link_leads_to_the_meeting(caller, emulator, meeting, encoded):
    from urllib.parse import unquote

    link = meeting.join_web_url()
    session, organizer_id = caller

    assert meeting_by_join_web_url(session, link if encoded else unquote(link), organizer_id) == emulator.meeting_id


def test_link_is_in_no_address(graph_session, emulator, meeting):
    link = meeting.join_web_url()
    emulator.clear_journal()
    meeting_by_join_web_url(graph_session, link, emulator.organizer_id)

    assert {entry.batch is None for entry in emulator.store.journal if "filter" in entry.path} <= {False}
    assert [entry.path for entry in emulator.store.journal if entry.batch is None] == ["/v1.0/$batch"]


@pytest.mark.parametrize(
    "copied",
    [
        lambda link: f" <{link[:50]}\r\n{link[50:]}> ",
        lambda link: f"https://eur01.safelinks.protection.outlook.com/?url={quote(link, safe='')}&reserved=0",
    ],
    ids=["broken into lines", "Safe Links"],
)
def test_link_that_a_mail_program_changed_leads_to_the_meeting(caller, emulator, books_meeting, copied):
    session, organizer_id = caller

    found = meeting_by_join_web_url(session, copied(books_meeting.join_web_url), organizer_id)
    assert found == emulator.meeting_id


def test_short_link_leads_to_the_meeting_by_its_number(caller, emulator, books_meeting):
    session, organizer_id = caller
    link = f"https://teams.microsoft.com/meet/{books_meeting.join_meeting_id}?p=passcode"

    assert meeting_by_join_web_url(session, link, organizer_id) == emulator.meeting_id


@pytest.mark.parametrize("of", ["organizer", "registrant", "registration page"])
def test_link_leads_to_the_webinar(caller, emulator, of):
    registered = emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")
    link = {
        "organizer": emulator.store.webinars.webinar(emulator.webinar_id).join_web_url,
        "registrant": registered.join_web_url,
        "registration page": f"https://events.teams.microsoft.com/event/{emulator.webinar_id}",
    }[of]

    facts = webinar_by_link(caller[0], link)

    assert (facts.webinar_id, facts.title) == (emulator.webinar_id, "Open webinar")


def test_webinar_is_found_among_more_than_one_call_takes(graph_session, emulator):
    for number in range(25):
        emulator.store.webinars.add(
            f"Later webinar {number}", start={"dateTime": "2028-01-01T09:00:00", "timeZone": "UTC"}
        )
    link = emulator.store.webinars.webinar(emulator.webinar_id).join_web_url

    assert webinar_by_link(graph_session, link).webinar_id == emulator.webinar_id


def test_link_that_leads_to_no_webinar_is_not_found(caller, books_meeting):
    with pytest.raises(NotFound, match="leads to no webinar") as failure:
        webinar_by_link(caller[0], books_meeting.join_web_url)
    assert "meetup-join" not in str(failure.value)


def test_session_that_cannot_be_read_may_be_the_one(graph_session, emulator, books_meeting):
    emulator.add_fault("GET sessions", status=403, code="Forbidden")
    with pytest.raises(Forbidden, match=r"VirtualEvent\.Read\.All"):
        webinar_by_link(graph_session, books_meeting.join_web_url)


@pytest.mark.usefixtures("no_backoff")
def test_sessions_that_a_later_page_lists_may_be_the_one(graph_session, emulator, books_meeting):
    emulator.add_fault("GET sessions", body='{"value": [], "@odata.nextLink": "https://graph.example/next"}', times=100)
    with pytest.raises(ServiceUnreachable, match="not all"):
        webinar_by_link(graph_session, books_meeting.join_web_url)


@pytest.mark.usefixtures("no_backoff")
def test_another_webinar_in_place_of_the_one_on_the_registration_page_is_not_taken(graph_session, emulator):
    page = f"https://events.teams.microsoft.com/event/{emulator.webinar_id}"
    other = {"id": emulator.questions_webinar_id, "displayName": "Another webinar", "status": "published"}
    emulator.add_fault("GET webinars/*", body=json.dumps(other), times=100)

    with pytest.raises(ServiceUnreachable, match="another webinar"):
        webinar_by_link(graph_session, page)


CHANNEL = "https://teams.microsoft.com/l/meetup-join/19%3achannel%40thread.tacv2/"


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("known", ["long link", "link to a meeting of the same channel", "short link", "number"])
def test_another_meeting_in_place_of_the_one_that_was_searched_for_is_not_taken(caller, emulator, books_meeting, known):
    session, organizer_id = caller
    number = books_meeting.join_meeting_id
    links = {
        "long link": books_meeting.join_web_url,
        "link to a meeting of the same channel": f"{CHANNEL}1565807195458?context=x",
        "short link": f"https://teams.microsoft.com/meet/{number}",
    }
    other = {
        "id": "MSpvdGhlcg==",
        "joinWebUrl": f"{CHANNEL}1565807195459?context=x",
        "joinMeetingIdSettings": {"joinMeetingId": "111 222 333 44"},
    }
    emulator.add_fault("GET onlineMeetings*", body=json.dumps({"value": [other]}), times=100)

    find = meeting_by_join_meeting_id if known == "number" else meeting_by_join_web_url
    with pytest.raises(ServiceUnreachable, match="another meeting") as failure:
        find(session, links.get(known, number), organizer_id)
    assert "meetup-join" not in str(failure.value)


def test_application_without_permission_to_list_webinars_is_told_what_it_needs(graph_session, emulator):
    link = emulator.store.webinars.webinar(emulator.webinar_id).join_web_url
    emulator.set_switches(roles="VirtualEvent.Read.Chat VirtualEventRegistration-Anon.ReadWrite.Chat")
    with pytest.raises(Forbidden, match=r"application needs VirtualEvent\.Read\.All"):
        webinar_by_link(graph_session, link)


def test_unknown_link_is_not_found(caller):
    session, organizer_id = caller
    with pytest.raises(NotFound, match="no such online meeting"):
        meeting_by_join_web_url(session, "https://teams.microsoft.com/l/meetup-join/19%3aother/0", organizer_id)


def test_quote_in_a_link_is_no_other_filter(caller):
    session, organizer_id = caller
    with pytest.raises(NotFound):
        meeting_by_join_web_url(session, "https://teams.example/' or JoinWebUrl ne '", organizer_id)


def test_refusal_is_raised(graph_session, emulator):
    emulator.add_fault("GET onlineMeetings*", status=400, code="BadRequest")
    with pytest.raises(BadRequest):
        meeting_by_join_web_url(graph_session, "https://teams.example/", emulator.organizer_id)


@pytest.mark.parametrize(
    "say",
    [lambda number: " ".join([number[:3], number[3:6], number[6:]]), str, int],
    ids=["with spaces", "without", "as a number"],
)
def test_number_leads_to_the_meeting(caller, emulator, books_meeting, say):
    session, organizer_id = caller

    assert meeting_by_join_meeting_id(session, say(books_meeting.join_meeting_id), organizer_id) == emulator.meeting_id


@pytest.mark.parametrize("number", ["", "12a", "https://teams.example/"])
def test_what_is_no_number_is_refused_before_anything_is_sent(graph_session, emulator, number):
    with pytest.raises(SettingsError, match="join_meeting_id must be a number"):
        meeting_by_join_meeting_id(graph_session, number, emulator.organizer_id)
    assert emulator.store.journal == []


def test_number_of_nobodys_meeting_is_not_found(caller):
    session, organizer_id = caller
    with pytest.raises(NotFound, match="no such online meeting"):
        meeting_by_join_meeting_id(session, "999999999999", organizer_id)


def test_calendar_event_leads_to_the_meeting(caller, emulator):
    session, organizer_id = caller

    assert meeting_by_calendar_event(session, emulator.event_id, organizer_id) == emulator.meeting_id
    assert meeting_by_calendar_event(session, emulator.closed_event_id, organizer_id) == emulator.closed_meeting_id


def test_unknown_calendar_event_is_not_found(caller):
    session, organizer_id = caller
    with pytest.raises(NotFound):
        meeting_by_calendar_event(session, "no such event", organizer_id)


@pytest.mark.parametrize(
    "find",
    [
        lambda session: meeting_by_join_web_url(session, "https://teams.example/"),
        lambda session: meeting_by_join_meeting_id(session, "123"),
        lambda session: meeting_by_calendar_event(session, "event"),
        lambda session: webinar_by_name(session, "Open webinar"),
    ],
)
def test_application_has_to_name_the_organizer(graph_session, emulator, find):
    with pytest.raises(SettingsError, match="organizer_id is missing"):
        find(graph_session)
    assert emulator.store.journal == []


def test_name_leads_to_the_webinar(caller, emulator):
    session, organizer_id = caller

    assert webinar_by_name(session, "Open webinar", organizer_id) == emulator.webinar_id
    assert webinar_by_name(session, "Draft webinar", organizer_id) == emulator.draft_webinar_id


@pytest.mark.parametrize("page_size", [0, 1, 3])
def test_webinar_on_a_later_page_is_found(caller, emulator, page_size):
    emulator.set_switches(page_size=page_size, empty_page=True)
    session, organizer_id = caller

    assert webinar_by_name(session, "Webinar with approval", organizer_id) == emulator.approval_webinar_id


@pytest.mark.parametrize("name", ["Canceled webinar", "open webinar", "Open", "No such webinar"])
def test_cancelled_and_other_webinars_are_not_found(caller, name):
    session, organizer_id = caller
    with pytest.raises(NotFound, match="no webinar of that name"):
        webinar_by_name(session, name, organizer_id)


def test_name_of_two_webinars_is_refused(caller, emulator):
    emulator.store.webinars.add("Open webinar", "another")
    session, organizer_id = caller
    with pytest.raises(SettingsError, match="more than one webinar of that name; name the event by its id"):
        webinar_by_name(session, "Open webinar", organizer_id)


def test_name_of_a_webinar_and_of_a_cancelled_one_is_the_first(caller, emulator):
    emulator.store.webinars.add("Open webinar", "another", status="canceled")
    session, organizer_id = caller

    assert webinar_by_name(session, "Open webinar", organizer_id) == emulator.webinar_id


def test_webinar_of_an_organizer_without_access_policy_is_no_silent_answer(graph_session, emulator):
    emulator.set_switches(application_access_policy=False)
    with pytest.raises((Forbidden, NotFound)):
        webinar_by_name(graph_session, "Open webinar", emulator.organizer_id)


@pytest.mark.parametrize(
    ("find", "permissions"),
    [
        (
            lambda session, organizer_id: webinar_by_name(session, "Open webinar", organizer_id),
            {"application": "application needs VirtualEvent.Read.All", "user": "user needs VirtualEvent.Read."},
        ),
        (
            lambda session, organizer_id: meeting_by_calendar_event(session, EVENT_ID, organizer_id),
            {"application": "application needs Calendars.Read", "user": "user needs Calendars.Read"},
        ),
    ],
    ids=["webinar by its name", "meeting by its calendar event"],
)
def test_missing_permission_is_named(find, permissions, emulator, caller):
    emulator.set_switches(roles="OnlineMeetings.ReadWrite.All", scopes="OnlineMeetings.ReadWrite")
    kind = "user" if caller[1] is None else "application"
    with pytest.raises(Forbidden) as failure:
        find(*caller)

    assert permissions[kind] in str(failure.value)
    assert "OnlineMeetings" not in str(failure.value)


@pytest.mark.parametrize(
    "find",
    [
        lambda session, one: webinar_by_name(session, "Open webinar", one),
        lambda session, one: meeting_by_join_meeting_id(session, "123 456 789 01", one),
        lambda session, one: meeting_by_join_web_url(session, "https://teams.example/", one),
    ],
    ids=["webinar by its name", "meeting by its number", "meeting by its link"],
)
def test_missing_access_policy_is_named_with_the_cmdlets_filled_in(find, emulator, graph_session):
    emulator.set_switches(application_access_policy=False)
    with pytest.raises(AccessPolicyMissing) as failure:
        find(graph_session, emulator.organizer_id)
    assert f'-AppIds "{emulator.client_id}"' in str(failure.value)
    assert f'-Identity "{emulator.organizer_id}"' in str(failure.value)


def test_strangers_webinars_are_not_found(graph_session):
    with pytest.raises((Forbidden, NotFound)):
        webinar_by_name(graph_session, "Open webinar", STRANGER)
