"""An online meeting: its registration and its registrants."""

import uuid

import pytest

from airflow_provider_teams_registration.exceptions import AnswerLost, Conflict, Gone, NotFound, SettingsError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant

STRANGE_IDS = [
    "plain",
    "with spaces",
    " leading and trailing ",
    "a/b/c",
    "/",
    "back\\slash",
    "'single' and \"double\" quotes",
    "100%",
    "%2F",
    "%252F",
    "a%20b",
    "#fragment",
    "a+b",
    "what?",
    "a=b&c=d",
    "a;b,c:d@e",
    "ada@example.org",
    "$batch",
    "{braces} [brackets] <angles>",
    "...",
    "./a",
    "../registration",
    "line\nbreak\ttab",
    "Ünïcödé",
    "名前",
    "😀👩‍💻",
    "~",
    "x" * 1000,
    "😀/%" * 333,
]


@pytest.fixture
def closed_meeting(graph_session, emulator):
    return OnlineMeeting(graph_session, emulator.closed_meeting_id, emulator.organizer_id)


@pytest.fixture
def unknown_meeting(graph_session, emulator):
    return OnlineMeeting(graph_session, "no such meeting", emulator.organizer_id)


def paths(emulator):
    return [entry.path for entry in emulator.store.journal]


@pytest.mark.parametrize("audience", ["everyone", "organization"])
def test_registration_is_opened_read_and_closed(audience, closed_meeting, emulator):
    opened = closed_meeting.open_registration(audience)

    assert opened.allowed_registrant == audience
    assert opened.id
    assert closed_meeting.registration() == opened
    assert emulator.store.meeting(emulator.closed_meeting_id).allowed_registrant == audience

    closed_meeting.close_registration()

    assert emulator.store.meeting(emulator.closed_meeting_id).allowed_registrant is None
    with pytest.raises(NotFound):
        closed_meeting.registration()


def test_registration_is_open_to_everyone_unless_told_otherwise(closed_meeting):
    assert closed_meeting.open_registration().allowed_registrant == "everyone"


def test_audience_that_does_not_exist_is_named_and_nothing_is_sent(closed_meeting, emulator):
    with pytest.raises(SettingsError, match="is 'friends'; it must be one of everyone, organization"):
        closed_meeting.open_registration("friends")

    assert emulator.store.journal == []


def test_open_registration_cannot_be_opened_again(meeting):
    with pytest.raises(Conflict, match="409"):
        meeting.open_registration()


def test_signed_in_organizer_is_me(delegated_meeting, emulator):
    delegated_meeting.registration()
    delegated_meeting.enroll([ExternalMeetingRegistrant("a")])
    delegated_meeting.cancel("a")
    list(delegated_meeting.registrants())

    addressed = [path for path in paths(emulator) if not path.endswith("$batch")]
    assert len(addressed) == 4
    assert all(path.startswith("/beta/me/onlineMeetings/") for path in addressed)


def test_named_organizer_is_one_of_the_users(meeting, emulator):
    meeting.registration()
    meeting.enroll([ExternalMeetingRegistrant("a")])
    meeting.cancel("a")
    list(meeting.registrants())

    addressed = [path for path in paths(emulator) if not path.endswith("$batch")]
    assert len(addressed) == 4
    assert all(path.startswith(f"/beta/users/{emulator.organizer_id}/onlineMeetings/") for path in addressed)


def test_signed_in_organizer_may_be_named_too(delegated_session, emulator):
    meeting = OnlineMeeting(delegated_session, emulator.meeting_id, emulator.organizer_id)

    assert meeting.registration().allowed_registrant == "everyone"
    assert paths(emulator)[0].startswith(f"/beta/users/{emulator.organizer_id}/")


@pytest.mark.parametrize(
    "act",
    [
        lambda meeting: meeting.registration(),
        lambda meeting: meeting.open_registration(),
        lambda meeting: meeting.close_registration(),
        lambda meeting: meeting.enroll([ExternalMeetingRegistrant("a")]),
        lambda meeting: list(meeting.registrants()),
        lambda meeting: meeting.cancel("a"),
        lambda meeting: meeting.join_web_url(),
    ],
    ids=["read", "open", "close", "enroll", "list", "cancel", "link"],
)
def test_application_has_no_me(act, graph_session, emulator):
    with pytest.raises(SettingsError, match=r"organizer_id is missing.*as an application.*'refresh_token'"):
        act(OnlineMeeting(graph_session, emulator.meeting_id))

    assert emulator.store.journal == []


def test_meeting_has_a_link_of_its_own(meeting, emulator):
    assert meeting.join_web_url() == emulator.store.meeting(emulator.meeting_id).join_web_url


@pytest.mark.parametrize("are_told", [False, True])
def test_registrants_of_the_organization_are_enrolled_and_listed(graph_session, emulator, person_in_link, are_told):
    emulator.set_switches(list_shows_identities=are_told)
    meeting = OnlineMeeting(graph_session, emulator.organization_meeting_id, emulator.organizer_id)
    person = ExternalMeetingRegistrant("a", emulator.tenant_id, str(uuid.uuid4()))

    (enrolled,) = meeting.enroll([person])

    assert person_in_link(enrolled.join_web_url) == "a"
    (record,) = emulator.store.enrolled(emulator.organization_meeting_id)
    assert (record.id, record.tenant_id, record.user_id) == (person.id, person.tenant_id, person.user_id)
    assert list(meeting.registrants()) == [person if are_told else ExternalMeetingRegistrant("a")]


def test_links_do_not_show_in_what_is_printed(meeting):
    (enrolled,) = meeting.enroll([ExternalMeetingRegistrant("a")])

    assert enrolled.join_web_url not in repr(enrolled)


def test_one_person_is_cancelled_and_the_others_stay(meeting, emulator):
    meeting.enroll([ExternalMeetingRegistrant(registrant_id) for registrant_id in "abc"])

    meeting.cancel("b")

    assert [record.id for record in emulator.store.enrolled(emulator.meeting_id)] == ["a", "c"]
    assert [registrant.id for registrant in meeting.registrants()] == ["a", "c"]


def test_somebody_who_is_not_on_the_list_cannot_be_cancelled(meeting):
    with pytest.raises(NotFound, match="404"):
        meeting.cancel("nobody")


@pytest.mark.parametrize("registrant_id", ["", ".", ".."])
def test_id_without_an_address_cannot_be_cancelled(registrant_id, meeting, emulator):
    if registrant_id:
        meeting.enroll([ExternalMeetingRegistrant(registrant_id)])
    emulator.clear_journal()

    with pytest.raises(SettingsError, match="cannot stand in an address"):
        meeting.cancel(registrant_id)

    assert emulator.store.journal == []
    assert emulator.store.meeting(emulator.meeting_id).allowed_registrant == "everyone"


def test_throttled_cancellation_is_made_again_after_the_wait(meeting, emulator):
    meeting.enroll([ExternalMeetingRegistrant("a")])
    emulator.add_fault("DELETE registrants/*", status=429, retry_after="0.2")

    meeting.cancel("a")

    throttled, again = (entry for entry in emulator.store.journal if entry.method == "DELETE")
    assert 0.2 <= again.at - throttled.at < 2
    assert emulator.store.enrolled(emulator.meeting_id) == []


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}, {"omit": True}])
def test_cancellation_whose_answer_is_lost_is_not_repeated(fault, meeting, emulator):
    meeting.enroll([ExternalMeetingRegistrant("a")])
    emulator.add_fault("DELETE registrants/*", when="after", **fault)

    with pytest.raises(AnswerLost):
        meeting.cancel("a")

    assert len([entry for entry in emulator.store.journal if entry.method == "DELETE"]) == 1


@pytest.mark.parametrize("registrant_id", STRANGE_IDS, ids=range(len(STRANGE_IDS)))
def test_id_of_any_form_survives_enrolling_listing_and_cancelling(registrant_id, meeting, emulator, person_in_link):
    meeting.enroll([ExternalMeetingRegistrant("bystander")])

    (enrolled,) = meeting.enroll([ExternalMeetingRegistrant(registrant_id)])

    assert enrolled.id == registrant_id
    assert person_in_link(enrolled.join_web_url) == registrant_id
    assert [record.id for record in emulator.store.enrolled(emulator.meeting_id)] == ["bystander", registrant_id]
    assert [registrant.id for registrant in meeting.registrants()] == ["bystander", registrant_id]

    meeting.cancel(registrant_id)

    assert [record.id for record in emulator.store.enrolled(emulator.meeting_id)] == ["bystander"]
    assert emulator.store.meeting(emulator.meeting_id).allowed_registrant == "everyone"


@pytest.mark.parametrize(
    "act",
    [
        lambda meeting: meeting.registration(),
        lambda meeting: meeting.close_registration(),
        lambda meeting: list(meeting.registrants()),
        lambda meeting: meeting.cancel("a"),
    ],
    ids=["read", "close", "list", "cancel"],
)
@pytest.mark.parametrize("which", ["unknown_meeting", "closed_meeting"])
def test_meeting_that_is_unknown_or_not_open_is_not_found(act, which, request):
    with pytest.raises(NotFound, match="404 NotFound: "):
        act(request.getfixturevalue(which))


@pytest.mark.parametrize("which", ["unknown_meeting", "closed_meeting"])
def test_nobody_is_enrolled_in_a_meeting_that_is_unknown_or_not_open(which, request):
    answers = request.getfixturevalue(which).enroll([ExternalMeetingRegistrant("a"), ExternalMeetingRegistrant("b")])

    assert [type(answer) for answer in answers] == [NotFound] * 2


@pytest.mark.parametrize(
    ("retired", "kind", "sentence"),
    [
        ("empty", Gone, r"with an empty body instead of the registration.*2024-12-12; webinars replace it"),
        ("not_found", NotFound, "404 NotFound"),
        ("gone", Gone, r"410 Gone.*2024-12-12; webinars replace it"),
    ],
)
def test_retired_api_is_recognised(retired, kind, sentence, meeting, closed_meeting, emulator):
    emulator.set_switches(retired=retired)

    with pytest.raises(kind, match=sentence) as failure:
        meeting.registration()
    with pytest.raises(kind, match=sentence):
        closed_meeting.open_registration()

    assert not failure.value.transient


@pytest.mark.parametrize(("retired", "kind"), [("not_found", NotFound), ("gone", Gone), ("empty", AnswerLost)])
def test_nobody_counts_as_enrolled_where_the_api_is_retired(retired, kind, meeting, emulator):
    emulator.set_switches(retired=retired)

    answers = meeting.enroll([ExternalMeetingRegistrant("a"), ExternalMeetingRegistrant("b")])

    assert [type(answer) for answer in answers] == [kind] * 2
    assert emulator.store.enrolled(emulator.meeting_id) == []
