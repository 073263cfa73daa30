"""The OpenAPI description of the admin API, which is made from its routes, and of the emulated Graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from airflow_provider_teams_registration.emulator.graph_api.described_routes import GRAPH_ROUTES, GraphRoute
from airflow_provider_teams_registration.emulator.graph_api.schemas import SCHEMAS
from airflow_provider_teams_registration.emulator.store import seeded

# The version of the admin API. The emulator does not import the package, so it does not know the package's version.
_VERSION = "1"
_SCHEMES = {
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of the emulated Entra, for the application or for the signed-in organizer",
    }
}
_PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "version": {"schema": {"type": "string", "enum": ["v1.0", "beta"]}},
    "userId": {"example": seeded.ORGANIZER_ID},
    "meetingId": {"example": seeded.MEETING_ID},
    "eventId": {"example": seeded.EVENT_ID},
    "webinarId": {"example": seeded.WEBINAR_ID},
    "$filter": {"schema": {"type": "string"}},
    "$skiptoken": {"schema": {"type": "string"}},
    "$select": {"schema": {"type": "string"}},
    "$top": {"schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999}},
    "$count": {"schema": {"type": "boolean"}},
}
_CONTENT_TYPES = {"Count": "text/plain", "TeamsAppPackage": "application/zip"}
"""The content types of schemas that do not describe JSON."""


def describe(application: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description of an emulator."""
    description = get_openapi(
        title="Teams registration emulator",
        version=_VERSION,
        description="The emulator's admin API, and what it emulates of Microsoft Graph.",
        routes=application.routes,
    )
    components = description.setdefault("components", {})
    components["schemas"] = {
        **components.get("schemas", {}),
        **{f"Graph{name}": each for name, each in SCHEMAS.items()},
    }
    components["securitySchemes"] = _SCHEMES
    for route in GRAPH_ROUTES:
        description["paths"].setdefault(route.path, {})[route.method] = _operation(route)
    return description


def _operation(route: GraphRoute) -> dict[str, Any]:
    good = {str(status): _answer(schema) for status, schema in route.answers.items()}
    body = {} if route.body is None else {"requestBody": {"required": True, "content": _content(route.body)}}
    return {
        "tags": ["Microsoft Graph"],
        "summary": route.does,
        "security": [{"entra": []}],
        "parameters": [
            *(_parameter("path", name) for name in re.findall(r"{(\w+)}", route.path)),
            *(_parameter("query", name) for name in route.query.split()),
        ],
        **body,
        "responses": {**good, "4XX": {"description": "Graph's error", "content": _content("Error")}},
    }


def _parameter(place: str, given: str) -> dict[str, Any]:
    name = given.rstrip("!")
    usual = {"schema": {"type": "string", "minLength": 1}}
    is_required = place == "path" or name != given
    return {"name": name, "in": place, "required": is_required, **usual, **_PARAMETERS.get(name, {})}


def _answer(schema: str | None) -> dict[str, Any]:
    if schema is None:
        return {"description": "No content"}
    return {"description": "Done", "content": _content(schema)}


def _content(schema: str) -> dict[str, Any]:
    kind = _CONTENT_TYPES.get(schema, "application/json")
    return {kind: {"schema": {"$ref": f"#/components/schemas/Graph{schema}"}}}
