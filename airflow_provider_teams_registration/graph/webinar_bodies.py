"""
What goes to and comes from a webinar, as Graph words it (v1.0): the webinar, its form, and its registrations.

Service pages: https://learn.microsoft.com/graph/api/resources/virtualeventwebinar and
https://learn.microsoft.com/graph/api/resources/virtualeventregistration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.errors import BadRequest, TeamsRegistrationError

PUBLISHED = "published"
CANCELED = "canceled"


class FilterIgnored(BadRequest):
    """The service answers a filter with whom it was not asked for."""


@dataclass(frozen=True)
class RegistrationConfiguration:
    """
    How a webinar takes registrations.

    :param capacity: how many may register; None is not said.
    :param is_waitlist_enabled: whether those beyond it wait.
    :param is_manual_approval_enabled: whether the organizer approves each.
    """

    capacity: int | None
    is_waitlist_enabled: bool
    is_manual_approval_enabled: bool


@dataclass(frozen=True)
class Question:
    """
    One question of the registration form.

    :param id: made by the service.
    :param display_name: the question's wording; of a predefined one, its label.
    :param is_required: whether it must be answered.
    :param input_type: ``text``, ``multilineText``, ``singleChoice``, ``multiChoice`` or ``boolean``.
    :param choices: what may be chosen.
    """

    id: str
    display_name: str
    is_required: bool
    input_type: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class WebinarInfo:
    """
    What a webinar is.

    :param id: its id.
    :param display_name: its name.
    :param status: ``draft``, ``published`` or ``canceled``.
    :param organizer_id: object id of its organizer, where it is said.
    """

    id: str
    display_name: str
    status: str
    organizer_id: str | None


@dataclass(frozen=True)
class WebinarRegistrant:
    """
    One person to register.

    :param email: their address, in lower case.
    :param first_name: None with a signed-in user, who registers themself.
    :param last_name: the same.
    :param registration_id: the caller's own id, up to 256 characters.
    :param preferred_timezone: a Windows name of a time zone.
    :param preferred_language: a language tag such as ``en-us``.
    :param referrer: where they come from.
    :param answers: answers to the form's questions, as Graph takes them.
    """

    email: str = field(repr=False)
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    registration_id: str | None = None
    preferred_timezone: str | None = None
    preferred_language: str | None = None
    referrer: str | None = None
    answers: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class WebinarRegistration:
    """
    One registration as the service knows it.

    :param id: made by the service.
    :param status: ``registered``, ``waitlisted``, ``pendingApproval``, ``rejectedByOrganizer``, ``canceled``, or a word
        of the future.
    :param email: the person's address, in lower case.
    :param registration_id: the id that it was made with, if any.
    :param names: the person's.
    """

    id: str
    status: str
    email: str = field(repr=False)
    registration_id: str | None
    names: tuple[str, ...] = field(default=(), repr=False)

    @property
    def personal(self) -> tuple[str | None, ...]:
        """What it says of the person, to be blanked in error texts."""
        return (self.email, self.registration_id, *self.names)

    @property
    def is_active(self) -> bool:
        """Whether the person was not taken off."""
        return self.status != CANCELED


def read_webinar(body: Mapping[str, Any]) -> WebinarInfo:
    """Read a webinar's body."""
    organizer = body.get("createdBy") or {}
    user = organizer.get("user") if isinstance(organizer, dict) else None
    return WebinarInfo(
        id=str(body.get("id") or ""),
        display_name=str(body.get("displayName") or ""),
        status=str(body.get("status") or ""),
        organizer_id=user.get("id") if isinstance(user, dict) else None,
    )


def read_question(item: Mapping[str, Any]) -> Question:
    """Read a question of the form, predefined or custom."""
    return Question(
        id=str(item.get("id") or ""),
        display_name=str(item.get("displayName") or item.get("label") or ""),
        is_required=bool(item.get("isRequired")),
        input_type=str(item.get("answerInputType") or "text"),
        choices=tuple(str(choice) for choice in item.get("answerChoices") or ()),
    )


def registration_request(path: str, registrant: WebinarRegistrant) -> BatchRequest:
    """
    Return the request that registers somebody.

    Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-post-registrations

    :param path: path of the webinar's registrations.
    :param registrant: the person; what is None is left out.
    """
    external = {"registrationId": registrant.registration_id, "referrer": registrant.referrer}
    body: dict[str, Any] = {
        "firstName": registrant.first_name,
        "lastName": registrant.last_name,
        "email": registrant.email if registrant.first_name is not None else None,
        "preferredTimezone": registrant.preferred_timezone,
        "preferredLanguage": registrant.preferred_language,
        "externalRegistrationInformation": {name: value for name, value in external.items() if value} or None,
        "registrationQuestionAnswers": list(registrant.answers) or None,
    }
    texts = [str(answer["value"]) for answer in registrant.answers if answer.get("value")]
    chosen = [choice for answer in registrant.answers for choice in answer.get("multiChoiceValues") or ()]
    names = (registrant.email, registrant.first_name, registrant.last_name, registrant.registration_id)
    sent = (*names, registrant.referrer, *texts, *chosen)
    return BatchRequest("POST", path, {name: value for name, value in body.items() if value is not None}, sent=sent)


def read_registration(body: Any) -> WebinarRegistration:
    """Read a registration's body; the address in lower case, as it tells people apart."""
    given = body if isinstance(body, dict) else {}
    external = given.get("externalRegistrationInformation") or {}
    return WebinarRegistration(
        id=str(given.get("id") or ""),
        status=str(given.get("status") or ""),
        email=str(given.get("email") or "").strip().lower(),
        registration_id=external.get("registrationId") or None,
        names=tuple(str(given[name]) for name in ("firstName", "lastName") if given.get(name)),
    )


def read_lookup(email: str, answer: Any) -> WebinarRegistration | TeamsRegistrationError | None:
    """
    Read the answer to a look-up by address, which is one registration or a list.

    :param email: the address that was asked for.
    :param answer: the answer's body, or the error that stands for it.
    :return: the registration, an active one before others; None where there is none; the error, or
        :class:`FilterIgnored` where the answer speaks of others.
    """
    if isinstance(answer, TeamsRegistrationError):
        return answer
    listed = answer.get("value") if isinstance(answer, dict) else None
    found = [read_registration(item) for item in listed] if isinstance(listed, list) else [read_registration(answer)]
    if any(registration.email != email for registration in found):
        return FilterIgnored(400, "filter", "The service takes no notice of the filter.")
    return next((one for one in found if one.is_active), found[0] if found else None)


def read_link(body: Any) -> str | None:
    """Read the link, a credential, from the list of a registration's sessions; None where it shows none."""
    sessions = body.get("value") if isinstance(body, dict) else None
    links = [session.get("joinWebUrl") for session in sessions or () if isinstance(session, dict)]
    return next((link for link in links if isinstance(link, str) and link), None)
