"""The calendar entry, as two libraries and a mail program read it."""

from __future__ import annotations

import icalendar
import pytest
import vobject

from airflow_provider_teams_registration.core.outcome import Outcome
from tests.emulated.mail.conftest import address, link, row


def entries(mail):
    """The calendar of the alternative part and that of the attachment."""
    (alternative,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    (attachment,) = list(mail.iter_attachments())
    assert attachment.get_filename() == "invite.ics"
    return alternative, attachment.get_payload(decode=True)


def test_two_libraries_read_the_invitation_as_the_event(desk, mail_server):
    desk.enroll(1)
    desk.mail([row(1, first_name='Ada "Q", x: y')], facts={"title": "Launch, day; \N{ROCKET} one"})
    alternative, attached = entries(mail_server.mails[0])
    content = alternative.get_payload(decode=True)
    assert alternative["Content-Type"].params["method"] == "REQUEST"
    assert content.replace(b"\r\n", b"\n") == attached.replace(b"\r\n", b"\n")
    assert all(len(line) <= 75 for line in attached.split(b"\r\n"))
    calendar = icalendar.Calendar.from_ical(attached)
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert event["DTSTART"].to_ical() == b"20261201T090000Z"
    assert event["DTEND"].to_ical() == b"20261201T100000Z"
    assert (event["SUMMARY"], event["URL"], event["LOCATION"]) == (
        "Launch, day; \N{ROCKET} one",
        link(1),
        link(1),
    )
    assert link(1) in event["DESCRIPTION"]
    assert event["ORGANIZER"] == "mailto:events@example.com"
    assert event["ATTENDEE"] == f"mailto:{address(1)}"
    other = vobject.readOne(attached.decode()).vevent
    assert other.summary.value == "Launch, day; \N{ROCKET} one"
    assert other.dtstart.value.isoformat() == "2026-12-01T09:00:00+00:00"
    assert other.url.value == link(1)
    assert other.sequence.value == "0"


def test_a_move_and_a_cancellation_speak_of_the_same_entry_with_a_higher_sequence(desk, mail_server):
    desk.enroll(1)
    desk.mail([row(1)])
    desk.mail([row(1)], run="2", again="changed", facts={"start": "2026-12-01T08:00:00Z"})
    desk.enroll(1, outcome=Outcome.CANCELLED, join_web_url=None)
    desk.mail([row(1, outcome="cancelled", join_web_url=None)], run="3")
    calendars = [icalendar.Calendar.from_ical(entries(mail)[1]) for mail in mail_server.mails]
    events = [calendar.walk("VEVENT")[0] for calendar in calendars]
    assert [str(calendar["METHOD"]) for calendar in calendars] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [event["SEQUENCE"] for event in events] == [0, 1, 2]
    assert len({event["UID"] for event in events}) == 1
    assert events[2]["STATUS"] == "CANCELLED"
    assert entries(mail_server.mails[2])[0]["Content-Type"].params["method"] == "CANCEL"


@pytest.mark.parametrize("changes", [{"calendar": False}, {"facts": {"start": None, "end": None}}])
def test_no_entry_without_times_or_if_switched_off(desk, mail_server, changes):
    desk.enroll(1)
    desk.mail([row(1)], **changes)
    (mail,) = mail_server.mails
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
