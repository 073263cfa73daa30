"""A request to the emulated service and its answer, sent alone or as an item of a batch."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

from airflow_provider_teams_registration.emulator.behaviour.batch_answers import disarranged
from airflow_provider_teams_registration.emulator.behaviour.faults import Fault


@dataclass(frozen=True)
class Caller:
    """
    The identity in an access token.

    :param client_id: the application.
    :param user_id: the signed-in user; None for an application token.
    :param permissions: roles of an application token, or scopes of a user's token.
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
    :param caller: the identity in the access token.
    :param root: scheme, host and port that the caller used; next links start with them.
    :param body: decoded JSON, or None.
    :param query: query parameters.
    :param client_request_id: the id that the caller gave the request.
    :param request_id: the id that the service gave the request.
    :param batch: request id of the batch that contains it, or None.
    :param is_readable: whether the body was JSON or empty.
    :param content: the body as it was sent.
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
    is_readable: bool = True
    content: bytes = field(default=b"", repr=False)

    @property
    def segments(self) -> list[str]:
        """The segments of the path, each decoded once, because an id may contain a slash or a per cent sign."""
        return [unquote(segment) for segment in self.path.strip("/").split("/")]


@dataclass(frozen=True)
class GraphAnswer:
    """
    An answer.

    :param status: HTTP status.
    :param body: JSON body; None is no body.
    :param headers: headers in addition to the usual ones.
    :param effect: what the request changed, for the journal.
    :param fault: the fault rule that applied, which may also break the connection.
    :param delay: additional seconds until the answer.
    :param raw: bytes that replace the JSON body.
    :param drip: seconds between two single bytes of the body.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: str | None = None
    fault: Fault | None = None
    delay: float = 0.0
    raw: bytes | None = None
    drip: float = 0.0


def refusal(status: int, code: str, message: str) -> GraphAnswer:
    """Return an error in Graph's form. :func:`identified` adds the ids."""
    return GraphAnswer(status, {"error": {"code": code, "message": message}})


def no_such_segment(segment: str) -> GraphAnswer:
    """Return Graph's answer to a path that does not exist."""
    return refusal(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def no_such_method(method: str) -> GraphAnswer:
    """Return Graph's answer to a method that a path does not support."""
    return refusal(405, "Request_BadRequest", f"Specified HTTP method {method} is not allowed for the request target.")


def with_fault(fault: Fault, answer: GraphAnswer) -> GraphAnswer:
    """
    Return an answer as a fault rule changes it.

    :param fault: the rule.
    :param answer: the answer without the fault.
    """
    if fault.status is not None:
        code = fault.code or {429: "TooManyRequests", 503: "ServiceUnavailable"}.get(fault.status, "Fault")
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        said = refusal(fault.status, code, fault.message or "The emulator was told to fail.")
        answer = replace(said, headers=headers, effect=answer.effect)
    elif fault.answers_raw:
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        answer = replace(answer, status=200 if fault.redirect is None else 307, headers=headers)
    named = {"Location": fault.redirect, "Content-Type": fault.content_type}
    headers = with_headers(answer.headers, {name: value for name, value in named.items() if value is not None})
    headers = with_headers(headers, fault.headers)
    body = None if fault.is_plain_text else answer.body
    if fault.answers is not None and isinstance(body, dict) and "responses" in body:
        body = {**body, "responses": disarranged(fault.answers, body["responses"])}
    delay, drip = answer.delay + fault.delay, max(answer.drip, fault.drip)
    return replace(answer, body=body, headers=headers, fault=fault, delay=delay, raw=fault.raw_body, drip=drip)


def with_headers(headers: Mapping[str, str], winning: Mapping[str, str]) -> dict[str, str]:
    """
    Return headers in which others replace those of the same name, in upper or lower case.

    :param headers: the headers.
    :param winning: the headers that replace them.
    """
    named = {name.lower() for name in winning}
    return {**{name: value for name, value in headers.items() if name.lower() not in named}, **winning}


def identified(answer: GraphAnswer, request_id: str, client_request_id: str | None) -> GraphAnswer:
    """
    Add the request ids to an answer's headers and, for an error, to its body.

    Service page: https://learn.microsoft.com/graph/errors
    """
    ids = {"request-id": request_id, "client-request-id": client_request_id or request_id}
    headers = with_headers(ids, answer.headers)
    body = answer.body
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        inner = {
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": ids["client-request-id"],
        }
        body = {"error": {**body["error"], "innerError": inner}}
    return replace(answer, body=body, headers=headers)
