"""
Routes of webinars, and the check of the caller's permissions.

Service page: https://learn.microsoft.com/graph/api/resources/virtualeventwebinar
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.graph_api.odata import read_call
from airflow_provider_teams_registration.emulator.graph_api.paging import one_page
from airflow_provider_teams_registration.emulator.graph_api.query_options import COUNT
from airflow_provider_teams_registration.emulator.graph_api.webinar_bodies import (
    configuration_body,
    question_body,
    session_body,
    webinar_body,
    webinar_context,
)
from airflow_provider_teams_registration.emulator.graph_api.webinar_path import (
    WebinarPath,
    below_webinars,
    of_event,
    read_webinar_path,
)
from airflow_provider_teams_registration.emulator.graph_api.webinar_permissions import (
    Operation,
    check_organizer,
    check_permission,
)
from airflow_provider_teams_registration.emulator.graph_api.webinar_registrations import WebinarRegistrations
from airflow_provider_teams_registration.emulator.http.messages import (
    Caller,
    GraphAnswer,
    GraphRequest,
    no_such_method,
    no_such_segment,
    refusal,
)
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore
from airflow_provider_teams_registration.emulator.store.webinar import DRAFT, Webinar
from airflow_provider_teams_registration.emulator.store.webinar_store import WrongStatus

_BY_ROLE = ("getbyuserrole", "getbyuseridandrole")
# The actions of every kind of event.
_ACTIONS = (("publish",), ("cancel",))
_ROLES = ("organizer", "coOrganizer")
_WRITABLE: Mapping[str, str] = {
    "displayName": "display_name",
    "description": "description",
    "startDateTime": "start",
    "endDateTime": "end",
    "coOrganizers": "co_organizers",
}
_FITS: Mapping[str, Callable[[Any], bool]] = {
    "displayName": lambda value: isinstance(value, str),
    "description": lambda value: isinstance(value, dict | None),
    "startDateTime": lambda value: isinstance(value, dict),
    "endDateTime": lambda value: isinstance(value, dict),
    "audience": lambda value: value in ("everyone", "organization"),
    "coOrganizers": lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
    "settings": lambda value: isinstance(value, dict),
}
# No permission of an event covers these.
_WITHOUT_CONSENT = (
    ("registrationconfiguration",),
    ("registrationconfiguration", "questions"),
    ("sessions",),
    ("sessions", "*"),
)
_WRITABLE_AT_FIRST: Mapping[str, str] = {**_WRITABLE, "audience": "audience", "settings": "settings"}


class _Route(NamedTuple):
    operation: Operation
    answer: Callable[[GraphRequest, Webinar, WebinarPath], GraphAnswer]


class Webinars:
    """
    Answers below ``/solutions/virtualEvents/webinars``.

    :param store: the data.
    :param switches: returns the present switches.
    """

    def __init__(self, store: MeetingStore, switches: Callable[[], Switches]) -> None:
        self._store = store
        self._switches = switches
        registrations = WebinarRegistrations(store, switches)
        self._routes: Mapping[tuple[str, ...], Mapping[str, _Route]] = {
            (): {"GET": _Route(Operation.READ_WEBINAR, _read), "PATCH": _Route(Operation.CHANGE_WEBINAR, self._change)},
            ("publish",): {"POST": _Route(Operation.CHANGE_WEBINAR, self._publish)},
            ("cancel",): {"POST": _Route(Operation.CHANGE_WEBINAR, self._call_off)},
            ("registrationconfiguration",): {"GET": _Route(Operation.READ_WEBINAR, _read_configuration)},
            ("registrationconfiguration", "questions"): {"GET": _Route(Operation.READ_WEBINAR, self._read_questions)},
            ("sessions",): {"GET": _Route(Operation.READ_WEBINAR, self._read_sessions)},
            ("sessions", "*"): {"GET": _Route(Operation.READ_WEBINAR, _read_session)},
            ("registrations",): {
                "GET": _Route(Operation.LIST_REGISTRATIONS, registrations.read_all),
                "POST": _Route(Operation.REGISTER, registrations.register),
            },
            ("registrations", "*"): {"GET": _Route(Operation.READ_REGISTRATION, registrations.read)},
            ("registrations", "*", "sessions"): {
                "GET": _Route(Operation.READ_REGISTRATION_SESSIONS, registrations.read_sessions)
            },
            ("registrations", "*", "cancel"): {"POST": _Route(Operation.CANCEL_REGISTRATION, registrations.cancel)},
        }

    def answer(self, request: GraphRequest) -> GraphAnswer:
        """Answer a request to a virtual event. Town halls are not emulated."""
        segments = request.segments
        of_any_kind = of_event(segments)
        if of_any_kind is not None:
            return self._act(request, of_any_kind)
        below = below_webinars(segments)
        if below is None:
            return no_such_segment(segments[2] if len(segments) > 2 else segments[-1])
        if not below:
            return self._all(request)
        name, arguments = read_call(below[0])
        if name.lower() in _BY_ROLE:
            is_read = request.method == "GET"
            return self._by_role(request, name, arguments) if is_read else no_such_method(request.method)
        path = read_webinar_path(segments)
        return no_such_segment(below[0]) if path is None else self._below(request, path, below)

    def _act(self, request: GraphRequest, below: list[str]) -> GraphAnswer:
        action = tuple(segment.lower() for segment in below[1:])
        if action not in _ACTIONS:
            return no_such_segment((below or ["events"])[-1])
        return self._below(request, WebinarPath(below[0], action), below)

    def _below(self, request: GraphRequest, path: WebinarPath, below: list[str]) -> GraphAnswer:
        if not self._is_key(path):
            return no_such_segment(below[1])
        methods = self._routes.get(path.below)
        if methods is None:
            known = [place for place in range(len(below)) if path.below[:place] in self._routes]
            return no_such_segment(below[min(known[-1] + 1, len(below) - 1)])
        route = methods.get(request.method)
        if route is None:
            return no_such_method(request.method)
        webinar = self._store.webinars.webinar(path.webinar_id)
        if webinar is not None and self._has_consent(request.caller, route.operation, webinar, path):
            return route.answer(request, webinar, path)
        refused = check_permission(request.caller, route.operation, self._switches())
        if refused is not None:
            return refused
        if webinar is None:
            return refusal(404, "NotFound", "Virtual event was not found.")
        # A signed-in user may register for every organizer's webinar.
        is_own_doing = route.operation is Operation.REGISTER and request.caller.user_id is not None
        refused = None if is_own_doing else check_organizer(request.caller, webinar.organizer_id, self._switches())
        return refused or route.answer(request, webinar, path)

    def _has_consent(self, caller: Caller, operation: Operation, webinar: Webinar, path: WebinarPath) -> bool:
        """Return whether an app that is installed in the webinar's chat allows an operation, without a policy."""
        if caller.user_id is not None or path.below in _WITHOUT_CONSENT:
            return False
        granted = self._store.teams_apps.granted(webinar.thread_id, caller.client_id)
        consented = replace(caller, permissions=granted)
        return bool(granted) and check_permission(consented, operation, self._switches()) is None

    def _is_key(self, path: WebinarPath) -> bool:
        return path.key_name in ("", "id") or (
            self._switches().registration_key and path.key_name in ("email", "userid")
        )

    def _all(self, request: GraphRequest) -> GraphAnswer:
        if request.method not in ("GET", "POST"):
            return no_such_method(request.method)
        operation = Operation.LIST_WEBINARS if request.method == "GET" else Operation.CHANGE_WEBINAR
        refused = check_permission(request.caller, operation, self._switches())
        if refused is not None:
            return refused
        if request.method == "POST":
            return self._create(request)
        # Graph omits the webinars of organizers whose access policy does not name the app.
        seen = [
            webinar
            for webinar in self._store.webinars.all()
            if check_organizer(request.caller, webinar.organizer_id, self._switches()) is None
        ]
        return self._page(request, seen, (COUNT,))

    def _by_role(self, request: GraphRequest, name: str, arguments: Mapping[str, str]) -> GraphAnswer:
        is_own = name.lower() == _BY_ROLE[0]
        operation = Operation.LIST_OWN_WEBINARS if is_own else Operation.LIST_WEBINARS
        refused = check_permission(request.caller, operation, self._switches())
        if refused is not None:
            return refused
        user_id, role = arguments.get("userid", ""), arguments.get("role", "")
        if role not in _ROLES or bool(user_id) == is_own:
            return refusal(400, "BadRequest", f"The arguments of {name} are not valid.")
        user_id = request.caller.user_id or user_id
        refused = check_organizer(request.caller, user_id, self._switches())
        return refused or self._page(request, [one for one in self._store.webinars.all() if _has(one, user_id, role)])

    def _page(self, request: GraphRequest, webinars: list[Webinar], supported: tuple[str, ...] = ()) -> GraphAnswer:
        bodies = [webinar_body(webinar) for webinar in webinars]
        return one_page(request, self._switches(), bodies, webinar_context(request, ""), supported=supported)

    def _create(self, request: GraphRequest) -> GraphAnswer:
        properties = _properties(request, _WRITABLE_AT_FIRST)
        if isinstance(properties, GraphAnswer):
            return properties
        properties = {"display_name": "Untitled", **properties}
        webinar = self._store.webinars.add(status=DRAFT, organizer_id=str(request.caller.user_id), **properties)
        return GraphAnswer(201, _entity(request, webinar), effect="created")

    def _change(self, request: GraphRequest, webinar: Webinar, _: WebinarPath) -> GraphAnswer:
        properties = _properties(request, _WRITABLE)
        if isinstance(properties, GraphAnswer):
            return properties
        return GraphAnswer(
            200, _entity(request, self._store.webinars.change(webinar.id, **properties)), effect="changed"
        )

    def _publish(self, _: GraphRequest, webinar: Webinar, __: WebinarPath) -> GraphAnswer:
        try:
            after = self._store.webinars.publish(webinar.id)
        except WrongStatus as error:
            return refusal(400, "BadRequest", str(error))
        return GraphAnswer(204, effect=None if after == webinar else "published")

    def _call_off(self, _: GraphRequest, webinar: Webinar, __: WebinarPath) -> GraphAnswer:
        after = self._store.webinars.call_off(webinar.id)
        return GraphAnswer(204, effect=None if after == webinar else "cancelled")

    def _read_questions(self, request: GraphRequest, webinar: Webinar, _: WebinarPath) -> GraphAnswer:
        bodies = [question_body(question) for question in webinar.questions]
        return one_page(
            request, self._switches(), bodies, webinar_context(request, "/registrationConfiguration/questions")
        )

    def _read_sessions(self, request: GraphRequest, webinar: Webinar, _: WebinarPath) -> GraphAnswer:
        bodies = [session_body(webinar, webinar.join_web_url)]
        return one_page(request, self._switches(), bodies, webinar_context(request, "/sessions"))


def _read(request: GraphRequest, webinar: Webinar, _: WebinarPath) -> GraphAnswer:
    return GraphAnswer(200, _entity(request, webinar))


def _read_configuration(request: GraphRequest, webinar: Webinar, _: WebinarPath) -> GraphAnswer:
    return GraphAnswer(200, configuration_body(request, webinar))


def _read_session(request: GraphRequest, webinar: Webinar, path: WebinarPath) -> GraphAnswer:
    session = session_body(webinar, webinar.join_web_url)
    if session["id"] != path.key:
        return refusal(404, "NotFound", "Session was not found.")
    return GraphAnswer(200, {"@odata.context": webinar_context(request, "/sessions/$entity"), **session})


def _entity(request: GraphRequest, webinar: Webinar) -> dict[str, Any]:
    return {"@odata.context": webinar_context(request, "/$entity"), **webinar_body(webinar)}


def _has(webinar: Webinar, user_id: str, role: str) -> bool:
    if role == "organizer":
        return webinar.organizer_id == user_id
    return any(isinstance(one, dict) and one.get("id") == user_id for one in webinar.co_organizers)


def _properties(request: GraphRequest, writable: Mapping[str, str]) -> dict[str, Any] | GraphAnswer:
    """Return the properties to write. A status is read-only, because Graph publishes and cancels by actions."""
    body = request.body if isinstance(request.body, dict) else {}
    given = {name: value for name, value in body.items() if not name.startswith("@odata.")}
    unknown = next((name for name in given if name not in writable), None)
    if unknown is not None:
        return refusal(400, "BadRequest", f"Property '{unknown}' cannot be written.")
    wrong = next((name for name, value in given.items() if not _FITS[name](value)), None)
    if wrong is not None:
        return refusal(400, "BadRequest", f"Property '{wrong}' is not valid.")
    return {writable[name]: value for name, value in given.items()}
