"""
The registrations of a webinar: the bodies of requests and answers (Graph v1.0).

Service page: https://learn.microsoft.com/graph/api/resources/virtualeventregistration
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_teams_registration.exceptions import BadRequest, TeamsRegistrationError
from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.email_address import mailbox
from airflow_provider_teams_registration.graph.paging import is_last_page
from airflow_provider_teams_registration.graph.shapes import (
    Reader,
    Unreadable,
    an_id,
    an_object,
    an_object_or_none,
    link_or_none,
    objects,
    text,
    text_or_none,
)
from airflow_provider_teams_registration.graph.webinar_bodies import CANCELED


class FilterIgnored(BadRequest):
    """Graph ignored a filter or a key, and returned registrations that the request did not ask for."""


@dataclass(frozen=True)
class WebinarRegistrant:
    """
    One person to register.

    :param email: the person's address, in the normalized spelling of its mailbox.
    :param first_name: the first name; None for a signed-in user, who registers nobody else.
    :param last_name: the last name, likewise.
    :param registration_id: the caller's own id, up to 256 characters.
    :param preferred_timezone: a Windows name of a time zone.
    :param preferred_language: a language tag such as ``en-us``.
    :param referrer: where the person comes from.
    :param answers: answers to the form's questions, in Graph's form.
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
    One registration, as Graph shows it.

    :param id: the id that Graph made.
    :param status: ``registered``, ``waitlisted``, ``pendingApproval``, ``rejectedByOrganizer``, ``canceled``, or a
        status that a later version of Graph adds.
    :param email: the person's address, in the normalized spelling of its mailbox; empty if Graph shows none.
    :param registration_id: the caller's own id with which the registration was made, if any.
    :param names: the person's names.
    :param user_id: object id of the person in Entra, if they have one.
    """

    id: str
    status: str
    email: str = field(repr=False)
    registration_id: str | None
    names: tuple[str, ...] = field(default=(), repr=False)
    user_id: str | None = field(default=None, repr=False)

    @property
    def personal(self) -> tuple[str | None, ...]:
        """The person's data in the registration, to be blanked in error texts."""
        return (self.email, self.registration_id, *self.names)

    def is_of(self, registrant: WebinarRegistrant) -> bool:
        """
        Return whether this is the registration of a person who was sent.

        If both have the caller's own id, the id decides, because Graph may return another spelling of the address.

        :param registrant: the person.
        """
        if self.registration_id is not None and registrant.registration_id is not None:
            return self.registration_id == registrant.registration_id
        return self.email in ("", registrant.email)

    def has_external_id(self, external_id: str | None) -> bool:
        """Return whether the registration was made with this id of the caller."""
        return external_id is not None and self.registration_id == external_id

    @property
    def is_active(self) -> bool:
        """Whether the registration is not cancelled."""
        return self.status != CANCELED


Matches = list[WebinarRegistration] | FilterIgnored
"""The registrations that a lookup found."""


def registration_request(path: str, registrant: WebinarRegistrant) -> BatchRequest:
    """
    Return the request that registers one person.

    Service page: https://learn.microsoft.com/graph/api/virtualeventwebinar-post-registrations

    :param path: path of the webinar's registrations.
    :param registrant: the person. Fields that are None are left out.
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
    """
    Read a registration's body. The address is normalized, because it is the key of the person.

    :raises Unreadable: it is no such body. It must have an id, a status and the field ``email``, which may be null.
    """
    given = an_object(body)
    if "email" not in given:
        raise Unreadable("email is missing")
    names = [text_or_none(given, name) for name in ("firstName", "lastName")]
    return WebinarRegistration(
        id=an_id(given),
        status=text(given, "status"),
        email=mailbox(text_or_none(given, "email") or ""),
        registration_id=text_or_none(an_object_or_none(given, "externalRegistrationInformation"), "registrationId")
        or None,
        names=tuple(name for name in names if name),
        user_id=text_or_none(given, "userId"),
    )


def read_registration_of(registration_id: str) -> Reader[WebinarRegistration]:
    """
    Return the reader of one registration, which accepts no other registration.

    :param registration_id: the id that the request asked for.
    """

    def read(body: Any) -> WebinarRegistration:
        found = read_registration(body)
        if found.id.lower() != registration_id.lower():
            raise Unreadable("it is not the registration that the request asked for")
        return found

    return read


def read_registrations(body: Any) -> Matches:
    """
    Read the registrations that match a filter.

    :return: the registrations; :class:`FilterIgnored` if those on the page prove nothing, because other pages follow.
    :raises Unreadable: it is no list of registrations.
    """
    found = [read_registration(item) for item in objects(body)]
    if not is_last_page(body) and not any(one.is_active for one in found):
        return FilterIgnored(400, "filter", "Graph spreads the registrations that match a filter over several pages.")
    return found


def read_registration_by_key(body: Any) -> Matches:
    """
    Read the answer to a lookup by an alternate key: one registration, and no list.

    :return: the registration; :class:`FilterIgnored` if the answer is the list of registrations, because then Graph
        ignored the key.
    :raises Unreadable: it is neither.
    """
    if isinstance(an_object(body).get("value"), list):
        read_registrations(body)
        return FilterIgnored(400, "key", "Graph ignores the key.")
    return [read_registration(body)]


def read_lookup(
    email: str,
    answer: Matches | TeamsRegistrationError,
    external_id: str | None = None,
    off: Container[str] = (),
) -> WebinarRegistration | TeamsRegistrationError | None:
    """
    Read the answer to a lookup by address.

    :param email: the address that the request asked for.
    :param answer: the registrations in the answer, or the error.
    :param external_id: the caller's own id of the person, which identifies them if Graph returns another spelling of
        the address.
    :param off: ids of registrations that are certainly cancelled.
    :return: the registration, preferably an active one; None if there is none; the error, or :class:`FilterIgnored` if
        the answer is about other people.
    """
    if isinstance(answer, TeamsRegistrationError):
        return answer
    if any(one.email != email and not one.has_external_id(external_id) for one in answer):
        return FilterIgnored(400, "filter", "Graph ignores the filter.")
    return next((one for one in answer if one.is_active and one.id not in off), answer[0] if answer else None)


def read_link(body: Any) -> str | None:
    """
    Read the link, a credential, from the list of a registration's sessions.

    :return: the link; None if the list shows none.
    :raises Unreadable: it is no list of sessions, or a ``joinWebUrl`` is no link.
    """
    sessions = objects(body)
    for session in sessions:
        text(session, "id")
    links = [link_or_none(session, "joinWebUrl") for session in sessions]
    return next((link for link in links if link), None)
