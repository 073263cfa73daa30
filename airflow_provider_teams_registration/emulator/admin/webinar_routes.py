"""The routes of the admin API for actions of organizers and other people on webinars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from airflow_provider_teams_registration.emulator.admin import answers
from airflow_provider_teams_registration.emulator.admin.bodies import RegistrationBody, WebinarBody
from airflow_provider_teams_registration.emulator.admin.strict_route import AsciiJSONResponse, done, unusable
from airflow_provider_teams_registration.emulator.store.registration import Registration
from airflow_provider_teams_registration.emulator.store.webinar import Webinar
from airflow_provider_teams_registration.emulator.store.webinar_store import EventFull, WebinarStore, WrongStatus
from airflow_provider_teams_registration.emulator.tenant import EmulatedTenant

WebinarAction = Literal["publish", "cancel"]
RegistrationAction = Literal["approve", "reject", "promote", "cancel"]
_WEBINAR_ACTIONS: Mapping[WebinarAction, Callable[[WebinarStore, str], object]] = {
    "publish": WebinarStore.publish,
    "cancel": WebinarStore.call_off,
}
_REGISTRATION_ACTIONS: Mapping[RegistrationAction, Callable[[WebinarStore, str, str], object]] = {
    "approve": WebinarStore.approve,
    "reject": WebinarStore.reject,
    "promote": WebinarStore.promote,
    "cancel": WebinarStore.cancel,
}


def webinar_admin_routes(router: APIRouter, emulator: EmulatedTenant) -> None:
    """Add the routes. Everybody who reaches the emulator may use them."""
    webinars = emulator.store.webinars

    @router.post("/emulator/webinars", **answers.made(Webinar))
    def add_webinar(body: WebinarBody) -> Response:
        if body.id is not None and webinars.webinar(body.id) is not None:
            return unusable("id must be one that no other webinar has, or left out.")
        return AsciiJSONResponse(asdict(webinars.add(body.display_name, body.id, **body.properties())), 201)

    @router.post("/emulator/webinars/{webinar_id}/registrations", **answers.made(Registration))
    def register_somebody(webinar_id: str, body: RegistrationBody) -> Response:
        if webinars.webinar(webinar_id) is None:
            return unusable("There is no such webinar.")
        try:
            registration = webinars.register(webinar_id, **body.properties())
        except EventFull as error:
            return unusable(error)
        return AsciiJSONResponse(asdict(registration), 201)

    _action_routes(router, emulator)


def _action_routes(router: APIRouter, emulator: EmulatedTenant) -> None:
    webinars = emulator.store.webinars

    @router.post("/emulator/webinars/{webinar_id}/registrations/{registration_id}/{action}", **answers.PRESSED)
    def act_on_registration(
        request: Request, webinar_id: str, registration_id: str, action: RegistrationAction
    ) -> Response:
        known = webinars.webinar(webinar_id) and webinars.registration(webinar_id, registration_id)
        if known is None:
            return unusable("There is no such registration.")
        return _acted(request, lambda: _REGISTRATION_ACTIONS[action](webinars, webinar_id, registration_id))

    @router.post("/emulator/webinars/{webinar_id}/{action}", **answers.PRESSED)
    def act_on_webinar(request: Request, webinar_id: str, action: WebinarAction) -> Response:
        if webinars.webinar(webinar_id) is None:
            return unusable("There is no such webinar.")
        return _acted(request, lambda: _WEBINAR_ACTIONS[action](webinars, webinar_id))


def _acted(request: Request, act: Callable[[], object]) -> Response:
    try:
        act()
    except WrongStatus as error:
        return unusable(error)
    return done(request)
