"""
A webinar and its registration form: the bodies of answers (Graph v1.0).

Service pages: https://learn.microsoft.com/graph/api/resources/virtualeventwebinar and
https://learn.microsoft.com/graph/api/resources/virtualeventwebinarregistrationconfiguration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_teams_registration.core.event_facts import EventFacts, read_event_facts
from airflow_provider_teams_registration.graph.moments import moment_or_none, zone_or_none
from airflow_provider_teams_registration.graph.shapes import (
    an_id,
    an_object,
    an_object_or_none,
    text,
    text_or_none,
    texts_or_none,
    whole_number_or_none,
    yes_or_no,
)

PUBLISHED = "published"
CANCELED = "canceled"


@dataclass(frozen=True)
class RegistrationConfiguration:
    """
    How a webinar takes registrations.

    :param capacity: how many people can register; None if Graph does not say.
    :param is_waitlist_enabled: whether people beyond the capacity go on a waitlist.
    :param is_manual_approval_enabled: whether the organizer approves each registration.
    """

    capacity: int | None
    is_waitlist_enabled: bool
    is_manual_approval_enabled: bool


@dataclass(frozen=True)
class Question:
    """
    One question of the registration form.

    :param id: the id that Graph made.
    :param display_name: the question's wording; for a predefined question, its label.
    :param is_required: whether a registrant must answer it.
    :param input_type: ``text``, ``multilineText``, ``singleChoice``, ``multiChoice`` or ``boolean``.
    :param choices: the choices.
    """

    id: str
    display_name: str
    is_required: bool
    input_type: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class WebinarInfo:
    """
    A webinar.

    :param id: its id.
    :param display_name: its name.
    :param status: ``draft``, ``published`` or ``canceled``.
    :param organizer_id: object id of its organizer, if Graph shows it.
    :param organizer_name: the organizer's name, if Graph shows it.
    :param start: when it begins, if Graph shows it.
    :param end: when it ends, if Graph shows it.
    :param time_zone: the IANA name of the time zone in which it was planned, if Graph shows it.
    """

    id: str
    display_name: str
    status: str
    organizer_id: str | None
    organizer_name: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    time_zone: str | None = None

    def facts(self, webinar_id: str) -> EventFacts:
        """
        Return what a mail or a log may name of the webinar.

        :param webinar_id: its id, as the caller spells it.
        """
        is_possible = self.start is not None and self.end is not None and self.start < self.end
        return read_event_facts(
            {
                "webinar_id": webinar_id,
                "title": self.display_name,
                "start": self.start if is_possible or self.end is None else None,
                "end": self.end if is_possible else None,
                "time_zone": self.time_zone,
                "organizer_name": self.organizer_name,
            }
        )


def read_webinar(body: Any) -> WebinarInfo:
    """
    Read a webinar's body.

    :raises Unreadable: it is no such body.
    """
    given = an_object(body)
    user = an_object_or_none(an_object_or_none(given, "createdBy"), "user")
    return WebinarInfo(
        id=an_id(given),
        display_name=text_or_none(given, "displayName") or "",
        status=text(given, "status"),
        organizer_id=text_or_none(user, "id"),
        organizer_name=_told(user.get("displayName")),
        start=moment_or_none(given.get("startDateTime")),
        end=moment_or_none(given.get("endDateTime")),
        time_zone=zone_or_none(given.get("startDateTime")),
    )


def _told(value: Any) -> str | None:
    # What only mails name must keep nobody from being enrolled, whatever stands there.
    return value if isinstance(value, str) else None


def read_configuration(body: Any) -> RegistrationConfiguration:
    """
    Read the body of a registration's configuration.

    :raises Unreadable: it is no such body.
    """
    given = an_object(body)
    text(given, "id")
    return RegistrationConfiguration(
        capacity=whole_number_or_none(given, "capacity"),
        is_waitlist_enabled=yes_or_no(given, "isWaitlistEnabled"),
        is_manual_approval_enabled=yes_or_no(given, "isManualApprovalEnabled"),
    )


def read_question(item: Any) -> Question:
    """
    Read a question of the form, predefined or custom.

    :raises Unreadable: it is no such body.
    """
    given = an_object(item)
    return Question(
        id=text(given, "id"),
        display_name=text_or_none(given, "displayName") or text_or_none(given, "label") or "",
        is_required=yes_or_no(given, "isRequired"),
        input_type=text_or_none(given, "answerInputType") or "text",
        choices=texts_or_none(given, "answerChoices"),
    )
