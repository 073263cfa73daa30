"""Whom a request is about."""

from __future__ import annotations

from airflow_provider_teams_registration.emulator.books import Books
from airflow_provider_teams_registration.emulator.exchange import GraphRequest
from airflow_provider_teams_registration.emulator.registration import look_up
from airflow_provider_teams_registration.emulator.seeded import ORGANIZER_EMAIL
from airflow_provider_teams_registration.emulator.webinar_path import read_webinar_path


def registrant_id(request: GraphRequest, books: Books) -> str | None:
    """
    Return the caller's own id of the person, for the journal and for rules about one person.

    For a webinar it is ``externalRegistrationInformation.registrationId``, or the e-mail where that was not given.

    :param request: the request.
    :param books: where a registration's id leads to the person.
    """
    path = read_webinar_path(request.segments)
    if path is None:
        return _of_meeting(request)
    if path.below == ("registrations",) and request.method == "POST":
        return _of_body(request)
    if path.below[:2] != ("registrations", "*"):
        return None
    known = books.webinars.webinar(path.webinar_id) is not None
    one = look_up(books.webinars.registrations(path.webinar_id), path.key_name, path.key) if known else None
    return path.key if one is None else one.external_registration_id or one.email


def _of_body(request: GraphRequest) -> str | None:
    body = request.body if isinstance(request.body, dict) else {}
    external = body.get("externalRegistrationInformation")
    given = external.get("registrationId") if isinstance(external, dict) else None
    email = body.get("email") if request.caller.user_id is None else ORGANIZER_EMAIL
    return next((one for one in (given, email) if isinstance(one, str) and one), None)


def _of_meeting(request: GraphRequest) -> str | None:
    if request.method == "POST" and isinstance(request.body, dict) and request.path.endswith("registrants"):
        given = request.body.get("id")
        return given if isinstance(given, str) else None
    segments = request.segments
    return segments[-1] if len(segments) > 1 and segments[-2] == "registrants" else None
