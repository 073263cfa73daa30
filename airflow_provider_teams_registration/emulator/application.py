"""The emulator's routes: Entra, Graph, the admin API and the page."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import JSONResponse, Response

from airflow_provider_teams_registration.emulator.admin import admin_routes
from airflow_provider_teams_registration.emulator.connections import BrokenResponse
from airflow_provider_teams_registration.emulator.entra import Answer, BadToken, Entra
from airflow_provider_teams_registration.emulator.exchange import (
    GraphAnswer,
    GraphRequest,
    identified,
    refusal,
    struck,
)
from airflow_provider_teams_registration.emulator.faults import Fault
from airflow_provider_teams_registration.emulator.graph import Graph

if TYPE_CHECKING:
    from airflow_provider_teams_registration.emulator.server import Emulator


_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class _AnyText(PathConvertor):
    """Whatever follows: Starlette's own ``path`` ends at a line break, which a registrant's id may hold."""

    regex = r"[\s\S]*"


register_url_convertor("any_text", _AnyText())


def make_application(emulator: Emulator) -> FastAPI:
    """Return the web application of an emulator."""
    application = FastAPI(title="Teams registration emulator", openapi_url=None)
    entra = Entra(emulator.books, lambda: emulator.switches)
    admin_routes(application, emulator)
    _entra_routes(application, emulator, entra)
    _graph_routes(application, emulator, entra)
    return application


def _entra_routes(application: FastAPI, emulator: Emulator, entra: Entra) -> None:
    async def answered(request: Request, answer: Callable[[], Answer]) -> Response:
        came_in = time.monotonic()
        fault = emulator.faults.strike(request.method, request.url.path)
        prevented = fault is not None and fault.prevents
        status, body = (500, {"error": "server_error"}) if prevented else answer()
        said = GraphAnswer(status, body)
        if fault is not None:
            said = struck(fault, said)
            if fault.status is not None and said.body is not None:
                error = {"error": fault.code or "temporarily_unavailable", "error_description": fault.message}
                said = replace(said, body=error)
        _write_sign_in(emulator, request, said, came_in)
        await asyncio.sleep(emulator.switches.latency)
        return await _respond(said)

    @application.get("/{tenant}/v2.0/.well-known/openid-configuration")
    async def discovery(request: Request, tenant: str) -> Response:
        return await answered(request, lambda: entra.discovery(tenant, _root(request)))

    @application.get("/{tenant}/discovery/v2.0/keys")
    async def keys(request: Request, tenant: str) -> Response:
        return await answered(request, lambda: (200, {"keys": []}))

    @application.post("/{tenant}/oauth2/v2.0/token")
    async def token(request: Request, tenant: str) -> Response:
        form = await _form(request)
        return await answered(request, lambda: entra.token(tenant, form))

    @application.post("/{tenant}/oauth2/v2.0/devicecode")
    async def device_code(request: Request, tenant: str) -> Response:
        form = await _form(request)
        return await answered(request, lambda: entra.device_code(tenant, form, _root(request)))


def _graph_routes(application: FastAPI, emulator: Emulator, entra: Entra) -> None:
    graph = Graph(emulator.books, emulator.faults, emulator.limiter, lambda: emulator.switches)

    @application.api_route("/{version}", methods=_METHODS)
    @application.api_route("/{version}/{path:any_text}", methods=_METHODS)
    async def answer(request: Request, version: str) -> Response:
        if version not in ("v1.0", "beta"):
            return JSONResponse(refusal(400, "BadRequest", f"Invalid version: {version}.").body, 400)
        came_in = time.monotonic()
        body = _decoded(await request.body())
        # The path as it was sent: an id may hold an encoded slash.
        raw_path = request.scope["raw_path"].decode().split("?")[0]
        client_request_id = request.headers.get("client-request-id")
        try:
            caller = entra.caller(request.headers.get("authorization"))
        except BadToken as error:
            said = refusal(401, "InvalidAuthenticationToken", str(error))
            said = identified(said, str(uuid.uuid4()), client_request_id)
            _write_sign_in(emulator, request, said, came_in)
        else:
            said = graph.answer(
                GraphRequest(
                    method=request.method,
                    version=version,
                    path=raw_path[len(version) + 1 :],
                    caller=caller,
                    root=_root(request),
                    body=body,
                    query=dict(request.query_params),
                    client_request_id=client_request_id,
                )
            )
        await asyncio.sleep(emulator.switches.latency)
        return await _respond(said)


def _root(request: Request) -> str:
    # The address that the caller used: it may know this machine by another name than the one we listen on.
    return str(request.base_url).rstrip("/")


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


def _write_sign_in(emulator: Emulator, request: Request, answer: GraphAnswer, came_in: float) -> None:
    fault = answer.fault
    emulator.books.write_sign_in(
        {
            "at": came_in,
            "method": request.method,
            "path": request.url.path,
            "status": None if fault is not None and fault.is_unanswered else answer.status,
            "request_id": answer.headers.get("request-id", str(uuid.uuid4())),
            "client_request_id": request.headers.get("client-request-id"),
            "fault": fault.route if fault is not None else None,
        }
    )


async def _respond(answer: GraphAnswer) -> Response:
    fault = answer.fault or Fault("* *")
    await asyncio.sleep(answer.delay)
    content = b"" if answer.body is None else json.dumps(answer.body).encode()
    if fault.is_unanswered or fault.half:
        return BrokenResponse(content, answer.status, is_half=fault.half)
    headers = dict(answer.headers)
    if answer.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if fault.is_plain_text:
        headers["content-type"] = "text/plain"
    elif answer.body is not None:
        headers["content-type"] = "application/json"
    return Response(content, answer.status, headers)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
