"""How lists spell people and lead from page to page."""

import pytest


def pages(application, emulator):
    answer = application.send("GET", application.registrants).json()
    while True:
        yield [item["id"] for item in answer["value"]]
        if "@odata.nextLink" not in answer:
            return
        link = answer["@odata.nextLink"]
        answer = application.http.get(link, headers={"Authorization": f"Bearer {application.token}"}, timeout=5).json()


@pytest.mark.parametrize(
    ("how", "shown"),
    [("as_sent", "Zoë"), ("upper", "ZOË"), ("lower", "zoë"), ("nfd", "Zoe\u0308"), ("nfc", "Zoë"), ("padded", " Zoë ")],
)
def test_list_spells_ids_as_the_switch_says(application, emulator, how, shown):
    application.enroll("Zoë")
    emulator.set_switches(listed_as=how)

    assert [item["id"] for item in application.send("GET", application.registrants).json()["value"]] == [shown]
    assert emulator.store.find(emulator.meeting_id, "Zoë") is not None


@pytest.mark.parametrize(("paging", "seen"), [("token", ["a", "b", "c", "d"]), ("offset", ["a", "b", "d"])])
def test_removal_between_two_pages_hides_somebody_only_from_an_offset(application, emulator, paging, seen):
    for name in "abcd":
        application.enroll(name)
    emulator.set_switches(page_size=2, paging=paging)

    shown = []
    for page in pages(application, emulator):
        shown += page
        emulator.store.cancel(emulator.meeting_id, "a")

    assert shown == seen


def test_removal_of_the_next_ones_hides_nobody_from_a_skip_token(application, emulator):
    for name in "abcdef":
        application.enroll(name)
    emulator.set_switches(page_size=2)

    shown = []
    for page in pages(application, emulator):
        shown += page
        for gone in "ac":
            emulator.store.cancel(emulator.meeting_id, gone)

    assert shown == ["a", "b", "d", "e", "f"]


@pytest.mark.parametrize("paging", ["token", "offset"])
def test_empty_page_stands_between_two_others(application, emulator, paging):
    for name in "abc":
        application.enroll(name)
    emulator.set_switches(page_size=2, empty_page=True, paging=paging)

    assert list(pages(application, emulator)) == [["a", "b"], [], ["c"]]


@pytest.mark.parametrize("offset", ["-1", "x", "", "9" * 5000])
def test_offset_that_is_none_is_refused(application, offset):
    assert application.send("GET", application.registrants, params=f"$skip={offset}").status_code == 400


def test_read_of_one_registrant_spells_them_as_the_switch_says(application, emulator):
    application.enroll("Zoë")
    emulator.set_switches(listed_as="upper")

    assert application.send("GET", f"{application.registrants}/Zo%C3%AB").json()["id"] == "ZOË"
    assert application.cancel("ZOË").status_code == 404
    assert application.cancel("Zoë").status_code == 204


def test_reads_of_a_webinar_spell_addresses_as_the_switch_says(webinar, emulator):
    webinar.register("Ada")
    emulator.set_switches(listed_as="upper")

    (one,) = webinar.listed()
    (found,) = webinar.listed("?$filter=email eq 'ada%40example.org'")

    named = [
        webinar.send("GET", f"/registrations{key}").json() for key in (f"/{one['id']}", "(email='ada@example.org')")
    ]
    assert {each["email"] for each in (one, found, *named)} == {"ADA@EXAMPLE.ORG"}
    assert emulator.store.webinars.registration(emulator.webinar_id, one["id"]).email == "Ada@example.org"
