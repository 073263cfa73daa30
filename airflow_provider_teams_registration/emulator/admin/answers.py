"""The answers of the admin API, in the types that its OpenAPI description shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from airflow_provider_teams_registration.emulator.behaviour.faults import ANSWERS, Fault
from airflow_provider_teams_registration.emulator.behaviour.switches import CHOICES, Switches
from airflow_provider_teams_registration.emulator.store.meeting import Meeting, RegistrantRecord
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore
from airflow_provider_teams_registration.emulator.store.registration import Registration
from airflow_provider_teams_registration.emulator.store.webinar import Webinar

Answers = dict[int | str, dict[str, Any]]


@dataclass(frozen=True)
class Refusal:
    """
    A refused request, which changed nothing.

    :param error: the reason, in a sentence.
    """

    error: str


@dataclass(frozen=True)
class MeetingState(Meeting):
    """
    A meeting and all its registrants, including people who were taken off.

    :param registrants: in the order of enrollment.
    """

    registrants: tuple[RegistrantRecord, ...] = ()


@dataclass(frozen=True)
class WebinarState(Webinar):
    """
    A webinar and all its registrations, including cancelled ones.

    :param registrations: the oldest first.
    """

    registrations: tuple[Registration, ...] = ()


@dataclass(frozen=True)
class State:
    """
    All events and the people on them.

    :param meetings: the meetings, the oldest first.
    :param webinars: the webinars, the oldest first.
    """

    meetings: tuple[MeetingState, ...]
    webinars: tuple[WebinarState, ...]


def state(store: MeetingStore) -> dict[str, Any]:
    """Return the fields of :class:`State`."""
    return {
        "meetings": [
            {**asdict(meeting), "registrants": [asdict(one) for one in store.registrants(meeting.id)]}
            for meeting in store.meetings()
        ],
        "webinars": [
            {**asdict(webinar), "registrations": [asdict(one) for one in store.webinars.registrations(webinar.id)]}
            for webinar in store.webinars.all()
        ],
    }


_REFUSED: Answers = {
    403: {"model": Refusal, "description": "The request comes from a page of another site"},
    422: {"model": Refusal, "description": "The request is not valid, or its values could not be shown later"},
}
DONE: Mapping[str, Any] = {"status_code": 204, "responses": _REFUSED}
"""The declaration of a route that answers without a body."""
PRESSED: Mapping[str, Any] = {
    "status_code": 204,
    "responses": {303: {"description": "Back to the page, for a form of the page"}, **_REFUSED},
}
"""The declaration of a route that a button of the page calls."""


def ok(kind: Any) -> Answers:
    """Return the declaration of a route that reads."""
    return {200: {"model": kind}}


def made(kind: Any) -> dict[str, Any]:
    """Return the declaration of a route that adds something."""
    return {"status_code": 201, "responses": {201: {"model": kind}, **_REFUSED}}


def added_fault() -> dict[str, Any]:
    """Return the declaration of the route that adds a fault rule."""
    return {**made(Fault), "openapi_extra": _takes(_fault_schema())}


def set_switches() -> dict[str, Any]:
    """Return the declaration of the route that sets switches."""
    return {"responses": {**ok(Switches), **_REFUSED}, "openapi_extra": _takes(_switches_schema())}


def _takes(schema: Mapping[str, Any]) -> dict[str, Any]:
    body = {**schema, "additionalProperties": False}
    return {"requestBody": {"content": {"application/json": {"schema": body}}}}


def _fault_schema() -> dict[str, Any]:
    schema = TypeAdapter(Fault).json_schema()
    parts = schema["properties"]
    parts["route"]["pattern"] = "^[!-~]+ [!-~]+$"
    parts["when"]["enum"] = ["before", "after"]
    parts["answers"]["enum"] = [*ANSWERS, None]
    return schema


def _switches_schema() -> dict[str, Any]:
    schema = TypeAdapter(Switches).json_schema()
    for name, part in schema["properties"].items():
        choices = CHOICES.get(name)
        if choices is not None:
            part["enum"] = list(choices)
        elif part["type"] in ("integer", "number"):
            part["minimum"] = 0
    return schema
