"""One request to the emulated Graph and its answer, alone or as an item of a batch."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

from airflow_provider_teams_registration.emulator.faults import Fault


@dataclass(frozen=True)
class Caller:
    """
    Who the token was made out to.

    :param client_id: the application.
    :param user_id: the signed-in user; None for an application token.
    :param permissions: roles or scopes.
    """

    client_id: str
    user_id: str | None
    permissions: frozenset[str]


@dataclass(frozen=True)
class GraphRequest:
    """
    A request below ``/v1.0`` or ``/beta``.

    :param method: HTTP method.
    :param version: ``v1.0`` or ``beta``.
    :param path: path below the version, as it was sent, still encoded.
    :param caller: who calls.
    :param root: scheme, host and port that the caller used: next links lead back there.
    :param body: decoded JSON, or None.
    :param query: query parameters.
    :param client_request_id: the caller's id of it.
    :param request_id: the service's id of it.
    :param batch: request id of the batch it came in, or None.
    """

    method: str
    version: str
    path: str
    caller: Caller
    root: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    client_request_id: str | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    batch: str | None = None

    @property
    def segments(self) -> list[str]:
        """The path's segments, each decoded once: an id may hold a slash, a per cent sign, anything."""
        return [unquote(segment) for segment in self.path.strip("/").split("/")]


@dataclass(frozen=True)
class GraphAnswer:
    """
    What is answered.

    :param status: HTTP status.
    :param body: JSON body; None is no body.
    :param headers: headers beside the usual ones.
    :param effect: what the request changed, for the journal.
    :param fault: the rule that struck, for what it does to the connection.
    :param delay: seconds that it takes longer.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: str | None = None
    fault: Fault | None = None
    delay: float = 0.0


def refusal(status: int, code: str, message: str) -> GraphAnswer:
    """Return an error as Graph words it; the ids are filled in by :func:`identified`."""
    return GraphAnswer(status, {"error": {"code": code, "message": message}})


def no_such_segment(segment: str) -> GraphAnswer:
    """Return what Graph says of a path that it does not have."""
    return refusal(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def no_such_method(method: str) -> GraphAnswer:
    """Return what Graph says of a method that a path does not have."""
    return refusal(405, "Request_BadRequest", f"Specified HTTP method {method} is not allowed for the request target.")


def struck(fault: Fault, answer: GraphAnswer) -> GraphAnswer:
    """
    Let a fault spoil an answer.

    :param fault: the rule that strikes.
    :param answer: what would be answered otherwise.
    """
    if fault.status is not None:
        code = fault.code or {429: "TooManyRequests", 503: "ServiceUnavailable"}.get(fault.status, "Fault")
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        said = refusal(fault.status, code, fault.message or "The emulator was told to fail.")
        answer = replace(said, headers=headers, effect=answer.effect)
    body = None if fault.is_plain_text else answer.body
    return replace(answer, body=body, fault=fault, delay=answer.delay + fault.delay)


def identified(answer: GraphAnswer, request_id: str, client_request_id: str | None) -> GraphAnswer:
    """
    Put the ids into an answer's headers and, for an error, into its body.

    Service page: https://learn.microsoft.com/graph/errors
    """
    headers = {"request-id": request_id, "client-request-id": client_request_id or request_id, **answer.headers}
    body = answer.body
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        inner = {
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": headers["client-request-id"],
        }
        body = {"error": {**body["error"], "innerError": inner}}
    return replace(answer, body=body, headers=headers)
