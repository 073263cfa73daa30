"""``/$count`` below a list says how many entries the list has."""

import pytest

WEBINARS = "/solutions/virtualEvents/webinars"


def counted(caller, path, version="beta"):
    answer = caller.send("GET", f"{path}/$count", version)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return int(answer.text)


def test_registrants_are_counted_over_all_pages(application, emulator):
    emulator.set_switches(page_size=2, empty_page=True)
    assert counted(application, application.registrants) == 0
    for number in range(5):
        application.enroll(f"p{number}")
    application.cancel("p0")

    assert counted(application, application.registrants) == 4
    assert emulator.store.journal[-1].registrant_id is None


def test_webinars_registrations_sessions_and_questions_are_counted(application, webinar, other_webinar, emulator):
    for name in ("ada", "bob"):
        webinar.register(name)
    ada = webinar.listed()[0]["id"]
    form = other_webinar(emulator.questions_webinar_id).path

    assert counted(application, WEBINARS, "v1.0") == len(emulator.store.webinars.all())
    assert counted(application, f"{webinar.path}/registrations", "v1.0") == 2
    assert counted(application, f"{webinar.path}/registrations/{ada}/sessions", "v1.0") == 1
    assert counted(application, f"{webinar.path}/sessions", "v1.0") == 1
    assert counted(application, f"{form}/registrationConfiguration/questions", "v1.0") == 5


def test_filter_holds_for_the_count(webinar):
    for name in ("ada", "bob"):
        webinar.register(name)

    answer = webinar.send("GET", "/registrations/$count", params={"$filter": "email eq 'ada@example.org'"})

    assert answer.text == "1"


def test_count_in_a_batch_is_a_number(application):
    application.enroll("p")

    item = {"id": "1", "method": "GET", "url": f"{application.registrants}/$count"}
    (answer,) = application.batch(item).json()["responses"]

    assert (answer["status"], answer["body"]) == (200, 1)


def test_person_whose_id_is_count_is_still_that_person(application):
    application.enroll("$count")

    assert application.send("GET", f"{application.registrants}/%24count").json()["id"] == "$count"
    assert counted(application, application.registrants) == 1
    assert application.cancel("$count").status_code == 204


def test_count_that_came_late_is_whole(application, emulator):
    application.enroll("p")
    emulator.add_fault("GET $count", delay=0.01)

    assert counted(application, application.registrants) == 1


@pytest.mark.parametrize("retired", ["empty", "not_found", "gone"])
def test_retired_api_counts_as_it_lists(application, emulator, retired):
    emulator.set_switches(retired=retired)

    answer = application.send("GET", f"{application.registrants}/$count")

    assert answer.status_code == application.send("GET", application.registrants).status_code
    assert retired != "empty" or answer.text == "0"


def test_who_may_not_list_may_not_count(organizer, delegated_webinar):
    assert delegated_webinar.send("GET", "/registrations/$count").status_code == 403
    assert organizer.send("GET", f"{WEBINARS}/$count", "v1.0").status_code == 403


@pytest.mark.parametrize(("method", "status"), [("POST", 405), ("DELETE", 405), ("PATCH", 405)])
def test_count_is_only_read(application, method, status):
    assert application.send(method, f"{application.registrants}/$count", json={}).status_code == status


def test_what_is_no_list_has_no_count(application):
    answer = application.send("GET", f"{application.meeting}/$count")

    assert (answer.status_code, answer.json()["error"]["message"]) == (
        400,
        "Resource not found for the segment '$count'.",
    )
