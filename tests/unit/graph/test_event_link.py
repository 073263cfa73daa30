"""Links to an event, as people copy them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from airflow_provider_teams_registration.graph.event_link import read_event_link

ORGANIZER = "dc17674c-81d9-4adb-bfb2-8f6a442e4622"
TENANT = "909c6581-5130-43e9-88f3-fcb3582cde38"
CONTEXT = quote(f'{{"Tid":"{TENANT}","Oid":"{ORGANIZER}"}}', safe="")
LONG = f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0?context={CONTEXT}"
SHORT = "https://teams.microsoft.com/meet/12345678901?p=passcode"
WEBINAR = f"{ORGANIZER}@909c6581-5130-43e9-88f3-fcb3582cde38"
SAFE = "https://eur01.safelinks.protection.outlook.com/?url={}&data=05%7C02%7C&reserved=0"
SAFE_IN_TEAMS = "https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html?url={}&locale=en"


@pytest.mark.parametrize("link", [LONG, SHORT])
@pytest.mark.parametrize(
    "copied",
    [
        lambda link: link,
        lambda link: f" <{link}>\r\n",
        lambda link: f"{link[:40]}\n {link[40:]}",
        lambda link: link.removeprefix("https://"),
        lambda link: quote(link, safe=""),
        lambda link: SAFE.format(quote(link, safe="")),
        lambda link: SAFE.format(quote(SAFE.format(quote(link, safe="")), safe="")),
        lambda link: SAFE_IN_TEAMS.format(quote(link, safe="")),
    ],
    ids=["as it is", "brackets", "two lines", "no scheme", "encoded", "Safe Links", "forwarded", "Safe Links of Teams"],
)
def test_link_is_read_whatever_a_mail_program_did_to_it(copied, link):
    assert read_event_link(copied(link)).leads_to(link, None)


def test_link_tells_what_it_names():
    long, short = read_event_link(LONG), read_event_link(SHORT)

    assert (long.organizer_id, long.meeting_number) == (ORGANIZER, None)
    assert (short.organizer_id, short.meeting_number) == (None, "12345678901")
    assert read_event_link(f"https://events.teams.microsoft.com/event/{WEBINAR}").webinar_id == WEBINAR
    assert read_event_link(f"https://events.teams.microsoft.com/event/{quote(WEBINAR)}?x=1").webinar_id == WEBINAR


def test_registrants_link_leads_to_the_event_and_another_events_link_does_not():
    of_registrant = LONG.replace(CONTEXT, quote('{"prid":"1"}', safe=""))

    assert read_event_link(of_registrant).leads_to(LONG, None)
    assert not read_event_link(LONG).leads_to(LONG.replace("abc", "abd"), None)
    assert not read_event_link(LONG).leads_to(None, None)
    assert read_event_link(SHORT).leads_to(LONG, "123 456 789 01")
    assert not read_event_link(SHORT).leads_to(LONG, "999 456 789 01")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "an id",
        WEBINAR,
        ORGANIZER,
        "123 456 789 01",
        "canary@example.org",
        "https://teams.example/canary",
        "https://eur.safelinks.protection.outlook.com/?url=canary",
        "https://[broken/meet",
        f"https://events.teams.microsoft.com/event/{ORGANIZER}",
    ],
)
def test_anything_else_is_no_link_to_an_event(value):
    assert read_event_link(value) is None


def test_link_does_not_show():
    assert "thread" not in repr(read_event_link(LONG)).replace("thread=", "")
    assert "passcode" not in repr(read_event_link(SHORT))
