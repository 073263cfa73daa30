"""The web application: the routes of Entra, of Graph, of the admin API and of the page."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from airflow_provider_teams_registration.emulator.admin.routes import admin_routes
from airflow_provider_teams_registration.emulator.admin.strict_route import refused, unusable, wrong_parts
from airflow_provider_teams_registration.emulator.behaviour.faults import Fault
from airflow_provider_teams_registration.emulator.entra.entra import Answer, BadToken, Entra
from airflow_provider_teams_registration.emulator.entra.managed_identity import managed_identity_routes
from airflow_provider_teams_registration.emulator.graph_api.graph import Graph
from airflow_provider_teams_registration.emulator.http.connections import BrokenResponse, DrippingResponse
from airflow_provider_teams_registration.emulator.http.failures import AnswersFailures
from airflow_provider_teams_registration.emulator.http.json_text import UnreadableJson, read_json
from airflow_provider_teams_registration.emulator.http.messages import (
    GraphAnswer,
    GraphRequest,
    identified,
    no_such_method,
    refusal,
    with_fault,
    with_headers,
)
from airflow_provider_teams_registration.emulator.tenant import EmulatedTenant

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_WITHOUT_BODY = (204, 304)


class _AnyText(PathConvertor):
    """The rest of a path. Starlette's own ``path`` stops at a line break, which a registrant's id may contain."""

    regex = r"[\s\S]*"


register_url_convertor("any_text", _AnyText())


def make_application(emulator: EmulatedTenant) -> FastAPI:
    """Return the web application of an emulator."""
    application = FastAPI(title="Teams registration emulator", openapi_url=None)
    application.add_middleware(AnswersFailures)
    application.add_exception_handler(RequestValidationError, _wrong_request)
    application.add_exception_handler(HTTPException, _refused_request)
    entra = Entra(emulator.store, lambda: emulator.switches, emulator.assertions)
    admin_routes(application, emulator)
    _entra_routes(application, emulator, entra)
    _graph_routes(application, emulator, entra)
    return application


def _entra_routes(application: FastAPI, emulator: EmulatedTenant, entra: Entra) -> None:
    async def answered(request: Request, answer: Callable[[], Answer]) -> Response:
        came_in = time.monotonic()
        fault = emulator.faults.match(request.method, request.url.path)
        prevented = fault is not None and fault.prevents
        status, body = (500, {"error": "server_error"}) if prevented else answer()
        said = GraphAnswer(status, body)
        if fault is not None:
            said = with_fault(fault, said)
            if fault.status is not None and said.body is not None and fault.redirect is None:
                error = {"error": fault.code or "temporarily_unavailable", "error_description": fault.message}
                said = replace(said, body=error)
        _write_sign_in(emulator, request, said, came_in)
        await asyncio.sleep(emulator.switches.latency)
        return await _respond(said)

    @application.get("/{tenant}/v2.0/.well-known/openid-configuration", include_in_schema=False)
    async def discovery(request: Request, tenant: str) -> Response:
        return await answered(request, lambda: entra.discovery(tenant, _root(request)))

    @application.get("/{tenant}/discovery/v2.0/keys", include_in_schema=False)
    async def keys(request: Request, tenant: str) -> Response:
        return await answered(request, lambda: (200, {"keys": []}))

    @application.post("/{tenant}/oauth2/v2.0/token", include_in_schema=False)
    async def token(request: Request, tenant: str) -> Response:
        form = await _form(request)
        return await answered(request, lambda: entra.token(tenant, form, _root(request)))

    @application.post("/{tenant}/oauth2/v2.0/devicecode", include_in_schema=False)
    async def device_code(request: Request, tenant: str) -> Response:
        form = await _form(request)
        return await answered(request, lambda: entra.device_code(tenant, form, _root(request)))

    managed_identity_routes(application, entra, answered)


def _graph_routes(application: FastAPI, emulator: EmulatedTenant, entra: Entra) -> None:
    graph = Graph(emulator.store, emulator.faults, emulator.limiter, lambda: emulator.switches)

    @application.api_route("/{version}", methods=_METHODS, include_in_schema=False)
    @application.api_route("/{version}/{path:any_text}", methods=_METHODS, include_in_schema=False)
    async def answer(request: Request, version: str) -> Response:
        if version.lower() not in ("v1.0", "beta"):
            return JSONResponse(refusal(400, "BadRequest", f"Invalid version: {version}.").body, 400)
        came_in = time.monotonic()
        content = await request.body()
        body, is_readable = _decoded(content)
        # The path as it was sent, because an id may contain an encoded slash.
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
                    version=version.lower(),
                    path=raw_path[len(version) + 1 :],
                    caller=caller,
                    root=_root(request),
                    body=body,
                    query=dict(request.query_params),
                    client_request_id=client_request_id,
                    is_readable=is_readable,
                    content=content,
                )
            )
        await asyncio.sleep(emulator.switches.latency)
        return await _respond(said)


async def _wrong_request(_: Request, error: Exception) -> Response:
    return unusable(wrong_parts(error) if isinstance(error, RequestValidationError) else error)


async def _refused_request(request: Request, error: Exception) -> Response:
    status, why = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    if request.url.path.startswith("/emulator/"):
        return refused(status, why)
    said = no_such_method(request.method) if status == 405 else refusal(status, "BadRequest", str(why))
    return await _respond(identified(said, str(uuid.uuid4()), request.headers.get("client-request-id")))


def _root(request: Request) -> str:
    # The address that the caller used. The caller may know this machine by another name than the emulator does.
    return str(request.base_url).rstrip("/")


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _write_sign_in(emulator: EmulatedTenant, request: Request, answer: GraphAnswer, came_in: float) -> None:
    fault = answer.fault
    emulator.store.write_sign_in(
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
    content = answer.raw
    if content is None:
        content = b"" if answer.body is None else json.dumps(answer.body).encode()
    if answer.status in _WITHOUT_BODY:
        content = b""
    usual = {"Date": formatdate(usegmt=True)}
    if answer.status == 401:
        usual["WWW-Authenticate"] = "Bearer"
    if fault.is_plain_text:
        usual["Content-Type"] = "text/plain"
    elif answer.body is not None or answer.raw is not None:
        usual["Content-Type"] = "application/json"
    headers = with_headers(usual, answer.headers)
    if fault.is_unanswered or fault.half:
        return BrokenResponse(content, answer.status, headers, is_half=fault.half)
    if answer.drip:
        return DrippingResponse(content, answer.status, headers, pause=answer.drip, drips_head=fault.drips_head)
    return Response(content, answer.status, headers)


def _decoded(body: bytes) -> tuple[Any, bool]:
    """Return the decoded body, and whether it could be read."""
    try:
        return read_json(body) if body else None, True
    except UnreadableJson:
        return None, False
