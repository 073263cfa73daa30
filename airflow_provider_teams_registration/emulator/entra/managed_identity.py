"""
The endpoints at which an Azure machine gets tokens for its managed identities.

Service pages:
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from airflow_provider_teams_registration.emulator.entra.entra import Answer, Entra
from airflow_provider_teams_registration.emulator.store.seeded import (
    ARC_KEY_FILE,
    ARC_SECRET,
    IDENTITY_HEADER,
    SYSTEM_IDENTITY_ID,
    USER_IDENTITY_ID,
)

_VM = "/metadata/identity/oauth2/token"
_APP_SERVICE = "/msi/token"
_ARC = "/arc/metadata/identity/oauth2/token"
_SELECTORS = ("client_id", "object_id", "principal_id", "msi_res_id", "mi_res_id")

Answered = Callable[[Request, Callable[[], Answer]], Awaitable[Response]]


def machine_environment(url: str, machine: str) -> dict[str, str]:
    """
    Return the environment variables by which a program finds the endpoint of the machine it runs on.

    :param url: the emulator's address.
    :param machine: ``vm``, ``app_service`` or ``arc``. The last also needs the file that the endpoint names.
    """
    return {
        "vm": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": url},
        "app_service": {"IDENTITY_ENDPOINT": url + _APP_SERVICE, "IDENTITY_HEADER": IDENTITY_HEADER},
        "arc": {"IDENTITY_ENDPOINT": url + _ARC, "IMDS_ENDPOINT": url},
    }[machine]


def managed_identity_routes(application: FastAPI, entra: Entra, answered: Answered) -> None:
    """
    Add the endpoints.

    :param application: the emulator's application.
    :param entra: issues the tokens.
    :param answered: answers a request, with the faults that strike it.
    """

    @application.get(_VM, include_in_schema=False)
    async def vm(request: Request) -> Response:
        return await answered(request, lambda: _of_vm(entra, request.headers, request.query_params))

    @application.get(_APP_SERVICE, include_in_schema=False)
    async def app_service(request: Request) -> Response:
        return await answered(request, lambda: _of_app_service(entra, request.headers, request.query_params))

    @application.get(_ARC, include_in_schema=False)
    async def arc(request: Request) -> Response:
        if request.headers.get("authorization") != f"Basic {ARC_SECRET}":
            return JSONResponse({"error": "unauthorized"}, 401, {"WWW-Authenticate": f"Basic realm={ARC_KEY_FILE}"})
        return await answered(request, lambda: _of_vm(entra, request.headers, request.query_params))


def _of_vm(entra: Entra, headers: Mapping[str, str], query: Mapping[str, str]) -> Answer:
    if headers.get("metadata", "").lower() != "true":
        return _bad("Required metadata header not specified")
    if not query.get("api-version") or not query.get("resource"):
        return _bad("Required query variable 'resource' is missing")
    client_id = _identity(query)
    if client_id is None:
        return _bad("Identity not found")
    given = entra.identity_token(client_id, query["resource"])
    if given is None:
        return _bad("AADSTS500011: The resource principal was not found in the tenant.")
    return 200, {
        # These endpoints give numbers as text.
        **{name: str(value) for name, value in given.items()},
        "expires_on": str(int(time.time()) + given["expires_in"]),
        "resource": query["resource"],
        "client_id": client_id,
    }


def _of_app_service(entra: Entra, headers: Mapping[str, str], query: Mapping[str, str]) -> Answer:
    if headers.get("x-identity-header") != IDENTITY_HEADER:
        return 401, {"statusCode": 401, "message": "Unauthorized"}
    client_id = _identity(query)
    given = entra.identity_token(client_id, query.get("resource", "")) if client_id else None
    if given is None:
        return 400, {"statusCode": 400, "message": "No managed identity was found for the specified parameters."}
    return 200, {
        "access_token": given["access_token"],
        "token_type": "Bearer",
        "expires_on": str(int(time.time()) + given["expires_in"]),
        "resource": query["resource"],
        "client_id": client_id,
    }


def _identity(query: Mapping[str, str]) -> str | None:
    """Return the client id of the identity that is asked for; None where the machine does not have it."""
    named: Any = next((query[name] for name in _SELECTORS if query.get(name)), None)
    if named is None:
        return SYSTEM_IDENTITY_ID
    return named if named in (SYSTEM_IDENTITY_ID, USER_IDENTITY_ID) else None


def _bad(description: str) -> Answer:
    return 400, {"error": "invalid_request", "error_description": description}
