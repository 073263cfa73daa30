"""
Checks of a webinar.

Service page: https://learn.microsoft.com/graph/api/resources/virtualeventwebinar
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import islice

from airflow_provider_teams_registration.doctor.examination import ACCESS_POLICY, Examination
from airflow_provider_teams_registration.doctor.finding import Finding, cannot_be_told, fine, missing
from airflow_provider_teams_registration.doctor.permissions import (
    LIST_REGISTRATIONS,
    READ_LINK,
    READ_WEBINAR,
    REGISTER,
)
from airflow_provider_teams_registration.exceptions import Forbidden, TeamsRegistrationError
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.webinar_bodies import CANCELED, PUBLISHED, WebinarInfo
from airflow_provider_teams_registration.graph.webinar_registration_bodies import WebinarRegistration

_NOT_READ = ("event", "organizer", ACCESS_POLICY, "state", "time", "form", "list", "link")
_REGISTERED = "registered"
_LOOKED_AT = 200


def check_webinar(examination: Examination, webinar_id: str) -> Iterator[Finding]:
    """
    Check a webinar.

    :param examination: the examination.
    :param webinar_id: the webinar's ``id``.
    """
    webinar = Webinar(examination.session, webinar_id)
    was_read = False
    try:
        info = webinar.info()
    except TeamsRegistrationError as error:
        found = examination.refused("event", READ_WEBINAR, error)
        yield found
        yield from examination.waiting(found, _NOT_READ, "the webinar")
    else:
        was_read = True
        yield fine("event", f"The webinar can be read; its id is {info.id}.")
        yield _organizer(examination, info)
        yield _access_policy(examination)
        yield _state(info)
        yield time_of(info.end)
        yield _form(examination, webinar)
        yield from _list_and_link(examination, webinar)
    yield _register(examination, was_read=was_read)
    yield _cancel(examination)


def _organizer(examination: Examination, info: WebinarInfo) -> Finding:
    wanted, found = examination.organizer_id, info.organizer_id
    examination.organizer_id = found or wanted
    if found is None:
        return cannot_be_told("organizer", "Graph does not say who organizes the webinar.")
    if wanted is not None and wanted.lower() != found.lower():
        return missing("organizer", f"The webinar is {found}'s, not {wanted}'s.", f"Name the organizer {found}.")
    if examination.is_delegated and examination.token.user_id not in (None, found):
        return missing(
            "organizer", f"The webinar is {found}'s, not the signed-in user's.", examination.remedies.sign_in_again()
        )
    return fine("organizer", f"The organizer is {found}.")


def _access_policy(examination: Examination) -> Finding:
    if examination.is_delegated:
        return fine(ACCESS_POLICY, "A signed-in user needs none.")
    if examination.lacks(READ_WEBINAR):
        return fine(ACCESS_POLICY, "The webinar can be read by its own consent, which needs none.")
    return fine(ACCESS_POLICY, "It lets the app act for the organizer.")


def _state(info: WebinarInfo) -> Finding:
    if info.status == PUBLISHED:
        return fine("state", "It is published, so people can register.")
    if info.status == CANCELED:
        return missing("state", "The webinar is cancelled.", "Name another webinar.")
    return missing(
        "state",
        "The webinar is a draft: people who register for a draft may never reach Teams."
        if info.status == "draft"
        else "The webinar is neither published nor a draft.",
        "The organizer publishes it in Teams, or a DAG does with PublishWebinarOperator (auth refresh_token).",
    )


def time_of(ends: datetime | None) -> Finding:
    """
    Check that an event lies ahead.

    :param ends: when it ends; None where Graph does not say.
    """
    if ends is None:
        return cannot_be_told("time", "Graph does not say when the event ends.")
    said = f"{ends:%Y-%m-%d %H:%M} UTC"
    if ends < datetime.now(timezone.utc):
        return missing("time", f"The event ended at {said}.", "Name an event that lies ahead.")
    return fine("time", f"It ends at {said}.")


def _form(examination: Examination, webinar: Webinar) -> Finding:
    try:
        configuration, questions = webinar.configuration(), webinar.questions()
    except TeamsRegistrationError as error:
        return examination.refused("form", READ_WEBINAR, error)
    required = sum(question.is_required for question in questions)
    seats = f"{configuration.capacity} seats" if configuration.capacity is not None else "an unknown number of seats"
    asked = f"{len(questions)} questions, {required} of them required"
    after = " The organizer approves each person." if configuration.is_manual_approval_enabled else ""
    return fine("form", f"{seats[0].upper()}{seats[1:]}; {asked}.{after}")


def _list_and_link(examination: Examination, webinar: Webinar) -> Iterator[Finding]:
    found: list[WebinarRegistration] = []
    try:
        found = list(islice(webinar.registrations(), _LOOKED_AT))
    except Forbidden as error:
        if examination.is_delegated:
            yield cannot_be_told(
                "list",
                "Graph does not let a signed-in user list registrations; people are looked up by their addresses.",
            )
        else:
            yield examination.refused("list", LIST_REGISTRATIONS, error)
    except TeamsRegistrationError as error:
        yield examination.refused("list", LIST_REGISTRATIONS, error)
    else:
        yield fine("list", "The registrations can be listed.")
    yield _link(examination, webinar, [one.id for one in found if one.status == _REGISTERED][:1])


def _link(examination: Examination, webinar: Webinar, registered: list[str]) -> Finding:
    if not registered:
        return cannot_be_told("link", "No registration is known whose link could be read.")
    try:
        (link,) = webinar.join_web_urls(registered)
    except TeamsRegistrationError as error:
        link = error
    if isinstance(link, TeamsRegistrationError):
        return examination.refused("link", READ_LINK, link)
    if link is None:
        return cannot_be_told("link", "The session of a registration shows no link yet.")
    return fine("link", "The link of a registration can be read.")


def _register(examination: Examination, *, was_read: bool) -> Finding:
    if not examination.token.is_readable:
        return _unreadable("registering")
    if not examination.lacks(REGISTER):
        if examination.is_delegated:
            return fine("registering", "The token may register the signed-in user, and nobody else.")
        return fine("registering", "The token has the permission to register people.")
    # A webinar that can be read without a permission for all has consent of its own.
    if was_read and not examination.is_delegated and examination.lacks(READ_WEBINAR):
        return cannot_be_told(
            "registering",
            "Cannot be told without writing: the webinar has its own consent, which the token does not show. It takes "
            f"{REGISTER.event}.",
        )
    return examination.no_permission("registering", REGISTER)


def _cancel(examination: Examination) -> Finding:
    if examination.is_delegated:
        return cannot_be_told("cancelling", "Cannot be told without writing.")
    return cannot_be_told(
        "cancelling",
        f"Cannot be told without writing. Microsoft's pages name the event's own permission {REGISTER.event} only.",
    )


def _unreadable(check: str) -> Finding:
    return cannot_be_told(check, "Cannot be told, because the token cannot be read.")
