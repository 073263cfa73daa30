"""$select, $top and $count, on the routes whose pages name them."""

import pytest

WEBINARS = "/solutions/virtualEvents/webinars"


@pytest.fixture
def three(application):
    """Three people on the meeting, as the application that enrolled them sees it."""
    for number in range(3):
        application.enroll(f"p{number}")
    return application


def pages_of(caller, path, version="beta"):
    while path:
        page = caller.send("GET", path, version).json()
        yield page
        path = page.get("@odata.nextLink", "").removeprefix(f"{caller.emulator.url}/{version}")


def test_top_is_the_size_of_a_page(three):
    pages = list(pages_of(three, f"{three.registrants}?$top=2&$count=true&$select=id"))

    assert [[one["id"] for one in page["value"]] for page in pages] == [["p0", "p1"], ["p2"]]
    assert [page["@odata.count"] for page in pages] == [3, 3]
    assert all(set(one) == {"@odata.type", "id"} for page in pages for one in page["value"])
    assert all(page["@odata.context"].endswith("/registration/registrants(id)") for page in pages)


@pytest.mark.parametrize("paging", ["token", "offset"])
@pytest.mark.parametrize(("page_size", "top", "sizes"), [(1, 2, [1, 1, 1]), (2, 1, [1, 1, 1]), (2, 9, [2, 1])])
def test_service_may_show_fewer_than_top(three, emulator, paging, page_size, top, sizes):
    emulator.set_switches(page_size=page_size, paging=paging)

    assert [len(page["value"]) for page in pages_of(three, f"{three.registrants}?$top={top}")] == sizes


def test_top_of_nothing_shows_nothing_and_ends(three):
    (page,) = pages_of(three, f"{three.registrants}?$top=0&$count=true")

    assert (page["value"], page["@odata.count"]) == ([], 3)


@pytest.mark.parametrize("option", ["$top=-1", "$top=many", "$top=", "$top=1.5", "$count=maybe"])
def test_option_that_makes_no_sense_is_refused(three, option):
    answer = three.send("GET", f"{three.registrants}?{option}")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("Invalid value '")


@pytest.mark.parametrize("query", ["top=1&count=true", "$TOP=1&$Count=TRUE"])
def test_dollar_sign_and_case_of_an_option_do_not_matter(three, query):
    page = next(pages_of(three, f"{three.registrants}?{query}"))

    assert (len(page["value"]), page["@odata.count"]) == (1, 3)


def test_webinars_are_counted_over_all_pages(application, emulator):
    emulator.set_switches(page_size=3)
    everything = len(emulator.store.webinars.all())

    pages = list(pages_of(application, f"{WEBINARS}?$count=true", "v1.0"))

    assert [page["@odata.count"] for page in pages] == [everything] * 3
    assert "@odata.count" not in application.send("GET", WEBINARS, "v1.0").json()
    assert "@odata.count" not in application.send("GET", f"{WEBINARS}?$count=false", "v1.0").json()


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_registrations_take_no_options(webinar, version):
    for name in ("ada", "bob"):
        webinar.register(name)

    page = webinar.send("GET", "/registrations?$top=1&$select=id&$count=true", version).json()

    assert [one["email"] for one in page["value"]] == ["ada@example.org", "bob@example.org"]
    assert "@odata.count" not in page


def test_selected_properties_of_a_meeting_are_shown(organizer, emulator):
    whole = organizer.send("GET", organizer.meeting, "v1.0").json()

    read = organizer.send("GET", f"{organizer.meeting}?$select=subject, JoinWebUrl", "v1.0").json()
    found = organizer.send(
        "GET",
        "/me/onlineMeetings",
        "v1.0",
        params={"$filter": f"JoinWebUrl eq '{whole['joinWebUrl']}'", "$select": "id", "$top": "5", "$count": "true"},
    ).json()

    assert {name: value for name, value in read.items() if name != "@odata.context"} == {
        "subject": whole["subject"],
        "joinWebUrl": whole["joinWebUrl"],
    }
    assert read["@odata.context"].endswith("/onlineMeetings(subject,JoinWebUrl)/$entity")
    assert (found["value"], found["@odata.count"]) == ([{"id": emulator.meeting_id}], 1)


@pytest.mark.parametrize("select", ["", "*", "id,*"])
def test_everything_may_be_selected(organizer, select):
    whole = organizer.send("GET", organizer.meeting).json()

    read = organizer.send("GET", organizer.meeting, params={"$select": select}).json()

    assert set(read) == set(whole)


def test_selected_properties_of_a_registration_are_shown(organizer):
    read = organizer.send("GET", f"{organizer.registration}?$select=allowedRegistrant").json()

    assert {name for name in read if not name.startswith("@odata.")} == {"allowedRegistrant"}


def test_event_is_named_whatever_is_selected(organizer, emulator):
    path = f"/me/events/{emulator.event_id}"

    read = organizer.send("GET", f"{path}?$select=subject,onlineMeeting/joinUrl,body", "v1.0").json()

    assert set(read) == {"@odata.context", "id", "subject", "onlineMeeting"}


def test_options_work_inside_a_batch(three):
    item = {"id": "1", "method": "GET", "url": f"{three.registrants}?$top=1&$count=true"}

    (answer,) = three.batch(item).json()["responses"]

    assert ([one["id"] for one in answer["body"]["value"]], answer["body"]["@odata.count"]) == (["p0"], 3)
