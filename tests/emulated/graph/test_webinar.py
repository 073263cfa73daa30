"""A webinar: what it is, its form, its registrations and their links."""

import pytest

from airflow_provider_teams_registration.exceptions import (
    AccessPolicyMissing,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    ServiceUnreachable,
    SettingsError,
    Throttled,
)
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_bodies import Question
from airflow_provider_teams_registration.graph.webinar_registration_bodies import FilterIgnored, WebinarRegistrant

ADA, BOB = "ada@example.org", "bob@example.org"


def registrant(email, **given):
    form = {"preferred_timezone": "W. Europe Standard Time", "preferred_language": "en-us", **given}
    return WebinarRegistrant(email, "First", "Last", **form)


@pytest.fixture
def webinar(graph_session, emulator):
    return Webinar(graph_session, emulator.webinar_id)


@pytest.fixture
def on(graph_session):
    return lambda webinar_id: Webinar(graph_session, webinar_id)


@pytest.fixture
def put_on(emulator):
    """Registers somebody without us."""
    return lambda email, **given: emulator.store.webinars.register(emulator.webinar_id, email, **given)


def test_what_a_webinar_is(on, emulator):
    info = on(emulator.draft_webinar_id).info()

    assert (info.id, info.display_name, info.status) == (emulator.draft_webinar_id, "Draft webinar", "draft")
    assert info.organizer_id == emulator.organizer_id
    assert on(emulator.canceled_webinar_id).info().status == "canceled"


def test_webinar_that_is_not_there(on):
    with pytest.raises(NotFound):
        on("no such webinar").info()


def test_webinar_without_an_id_is_refused_before_anything_is_sent(on, emulator):
    with pytest.raises(SettingsError, match="webinar_id is ''"):
        on("").info()
    assert emulator.store.journal == []


def test_configuration(on, emulator):
    with_waitlist, with_approval = on(emulator.waitlist_webinar_id), on(emulator.approval_webinar_id)

    assert vars(with_waitlist.configuration()) == {
        "capacity": 3,
        "is_waitlist_enabled": True,
        "is_manual_approval_enabled": False,
    }
    assert with_approval.configuration().is_manual_approval_enabled


def test_capacity_that_is_not_said(on, emulator):
    emulator.store.webinars.change(emulator.webinar_id, capacity=None)

    assert on(emulator.webinar_id).configuration().capacity is None


@pytest.mark.parametrize("page_size", [0, 2])
def test_questions_custom_and_predefined(on, emulator, page_size):
    emulator.set_switches(page_size=page_size)

    questions = on(emulator.questions_webinar_id).questions()

    assert questions[0] == Question("q-text", "Who told you of us?", True, "text")
    assert questions[1] == Question("q-single-choice", "Which track?", True, "singleChoice", ("Data", "Operations"))
    assert [one.input_type for one in questions] == ["text", "singleChoice", "multiChoice", "boolean", "text"]
    assert questions[4].display_name == "Job title"
    assert on(emulator.webinar_id).questions() == []


def test_application_is_told_nothing_of_whom_it_registers(webinar, emulator):
    assert webinar.register([registrant(ADA), registrant(BOB)]) == [None, None]
    assert [one.email for one in emulator.store.webinars.registered(emulator.webinar_id)] == [ADA, BOB]


def test_everything_of_a_registrant_arrives(on, emulator):
    given = registrant(
        ADA,
        registration_id="crm 1",
        referrer="newsletter",
        answers=(
            {"questionId": "q-text", "value": "Bob"},
            {"questionId": "q-single-choice", "value": "Data"},
            {"questionId": "q-multi-choice", "multiChoiceValues": ["Monday", "Friday"]},
            {"questionId": "q-boolean", "booleanValue": False},
        ),
    )

    assert on(emulator.questions_webinar_id).register([given]) == [None]

    (made,) = emulator.store.webinars.registered(emulator.questions_webinar_id)
    assert (made.email, made.first_name, made.last_name) == (ADA, "First", "Last")
    assert (made.preferred_timezone, made.preferred_language) == ("W. Europe Standard Time", "en-us")
    assert (made.external_registration_id, made.referrer) == ("crm 1", "newsletter")
    assert made.answers == given.answers


@pytest.mark.parametrize(
    ("duplicate", "answer", "records"),
    [
        ("same", type(None), 1),
        ("new_link", type(None), 1),
        ("conflict", Conflict, 1),
        ("bad_request", BadRequest, 1),
        ("second_record", type(None), 2),
    ],
)
def test_second_registration_is_answered_as_the_service_likes(webinar, emulator, put_on, duplicate, answer, records):
    emulator.set_switches(duplicate=duplicate)
    put_on(ADA)

    (again,) = webinar.register([registrant(ADA)])

    assert type(again) is answer
    assert len(emulator.store.webinars.registered(emulator.webinar_id)) == records
    assert ADA not in str(again)


def test_signed_in_user_is_told_their_registration(delegated_session, emulator):
    webinar = Webinar(delegated_session, emulator.webinar_id)
    form = {"preferred_timezone": "UTC", "preferred_language": "en-us"}

    (made,) = webinar.register([WebinarRegistrant("organizer@emulator.example", **form)])

    (record,) = emulator.store.webinars.registered(emulator.webinar_id)
    assert (made.id, made.status, made.email) == (record.id, "registered", "organizer@emulator.example")
    assert record.user_id == emulator.organizer_id


def test_one_refusal_stands_for_one_person_and_repeats_nothing_of_theirs(webinar, emulator):
    answer, refusal = webinar.register([registrant(ADA), registrant(BOB, preferred_language="")])

    assert answer is None
    assert isinstance(refusal, BadRequest)
    assert "preferredLanguage" in str(refusal)
    assert BOB not in str(refusal)
    assert BOB not in repr(registrant(BOB))


def test_refusal_repeats_nothing_that_the_person_answered(on, emulator):
    echo = "First Last, our crm 1, sent by Grace Hopper, answered: told by Bob; Data; Monday, Friday"
    emulator.add_fault("POST registrations", status=400, code="BadRequest", message=echo)
    answers = (
        {"questionId": "q-text", "value": "told by Bob"},
        {"questionId": "q-single-choice", "value": "Data"},
        {"questionId": "q-multi-choice", "multiChoiceValues": ["Monday", "Friday"]},
    )

    ada = registrant(ADA, registration_id="crm 1", referrer="sent by Grace Hopper", answers=answers)
    (refusal,) = on(emulator.questions_webinar_id).register([ada])

    assert str(refusal).startswith("400 BadRequest: … …, our …, …, answered: …; …; …, …")


@pytest.mark.parametrize("page_size", [0, 2])
def test_list_holds_everybody_and_says_what_became_of_them(webinar, emulator, put_on, page_size):
    emulator.set_switches(page_size=page_size, empty_page=True)
    for status in ("registered", "waitlisted", "pendingApproval", "rejectedByOrganizer", "canceled", "beamedUp"):
        put_on(f"{status}@Example.org", status=status, external_registration_id=f"our {status}")

    listed = list(webinar.registrations())

    assert [one.email for one in listed] == [f"{one.status}@example.org".lower() for one in listed]
    assert [one.registration_id for one in listed] == [f"our {one.status}" for one in listed]
    assert {one.status for one in listed} >= {"registered", "canceled", "beamedUp"}


@pytest.mark.parametrize("by_filter", [False, True])
@pytest.mark.parametrize("email", [ADA, "o'hara+news@example.org", "a/b?c#d%20e@example.org", "ünï@exämple.org"])
def test_look_up_finds_the_one(webinar, put_on, by_filter, email):
    put_on("somebody@example.org")
    made = put_on(email)

    found, nobody = webinar.registrations_by_email([email, "nobody@example.org"], by_filter=by_filter)

    assert (found.id, found.email) == (made.id, email)
    assert nobody is None or isinstance(nobody, NotFound)


@pytest.mark.parametrize("by_filter", [False, True])
def test_address_in_another_case_is_the_same_person(webinar, put_on, by_filter):
    made = put_on("Ada@Example.ORG")

    (found,) = webinar.registrations_by_email([ADA], by_filter=by_filter)

    assert (found.id, found.email) == (made.id, ADA)


@pytest.mark.parametrize("by_filter", [False, True])
def test_addresses_are_in_no_address_of_a_request_of_its_own(webinar, emulator, by_filter):
    webinar.registrations_by_email([ADA], by_filter=by_filter)

    assert not [entry for entry in emulator.store.journal if entry.batch is None and "ada" in entry.path]


def test_filter_that_is_refused_or_ignored_finds_nobody(webinar, emulator, put_on):
    put_on(BOB)
    emulator.set_switches(registration_filter="refused")
    (refused,) = webinar.registrations_by_email([ADA], by_filter=True)
    emulator.set_switches(registration_filter="ignored")
    (ignored,) = webinar.registrations_by_email([ADA], by_filter=True)

    assert isinstance(refused, BadRequest)
    assert isinstance(ignored, FilterIgnored)


def test_key_that_the_service_does_not_know(webinar, emulator, put_on):
    put_on(ADA)
    emulator.set_switches(registration_key=False)

    (refused,) = webinar.registrations_by_email([ADA], by_filter=False)

    assert isinstance(refused, BadRequest)
    assert ADA not in str(refused)


def test_registrations_and_links_by_id(webinar, put_on):
    ada, bob = put_on(ADA), put_on(BOB, status="waitlisted")

    first, second, nobody = webinar.registrations_by_id([ada.id, bob.id, "nobody"])
    assert (first.email, first.status, second.email, second.status) == (ADA, "registered", BOB, "waitlisted")
    assert isinstance(nobody, NotFound)

    link, no_link, nothing = webinar.join_web_urls([ada.id, bob.id, "nobody"])
    assert (link, no_link) == (ada.join_web_url, None)
    assert isinstance(nothing, NotFound)


def test_link_that_may_not_be_read_names_what_is_missing(webinar, emulator, put_on):
    emulator.set_switches(application_may_read_registration_sessions=False)

    (refused,) = webinar.join_web_urls([put_on(ADA).id])

    assert isinstance(refused, Forbidden)


def test_cancelled_people_are_off(webinar, emulator, put_on):
    ada, bob = put_on(ADA), put_on(BOB)

    done, nobody = webinar.cancel_all([ada.id, "nobody"])

    assert done is None
    assert isinstance(nobody, NotFound)
    assert emulator.store.webinars.registered(emulator.webinar_id) == [bob]


def test_refusal_to_cancel_repeats_nothing_that_is_known_of_them(webinar, emulator, put_on):
    emulator.add_fault("POST cancel", status=400, code="BadRequest", message=f"{ADA} (crm 1) stays.")

    (refusal,) = webinar.cancel_all([put_on(ADA).id], personal=["crm 1"])

    assert isinstance(refusal, BadRequest)
    assert str(refusal).startswith("400 BadRequest: … (…) stays.")


@pytest.mark.parametrize(
    ("switch", "call", "permission"),
    [
        (
            {"roles": "VirtualEvent.Read.All"},
            lambda one: one.register([registrant(ADA)])[0],
            "VirtualEventRegistration",
        ),
        (
            {"application_may_cancel_registrations": False},
            lambda one: one.cancel_all([next(one.registrations()).id])[0],
            "VirtualEventRegistration-Anon.ReadWrite.Chat",
        ),
    ],
)
def test_refused_write_names_the_permission(emulator, put_on, webinar, switch, call, permission):
    put_on(BOB)
    emulator.set_switches(**switch)

    error = call(webinar)

    assert isinstance(error, Forbidden)
    assert f"application needs {permission}" in str(error).replace("the event's own ", "")
    assert "OnlineMeetings" not in str(error)


@pytest.mark.parametrize(
    "read",
    [Webinar.info, Webinar.questions, Webinar.configuration, lambda one: list(one.registrations())],
    ids=["info", "questions", "configuration", "list"],
)
def test_refused_read_names_the_permission(emulator, webinar, read):
    emulator.set_switches(application_access_policy=False)
    with pytest.raises(Forbidden, match=r"VirtualEvent\.Read\.All with an application access policy") as caught:
        read(webinar)
    assert "OnlineMeetings" not in str(caught.value)


@pytest.mark.parametrize(
    "message",
    [
        "No application access policy found for this app {app} on the user {organizer}.",
        "Application is not allowed to perform operations on the user '{organizer}', neither is allowed access through "
        "RSC permission evaluation.",
    ],
    ids=["policy", "policy and consent for the event"],
)
def test_a_missing_access_policy_is_named_with_the_cmdlets_filled_in(emulator, webinar, message):
    said = message.format(app=emulator.client_id, organizer=emulator.organizer_id)
    emulator.add_fault("GET webinars*", status=403, code="Forbidden", message=said)
    with pytest.raises(AccessPolicyMissing) as caught:
        webinar.info()
    assert f'New-CsApplicationAccessPolicy -Identity TeamsRegistration -AppIds "{emulator.client_id}"' in str(
        caught.value
    )
    assert f'-PolicyName TeamsRegistration -Identity "{emulator.organizer_id}"' in str(caught.value)


@pytest.mark.parametrize("status", [403, 404])
def test_every_refused_read_of_an_application_tells_of_the_access_policy(emulator, webinar, status):
    emulator.add_fault("GET webinars*", status=status, code="Forbidden" if status == 403 else "NotFound")
    with pytest.raises((Forbidden, NotFound)) as caught:
        webinar.info()
    assert f'New-CsApplicationAccessPolicy -Identity TeamsRegistration -AppIds "{emulator.client_id}"' in str(
        caught.value
    )


def test_users_refusal_names_the_users_permission(emulator, delegated_session):
    emulator.set_switches(scopes="Calendars.Read")
    with pytest.raises(Forbidden, match="user needs VirtualEvent"):
        Webinar(delegated_session, emulator.webinar_id).info()


def test_organizer_publishes(delegated_session, on, emulator):
    Webinar(delegated_session, emulator.draft_webinar_id).publish()

    assert on(emulator.draft_webinar_id).info().status == "published"
    with pytest.raises(Forbidden):
        on(emulator.draft_webinar_id).publish()
    with pytest.raises(BadRequest):
        Webinar(delegated_session, emulator.canceled_webinar_id).publish()


@pytest.mark.usefixtures("no_backoff")
class TestReadsInBatches:
    """Reads are repeated where that may help, and only those that need it."""

    @pytest.mark.parametrize("how", [{"status": 429, "retry_after": "0"}, {"status": 503}, {"omit": True}])
    def test_items_without_an_answer_are_read_again(self, webinar, emulator, put_on, how):
        put_on(ADA)
        put_on(BOB)
        emulator.add_fault("GET registrations*", nth=2, times=2, **how)

        first, second = webinar.registrations_by_email([ADA, BOB], by_filter=False)

        assert (first.email, second.email) == (ADA, BOB)
        looks = [entry for entry in emulator.store.journal if entry.batch is not None]
        assert len(looks) == 4

    @pytest.mark.parametrize("how", [{"status": 429, "retry_after": "0"}, {"status": 503}, {"drop": True}])
    def test_lost_call_is_made_again(self, webinar, emulator, put_on, how):
        put_on(ADA)
        emulator.add_fault("POST $batch", times=2, **how)

        assert webinar.registrations_by_email([ADA], by_filter=True)[0].email == ADA

    def test_answers_that_never_come_are_given_up(self, webinar, emulator):
        emulator.add_fault("POST $batch", times=0, drop=True)
        with pytest.raises(ServiceUnreachable, match="several times"):
            webinar.registrations_by_email([ADA], by_filter=False)

    def test_more_patience_than_there_is_ends_it_at_once(self, webinar, emulator, calls):
        emulator.add_fault("GET registrations*", status=429, retry_after="1000", times=0)
        with pytest.raises(Throttled) as caught:
            webinar.registrations_by_email([ADA], by_filter=False)
        assert caught.value.retry_after == 1000
        assert calls() == ["POST $batch"]

    def test_refusal_is_not_read_again(self, webinar, emulator, calls):
        emulator.set_switches(registration_filter="refused")
        webinar.registrations_by_email([ADA, BOB], by_filter=True)

        assert calls() == ["POST $batch"]
