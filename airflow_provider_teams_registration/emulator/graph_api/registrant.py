"""The person in a request, for the journal and for fault rules about one person."""

from __future__ import annotations

from airflow_provider_teams_registration.emulator.graph_api.odata import Equality, read_equality
from airflow_provider_teams_registration.emulator.graph_api.query_options import option, without_count
from airflow_provider_teams_registration.emulator.graph_api.webinar_path import WebinarPath, read_webinar_path
from airflow_provider_teams_registration.emulator.http.messages import GraphRequest
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore
from airflow_provider_teams_registration.emulator.store.registration import Registration, look_up
from airflow_provider_teams_registration.emulator.store.seeded import ORGANIZER_EMAIL


def registrant_id(request: GraphRequest, store: MeetingStore) -> str | None:
    """
    Return the caller's own id of the person in a request; None if the request names no person.

    For a webinar the id is ``externalRegistrationInformation.registrationId``, or the e-mail address without it.

    :param request: the request.
    :param store: the data, to find the person of a registration's id.
    """
    if without_count(request) is not None:
        return None
    path = read_webinar_path(request.segments)
    if path is None:
        return _of_meeting(request)
    if path.below == ("registrations",) and request.method == "POST":
        return _of_body(request)
    if path.below[:2] != ("registrations", "*"):
        return None
    one = _registration(store, path.webinar_id, path.key_name, path.key)
    return path.key if one is None else one.external_registration_id or one.email


def people_of(request: GraphRequest, store: MeetingStore) -> set[str]:
    """
    Return every id and address by which a fault rule may name the person in a request.

    Addresses are included as they were sent and in lower case, because upper and lower case mean the same person.

    :param request: the request, or one item of a batch.
    :param store: the data, to find the person of a registration's id.
    """
    request = without_count(request) or request
    body = request.body if isinstance(request.body, dict) else {}
    named = [registrant_id(request, store), body.get("email")]
    path = read_webinar_path(request.segments)
    if path is not None and path.below[:1] == ("registrations",):
        key = _key(request, path)
        one = None if key is None else _registration(store, path.webinar_id, *key)
        named += [] if key is None else [key.value]
        named += [] if one is None else [one.email, one.external_registration_id]
    texts = {one for one in named if isinstance(one, str) and one}
    return texts | {text.lower() for text in texts if "@" in text}


def _key(request: GraphRequest, path: WebinarPath) -> Equality | None:
    if path.key_name:
        return Equality(path.key_name, path.key)
    wanted = read_equality(option(request, "filter") or "")
    return wanted if wanted is not None and wanted.name in ("email", "userid") else None


def _registration(store: MeetingStore, webinar_id: str, name: str, value: str) -> Registration | None:
    known = store.webinars.webinar(webinar_id) is not None
    return look_up(store.webinars.registrations(webinar_id), name, value) if known else None


def _of_body(request: GraphRequest) -> str | None:
    body = request.body if isinstance(request.body, dict) else {}
    external = body.get("externalRegistrationInformation")
    given = external.get("registrationId") if isinstance(external, dict) else None
    email = body.get("email") if request.caller.user_id is None else ORGANIZER_EMAIL
    return next((one for one in (given, email) if isinstance(one, str) and one), None)


def _of_meeting(request: GraphRequest) -> str | None:
    segments = request.segments
    if request.method == "POST" and isinstance(request.body, dict) and segments[-1].lower() == "registrants":
        given = request.body.get("id")
        return given if isinstance(given, str) else None
    return segments[-1] if len(segments) > 1 and segments[-2].lower() == "registrants" else None
