"""The emulator's own API below ``/emulator``, and its page at ``/``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastapi import Body, FastAPI
from starlette.responses import HTMLResponse, JSONResponse, Response

from airflow_provider_teams_registration.emulator.faults import Fault
from airflow_provider_teams_registration.emulator.page import render_page
from airflow_provider_teams_registration.emulator.switches import BadSwitch
from airflow_provider_teams_registration.emulator.webinar_admin import unusable, webinar_admin_routes

if TYPE_CHECKING:
    from airflow_provider_teams_registration.emulator.server import Emulator


def admin_routes(application: FastAPI, emulator: Emulator) -> None:
    """Add the routes; whoever reaches the emulator may use them."""

    @application.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse(render_page(emulator))

    @application.get("/emulator/state")
    def state() -> dict[str, Any]:
        return {
            "meetings": [
                {**asdict(meeting), "registrants": [asdict(one) for one in emulator.books.registrants(meeting.id)]}
                for meeting in emulator.books.meetings()
            ],
            "webinars": [
                {
                    **asdict(webinar),
                    "registrations": [asdict(one) for one in emulator.books.webinars.registrations(webinar.id)],
                }
                for webinar in emulator.books.webinars.all()
            ],
        }

    @application.post("/emulator/reset")
    def reset() -> Response:
        emulator.reset()
        return Response(status_code=204)

    _meeting_routes(application, emulator)
    webinar_admin_routes(application, emulator)
    _journal_routes(application, emulator)
    _behaviour_routes(application, emulator)


def _meeting_routes(application: FastAPI, emulator: Emulator) -> None:
    @application.post("/emulator/meetings")
    def add_meeting(body: dict[str, Any] = Body()) -> Response:  # noqa: B008 - FastAPI reads the default
        meeting_id, audience = body.get("id"), body.get("allowedRegistrant")
        if audience not in (None, "everyone", "organization"):
            return unusable("allowedRegistrant must be everyone, organization or left out.")
        if meeting_id is not None and (not isinstance(meeting_id, str) or emulator.books.meeting(meeting_id)):
            return unusable("id must be text that no other meeting has, or left out.")
        meeting = emulator.books.add_meeting(str(body.get("subject", "Untitled")), meeting_id, audience)
        return JSONResponse(asdict(meeting), 201)

    @application.post("/emulator/registrants")
    def enroll_somebody(body: dict[str, Any] = Body()) -> Response:  # noqa: B008 - FastAPI reads the default
        meeting = emulator.books.meeting(str(body.get("meetingId")))
        if meeting is None or meeting.allowed_registrant is None:
            return unusable("meetingId must be that of a meeting that is open.")
        if not isinstance(body.get("id"), str) or not body["id"]:
            return unusable("id must be text.")
        record = emulator.books.enroll(meeting, body["id"], body.get("tenantId"), body.get("userId"))
        return JSONResponse(asdict(record), 201)


def _journal_routes(application: FastAPI, emulator: Emulator) -> None:
    @application.get("/emulator/journal")
    def journal() -> list[dict[str, Any]]:
        return [asdict(entry) for entry in list(emulator.books.journal)]

    @application.delete("/emulator/journal")
    def clear_journal() -> Response:
        emulator.clear_journal()
        return Response(status_code=204)

    @application.get("/emulator/sign-ins")
    def sign_ins() -> list[dict[str, Any]]:
        return [asdict(entry) for entry in list(emulator.books.sign_ins)]


def _behaviour_routes(application: FastAPI, emulator: Emulator) -> None:
    @application.get("/emulator/switches")
    def switches() -> dict[str, Any]:
        return asdict(emulator.switches)

    @application.put("/emulator/switches")
    def set_switches(values: dict[str, Any] = Body()) -> Response:  # noqa: B008 - FastAPI reads the default
        try:
            emulator.switches = emulator.switches.changed(values)
        except BadSwitch as error:
            return unusable(error)
        return JSONResponse(asdict(emulator.switches))

    @application.get("/emulator/faults")
    def faults() -> list[dict[str, Any]]:
        return [asdict(fault) for fault in emulator.faults.in_force()]

    @application.post("/emulator/faults")
    def add_fault(rule: dict[str, Any] = Body()) -> Response:  # noqa: B008 - FastAPI reads the default
        try:
            emulator.faults.add(Fault(**rule))
        except (TypeError, ValueError) as error:
            return unusable(error)
        return JSONResponse(rule, 201)

    @application.delete("/emulator/faults")
    def clear_faults() -> Response:
        emulator.clear_faults()
        return Response(status_code=204)
