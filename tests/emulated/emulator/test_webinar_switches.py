"""Each switch of webinars and each of its values."""

import pytest

READ, REGISTER = "VirtualEvent.Read.All", "VirtualEventRegistration-Anon.ReadWrite.All"
PREFERENCES = {"preferredTimezone": "UTC", "preferredLanguage": "en-us"}


@pytest.mark.parametrize(
    ("duplicate", "status", "effect", "records", "links"),
    [
        ("same", 204, None, 1, 1),
        ("new_link", 204, "renewed", 1, 2),
        ("conflict", 409, None, 1, 1),
        ("bad_request", 400, None, 1, 1),
        ("second_record", 204, "enrolled", 2, 2),
    ],
)
def test_second_post_for_an_address_whatever_its_case(webinar, emulator, duplicate, status, effect, records, links):
    emulator.set_switches(duplicate=duplicate)
    webinar.register("ada")
    (first,) = emulator.store.webinars.registered(emulator.webinar_id)

    again = webinar.register("ada", email="ADA@Example.org")

    everybody = emulator.store.webinars.registered(emulator.webinar_id)
    assert (again.status_code, emulator.store.journal[-1].effect, len(everybody)) == (status, effect, records)
    assert len({first.join_web_url, *(one.join_web_url for one in everybody)}) == links


def test_second_post_of_the_signed_in_user_answers_with_the_same_registration(delegated_webinar):
    first, second = (delegated_webinar.send("POST", "/registrations", json=PREFERENCES) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]


def test_waiting_person_gets_no_new_link(other_webinar, emulator):
    emulator.set_switches(duplicate="new_link")
    webinar = other_webinar(emulator.approval_webinar_id)

    assert [webinar.register("ada").status_code for _ in range(2)] == [204, 204]

    assert emulator.store.webinars.registrations(emulator.approval_webinar_id)[0].join_web_url is None
    assert emulator.store.journal[-1].effect is None


@pytest.mark.parametrize(
    ("registration_filter", "status", "found"), [("works", 200, 1), ("refused", 400, 0), ("ignored", 200, 2)]
)
def test_filter(webinar, emulator, registration_filter, status, found):
    emulator.set_switches(registration_filter=registration_filter)
    for name in ("ada", "bob"):
        webinar.register(name)

    answer = webinar.send("GET", "/registrations?$filter=email eq 'ada@example.org'")

    assert (answer.status_code, len(answer.json().get("value", []))) == (status, found)


def test_alternate_key_that_does_not_work_is_no_segment(webinar, emulator):
    webinar.register("ada")
    emulator.set_switches(registration_key=False)

    for method, below in (("GET", ""), ("GET", "/sessions"), ("POST", "/cancel")):
        answer = webinar.send(method, f"/registrations(email='ada@example.org'){below}")
        assert answer.status_code == 400
        assert "Resource not found for the segment 'registrations(email=" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("finds", "found"), [("active", ["active", "latest"]), ("oldest", ["oldest", "oldest"]), ("nobody", [None, None])]
)
def test_alternate_key_finds_another_registration_or_none(webinar, emulator, finds, found):
    webinars, email = emulator.store.webinars, "ada@example.org"
    made = {
        "oldest": webinars.register(emulator.webinar_id, email, status="canceled"),
        "active": webinars.register(emulator.webinar_id, email),
        "latest": webinars.register(emulator.webinar_id, email, status="canceled"),
    }
    emulator.set_switches(registration_key_finds=finds)

    def named():
        answer = webinar.send("GET", f"/registrations(email='{email}')")
        assert answer.status_code == (404 if finds == "nobody" else 200)
        return answer.json().get("id")

    before = named()
    webinars.cancel(emulator.webinar_id, made["active"].id)

    assert [before, named()] == [made[one].id if one else None for one in found]
    assert webinar.send("GET", f"/registrations/{made['latest'].id}").status_code == 200


@pytest.mark.parametrize(
    ("switch", "method", "below", "missing", "done"),
    [
        ("application_may_list_registrations", "GET", "/registrations", "VirtualEvent.Read.Chat", 200),
        (
            "application_may_read_registration_sessions",
            "GET",
            "/registrations/{id}/sessions",
            "VirtualEvent.Read.Chat",
            200,
        ),
        (
            "application_may_cancel_registrations",
            "POST",
            "/registrations/{id}/cancel",
            "VirtualEventRegistration-Anon.ReadWrite.Chat",
            204,
        ),
    ],
)
def test_application_needs_more_than_it_has(
    webinar, other_webinar, as_application, emulator, switch, method, below, missing, done
):
    one = emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")
    emulator.set_switches(**{switch: False}, roles=missing)

    refused = webinar.send(method, below.format(id=one.id))

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    assert refused.json()["error"]["message"].endswith(f"Required is one of: {missing}.")
    enough = other_webinar(emulator.webinar_id, as_application())
    assert enough.send(method, below.format(id=one.id)).status_code == done


def test_organizer_lists_registrations_only_where_told(delegated_webinar, emulator):
    assert delegated_webinar.send("GET", "/registrations").status_code == 403

    emulator.set_switches(delegated_may_list_registrations=True)

    assert delegated_webinar.send("GET", "/registrations").status_code == 200


def test_required_questions_are_not_enforced(other_webinar, emulator):
    emulator.set_switches(required_questions_enforced=False)

    assert other_webinar(emulator.questions_webinar_id).register("ada").status_code == 204


def test_status_of_the_future(webinar, emulator):
    emulator.set_switches(new_registration_status="waitingForGodot")

    assert webinar.register("ada").status_code == 204

    (one,) = webinar.listed()
    assert one["status"] == "waitingForGodot"
    assert webinar.session(one["id"])["joinWebUrl"] is None


def test_new_registration_and_its_session_show_after_the_lag(webinar, emulator):
    webinar.register("ada")
    (one,) = webinar.listed()
    emulator.set_switches(visibility_lag=60)
    below = ("/registrations/{id}", "/registrations(email='ada@example.org')", "/registrations/{id}/sessions")

    assert webinar.listed() == webinar.listed("?$filter=email eq 'ada@example.org'") == []
    assert [webinar.send("GET", each.format(id=one["id"])).status_code for each in below] == [404, 404, 404]
    assert webinar.register("ada").status_code == 204
    emulator.set_switches(visibility_lag=0)

    assert [webinar.send("GET", each.format(id=one["id"])).status_code for each in below] == [200, 200, 200]
    assert len(webinar.listed()) == 1


@pytest.mark.parametrize(
    ("roles", "webinar", "listed", "one", "registered"),
    [
        (f"{READ} {REGISTER}", 200, 200, 200, 204),
        (READ, 200, 200, 200, 403),
        (REGISTER, 403, 403, 200, 204),
        ("VirtualEventRegistration-Anon.ReadWrite.Chat", 403, 403, 403, 204),
        ("VirtualEvent.Read VirtualEvent.ReadWrite", 403, 403, 403, 403),
        ("OnlineMeetings.ReadWrite.All", 403, 403, 403, 403),
    ],
)
def test_roles_say_what_the_application_may_do(
    emulator, other_webinar, as_application, roles, webinar, listed, one, registered
):
    ada = emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")
    emulator.set_switches(roles=roles)
    caller = other_webinar(emulator.webinar_id, as_application())

    for below, status in (("", webinar), ("/registrations", listed), (f"/registrations/{ada.id}", one)):
        assert caller.send("GET", below).status_code == status
    assert caller.register("bob").status_code == registered


@pytest.mark.parametrize(
    ("scopes", "read", "written"),
    [("VirtualEvent.ReadWrite", 200, 201), ("VirtualEvent.Read", 200, 403), ("x", 403, 403)],
)
def test_scopes_say_what_the_organizer_may_do(emulator, other_webinar, as_organizer, scopes, read, written):
    emulator.set_switches(scopes=scopes)
    caller = other_webinar(emulator.webinar_id, as_organizer())

    assert caller.send("GET", "/registrationConfiguration").status_code == read
    assert caller.send("POST", "/registrations", json=PREFERENCES).status_code == written


def test_meetings_have_switches_of_their_own(webinar, emulator):
    emulator.set_switches(application_may_enroll=False, retired="gone")

    assert webinar.register("ada").status_code == 204
