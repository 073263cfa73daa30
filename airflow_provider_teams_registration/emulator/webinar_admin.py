"""What organizers and other people do to webinars without Graph: part of the admin API and of the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastapi import Body, FastAPI, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from airflow_provider_teams_registration.emulator.webinar import Question, Webinar
from airflow_provider_teams_registration.emulator.webinar_books import EventFull, WebinarBooks, WrongStatus

if TYPE_CHECKING:
    from airflow_provider_teams_registration.emulator.server import Emulator

_WEBINAR_ACTIONS: Mapping[str, Callable[[WebinarBooks, str], object]] = {
    "publish": WebinarBooks.publish,
    "cancel": WebinarBooks.call_off,
}
_REGISTRATION_ACTIONS: Mapping[str, Callable[[WebinarBooks, str, str], object]] = {
    "approve": WebinarBooks.approve,
    "reject": WebinarBooks.reject,
    "promote": WebinarBooks.promote,
    "cancel": WebinarBooks.cancel,
}


def webinar_admin_routes(application: FastAPI, emulator: Emulator) -> None:
    """Add the routes; whoever reaches the emulator may use them."""

    @application.post("/emulator/webinars")
    def add_webinar(body: dict[str, Any] = Body()) -> Response:  # noqa: B008 - FastAPI reads the default
        if emulator.books.webinars.webinar(str(body.get("id"))) is not None:
            return unusable("id must be one that no other webinar has, or left out.")
        try:
            webinar = _add_webinar(emulator.books.webinars, _in_our_names(body))
        except TypeError as error:
            return unusable(error)
        return JSONResponse(asdict(webinar), 201)

    @application.post("/emulator/webinars/{webinar_id}/registrations")
    def register_somebody(webinar_id: str, body: dict[str, Any] = Body()) -> Response:  # noqa: B008
        if emulator.books.webinars.webinar(webinar_id) is None or not isinstance(body.get("email"), str):
            return unusable("There must be such a webinar, and email must be text.")
        try:
            registration = emulator.books.webinars.register(webinar_id, **_in_our_names(body))
        except (EventFull, TypeError) as error:
            return unusable(error)
        return JSONResponse(asdict(registration), 201)

    _action_routes(application, emulator)


def _action_routes(application: FastAPI, emulator: Emulator) -> None:
    @application.post("/emulator/webinars/{webinar_id}/registrations/{registration_id}/{action}")
    def act_on_registration(request: Request, webinar_id: str, registration_id: str, action: str) -> Response:
        webinars = emulator.books.webinars
        known = webinars.webinar(webinar_id) and webinars.registration(webinar_id, registration_id)
        if known is None or action not in _REGISTRATION_ACTIONS:
            return unusable(f"There must be such a registration, and one of {', '.join(_REGISTRATION_ACTIONS)}.")
        return _done(request, lambda: _REGISTRATION_ACTIONS[action](webinars, webinar_id, registration_id))

    @application.post("/emulator/webinars/{webinar_id}/{action}")
    def act_on_webinar(request: Request, webinar_id: str, action: str) -> Response:
        webinars = emulator.books.webinars
        if webinars.webinar(webinar_id) is None or action not in _WEBINAR_ACTIONS:
            return unusable(f"There must be such a webinar, and one of {', '.join(_WEBINAR_ACTIONS)}.")
        return _done(request, lambda: _WEBINAR_ACTIONS[action](webinars, webinar_id))


def unusable(why: object) -> JSONResponse:
    """Return 422 for what cannot be done, and why."""
    return JSONResponse({"error": str(why)}, 422)


def _add_webinar(webinars: WebinarBooks, properties: dict[str, Any]) -> Webinar:
    questions = tuple(Question(**_in_our_names(question)) for question in properties.pop("questions", ()))
    webinar_id, display_name = properties.pop("id", None), str(properties.pop("display_name", "Untitled"))
    return webinars.add(display_name, webinar_id, questions=questions, **properties)


def _in_our_names(body: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``isRequired`` as ``is_required``, and so on."""
    return {re.sub(r"(?=[A-Z])", "_", name).lower(): value for name, value in body.items()}


def _done(request: Request, act: Callable[[], object]) -> Response:
    try:
        act()
    except WrongStatus as error:
        return unusable(error)
    # A button of the page leads back to the page.
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/", 303)
    return Response(status_code=204)
