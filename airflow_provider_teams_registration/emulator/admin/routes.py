"""The routes of the admin API below ``/emulator``, and of the page at ``/``."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Body, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from airflow_provider_teams_registration.emulator.admin import answers
from airflow_provider_teams_registration.emulator.admin.bodies import MeetingBody, RegistrantBody
from airflow_provider_teams_registration.emulator.admin.openapi import describe
from airflow_provider_teams_registration.emulator.admin.page import page_headers, render_page
from airflow_provider_teams_registration.emulator.admin.strict_route import (
    AdminRoute,
    AsciiJSONResponse,
    done,
    unusable,
)
from airflow_provider_teams_registration.emulator.admin.webinar_routes import webinar_admin_routes
from airflow_provider_teams_registration.emulator.behaviour.faults import Fault, read_fault
from airflow_provider_teams_registration.emulator.behaviour.switches import BadSwitch, Switches
from airflow_provider_teams_registration.emulator.store.journal import JournalEntry
from airflow_provider_teams_registration.emulator.store.meeting import Meeting, RegistrantRecord
from airflow_provider_teams_registration.emulator.tenant import EmulatedTenant


def admin_routes(application: FastAPI, emulator: EmulatedTenant) -> None:
    """Add the routes. Everybody who reaches the emulator may use them."""
    router = APIRouter(route_class=AdminRoute)

    @router.get("/", response_class=HTMLResponse)
    def page(request: Request) -> Response:
        url, nonce = str(request.base_url).rstrip("/"), secrets.token_urlsafe()
        # A rule or an id may contain half of a surrogate pair, which UTF-8 cannot encode.
        content = render_page(emulator, url, nonce).encode("utf-8", "replace")
        return HTMLResponse(content, headers=page_headers(nonce))

    @router.get("/emulator/openapi.json")
    def openapi() -> Response:
        return AsciiJSONResponse(describe(application))

    @router.get("/emulator/state", responses=answers.ok(answers.State))
    def state() -> Response:
        return AsciiJSONResponse(answers.state(emulator.store))

    @router.post("/emulator/reset", **answers.PRESSED)
    def reset(request: Request) -> Response:
        emulator.reset()
        return done(request)

    _meeting_routes(router, emulator)
    webinar_admin_routes(router, emulator)
    _journal_routes(router, emulator)
    _behaviour_routes(router, emulator)
    application.include_router(router)


def _meeting_routes(router: APIRouter, emulator: EmulatedTenant) -> None:
    @router.post("/emulator/meetings", **answers.made(Meeting))
    def add_meeting(body: MeetingBody) -> Response:
        if body.id is not None and emulator.store.meeting(body.id):
            return unusable("id must be one that no other meeting has, or left out.")
        meeting = emulator.store.add_meeting(body.subject, body.id, body.allowed_registrant)
        return AsciiJSONResponse(asdict(meeting), 201)

    @router.post("/emulator/registrants", **answers.made(RegistrantRecord))
    def enroll_somebody(body: RegistrantBody) -> Response:
        meeting = emulator.store.meeting(body.meeting_id)
        if meeting is None or meeting.allowed_registrant is None:
            return unusable("meetingId must be that of a meeting that is open.")
        record = emulator.store.enroll(meeting, body.id, body.tenant_id, body.user_id)
        return AsciiJSONResponse(asdict(record), 201)


def _journal_routes(router: APIRouter, emulator: EmulatedTenant) -> None:
    @router.get("/emulator/journal", responses=answers.ok(list[JournalEntry]))
    def journal() -> Response:
        return AsciiJSONResponse([asdict(entry) for entry in list(emulator.store.journal)])

    @router.delete("/emulator/journal", **answers.DONE)
    def clear_journal() -> Response:
        emulator.clear_journal()
        return Response(status_code=204)

    @router.get("/emulator/sign-ins", responses=answers.ok(list[JournalEntry]))
    def sign_ins() -> Response:
        return AsciiJSONResponse([asdict(entry) for entry in list(emulator.store.sign_ins)])


def _behaviour_routes(router: APIRouter, emulator: EmulatedTenant) -> None:
    @router.get("/emulator/switches", responses=answers.ok(Switches))
    def switches() -> Response:
        return AsciiJSONResponse(asdict(emulator.switches))

    @router.put("/emulator/switches", **answers.set_switches())
    def set_switches(values: dict[str, Any] = Body()) -> Response:  # noqa: B008 - FastAPI reads the default
        try:
            emulator.switches = emulator.switches.changed(values)
        except BadSwitch as error:
            return unusable(error)
        return AsciiJSONResponse(asdict(emulator.switches))

    @router.get("/emulator/faults", responses=answers.ok(list[Fault]))
    def faults() -> Response:
        return AsciiJSONResponse([asdict(fault) for fault in emulator.faults.in_force()])

    @router.post("/emulator/faults", **answers.added_fault())
    def add_fault(rule: dict[str, Any] = Body()) -> Response:  # noqa: B008 - FastAPI reads the default
        try:
            emulator.faults.add(read_fault(rule))
        except ValueError as error:
            return unusable(error)
        return AsciiJSONResponse(rule, 201)

    @router.delete("/emulator/faults", **answers.DONE)
    def clear_faults() -> Response:
        emulator.clear_faults()
        return Response(status_code=204)
