"""Bodies, their types and their contexts, as Microsoft's pages print them."""

import pytest

REGISTRATION_TYPE = "#microsoft.graph.externalMeetingRegistration"
REGISTRANT_TYPE = "#microsoft.graph.externalMeetingRegistrant"
ELSEWHERE = {
    "tenantId": "909c6581-5130-43e9-88f3-fcb3582cde37",
    "userId": "cc515404-b55c-466e-b896-992c918ecc01",
}


@pytest.fixture
def organization_registrants(application, emulator):
    """The path of those who are on the meeting that is open to the organization."""
    meeting = f"/users/{emulator.organizer_id}/onlineMeetings/{emulator.organization_meeting_id}"
    return f"{meeting}/registration/registrants"


@pytest.fixture
def enroll_from_elsewhere(application, organization_registrants):
    """Enrolls somebody with the tenant that the page's sample has, which is not the organizer's."""
    body = {"@odata.type": REGISTRANT_TYPE, "id": "30494ab7-7338-4592-bfec-a4333be2a0a6", **ELSEWHERE}
    return lambda: application.send("POST", organization_registrants, json=body)


def identity(body):
    return {name: body[name] for name in ELSEWHERE}


def test_sample_of_an_organization_is_enrolled(enroll_from_elsewhere):
    answer = enroll_from_elsewhere()

    assert (answer.status_code, identity(answer.json())) == (200, ELSEWHERE)


def test_organization_may_be_one_tenant(enroll_from_elsewhere, application, organization_registrants, emulator):
    emulator.set_switches(organization_is_one_tenant=True)

    assert enroll_from_elsewhere().status_code == 400
    own = {"@odata.type": REGISTRANT_TYPE, "id": "p", **ELSEWHERE, "tenantId": emulator.tenant_id}
    assert application.send("POST", organization_registrants, json=own).status_code == 200


@pytest.mark.parametrize(("shown", "told"), [(False, dict.fromkeys(ELSEWHERE)), (True, ELSEWHERE)])
def test_reads_name_tenant_and_user_if_told(
    enroll_from_elsewhere, application, organization_registrants, emulator, shown, told
):
    emulator.set_switches(list_shows_identities=shown)
    enrolled = enroll_from_elsewhere().json()

    (listed,) = application.send("GET", organization_registrants).json()["value"]
    read = application.send("GET", f"{organization_registrants}/{enrolled['id']}").json()

    assert identity(listed) == identity(read) == told
    assert identity(enrolled) == ELSEWHERE


@pytest.mark.parametrize("who", ["application", "organizer"])
def test_contexts_name_the_organizer_and_the_meeting(request, emulator, who):
    caller = request.getfixturevalue(who)
    metadata = f"{emulator.url}/beta/$metadata#users('{emulator.organizer_id}')/onlineMeetings"
    registration = f"{metadata}('{emulator.meeting_id}')/registration"

    def context(answer):
        return answer.json()["@odata.context"]

    whole = caller.send("GET", caller.meeting)
    assert context(whole) == f"{metadata}/$entity"
    found = {"$filter": f"JoinWebUrl eq '{whole.json()['joinWebUrl']}'"}
    meetings = caller.meeting.rpartition("/")[0]
    assert context(caller.send("GET", meetings, params=found)) == metadata
    assert context(caller.send("POST", meetings, json={})) == f"{metadata}/$entity"
    assert context(caller.send("GET", caller.registration)) == f"{registration}/$entity"
    assert context(caller.enroll("p")) == f"{registration}/registrants/$entity"
    assert context(caller.send("GET", caller.registrants)) == f"{registration}/registrants"
    assert context(caller.send("GET", f"{caller.registrants}/p")) == f"{registration}/registrants/$entity"


def test_organizer_of_a_webinar_has_the_type_that_tells_the_tenant(webinar, emulator):
    created_by = webinar.send("GET").json()["createdBy"]

    assert created_by == {
        "application": None,
        "device": None,
        "user": {
            "@odata.type": "#microsoft.graph.communicationsUserIdentity",
            "id": emulator.organizer_id,
            "displayName": "Organizer",
            "tenantId": emulator.tenant_id,
        },
    }


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_signed_in_user_is_told_what_they_answered(organizer, other_webinar, emulator, version):
    webinar = other_webinar(emulator.questions_webinar_id, organizer)
    answers = [
        {"questionId": "q-text", "value": "Airflow"},
        {"questionId": "q-single-choice", "value": "Data"},
    ]
    form = {"preferredTimezone": "UTC", "preferredLanguage": "en-us", "registrationQuestionAnswers": answers}
    asked = {
        one.id: one.display_name for one in emulator.store.webinars.webinar(emulator.questions_webinar_id).questions
    }

    made = webinar.send("POST", "/registrations", version, json=form)

    assert made.status_code == 201
    told = {one["questionId"]: one["displayName"] for one in made.json()["registrationQuestionAnswers"]}
    assert told == {name: asked[name] for name in ("q-text", "q-single-choice")}
    read = webinar.send("GET", f"/registrations/{made.json()['id']}", version).json()
    in_reads = {one["questionId"]: one["displayName"] for one in read["registrationQuestionAnswers"]}
    assert in_reads == (told if version == "beta" else dict.fromkeys(told))
