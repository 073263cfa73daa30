"""The emulated Graph: which route, which fault, batches, and the journal of it all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from airflow_provider_teams_registration.emulator.books import Books
from airflow_provider_teams_registration.emulator.exchange import (
    GraphAnswer,
    GraphRequest,
    identified,
    no_such_method,
    no_such_segment,
    refusal,
    struck,
)
from airflow_provider_teams_registration.emulator.faults import Faults
from airflow_provider_teams_registration.emulator.online_meetings import OnlineMeetings
from airflow_provider_teams_registration.emulator.switches import Switches

MAX_BATCH = 20
_shuffle = random.Random(20).shuffle


class Graph:
    """
    Answers requests that carry a good token.

    :param books: the state.
    :param faults: the rules in force.
    :param switches: the switches in force.
    """

    def __init__(self, books: Books, faults: Faults, switches: Callable[[], Switches]) -> None:
        self._books = books
        self._faults = faults
        self._online_meetings = OnlineMeetings(books, switches)

    def answer(self, request: GraphRequest) -> GraphAnswer:
        """Answer a request of its own or an item of a batch, and write it into the journal."""
        came_in = time.monotonic()
        fault = self._faults.strike(request.method, request.path, _registrant_id(request))
        if fault is None:
            answer = self._route(request)
        elif fault.prevents:
            answer = struck(fault, refusal(500, "InternalServerError", "The emulator was told to fail."))
        else:
            answer = struck(fault, self._route(request))
        return self._recorded(request, answer, came_in)

    def _recorded(self, request: GraphRequest, answer: GraphAnswer, came_in: float) -> GraphAnswer:
        fault = answer.fault
        self._books.write(
            {
                "at": came_in,
                "method": request.method,
                "path": f"/{request.version}{request.path}",
                "status": None if fault is not None and fault.is_unanswered else answer.status,
                "request_id": request.request_id,
                "client_request_id": request.client_request_id,
                "batch": request.batch,
                "registrant_id": _registrant_id(request),
                "effect": answer.effect,
                "fault": fault.route if fault is not None else None,
            }
        )
        return identified(answer, request.request_id, request.client_request_id)

    def _route(self, request: GraphRequest) -> GraphAnswer:
        segments = request.segments
        if segments == ["$batch"]:
            return self._batch(request) if request.method == "POST" else no_such_method(request.method)
        below = {"me": 1, "users": 2}.get(segments[0].lower(), 0)
        if not below:
            return no_such_segment(segments[0])
        if len(segments) <= below or segments[below].lower() != "onlinemeetings":
            return no_such_segment(segments[-1])
        return self._online_meetings.answer(request, segments[below + 1 :])

    def _batch(self, request: GraphRequest) -> GraphAnswer:
        """Service page: https://learn.microsoft.com/graph/json-batching"""
        items = request.body.get("requests") if isinstance(request.body, dict) else None
        wrong = _wrong_batch(items)
        if wrong or not isinstance(items, list):
            return refusal(400, "BadRequest", wrong or "Invalid batch payload format.")
        statuses: dict[str, int] = {}
        answers: list[tuple[Mapping[str, Any], GraphAnswer]] = []
        for item in items:
            answer = self._item(request, item, statuses)
            statuses[item["id"].lower()] = answer.status
            answers.append((item, answer))
        responses = [_item_body(item, answer) for item, answer in answers if not _is_left_out(answer)]
        _shuffle(responses)
        return GraphAnswer(200, {"responses": responses}, delay=max((answer.delay for _, answer in answers), default=0))

    def _item(self, outer: GraphRequest, item: Mapping[str, Any], statuses: Mapping[str, int]) -> GraphAnswer:
        came_in = time.monotonic()
        headers = {str(name).lower(): value for name, value in (item.get("headers") or {}).items()}
        url = urlsplit(item["url"])
        request = GraphRequest(
            method=item["method"].upper(),
            version=outer.version,
            path=f"/{url.path.lstrip('/')}",
            caller=outer.caller,
            root=outer.root,
            body=item.get("body"),
            query=dict(parse_qsl(url.query)),
            client_request_id=headers.get("client-request-id"),
            batch=outer.request_id,
        )
        waits_for = [str(other).lower() for other in item.get("dependsOn") or ()]
        if any(statuses.get(other, 424) >= 400 for other in waits_for):
            failed = refusal(424, "FailedDependency", "A request that this one depends on has failed.")
            return self._recorded(request, failed, came_in)
        if "body" in item and "content-type" not in headers:
            untyped = refusal(400, "BadRequest", f"Write request id : {item['id']} has no Content-Type header.")
            return self._recorded(request, untyped, came_in)
        return self.answer(request)


def _wrong_batch(items: Any) -> str | None:
    if not isinstance(items, list) or not all(_is_item(item) for item in items):
        return "Invalid batch payload format."
    if len(items) > MAX_BATCH:
        return f"Number of batch request steps exceeds the maximum value of {MAX_BATCH}."
    ids = [item["id"].lower() for item in items]
    if not all(ids) or len(set(ids)) < len(ids):
        return "Request ids must be there and unique, whatever their case."
    if any(urlsplit(item["url"]).path.strip("/") == "$batch" for item in items):
        return "Nested batch requests are not supported."
    return None


def _is_item(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and all(isinstance(item.get(name), str) for name in ("id", "method", "url"))
        and isinstance(item.get("headers") or {}, dict)
    )


def _is_left_out(answer: GraphAnswer) -> bool:
    return answer.fault is not None and (answer.fault.is_unanswered or answer.fault.half)


def _item_body(item: Mapping[str, Any], answer: GraphAnswer) -> dict[str, Any]:
    body: dict[str, Any] = {"id": item["id"], "status": answer.status, "headers": dict(answer.headers)}
    if answer.body is not None:
        body["headers"]["Content-Type"] = "application/json"
        body["body"] = answer.body
    return body


def _registrant_id(request: GraphRequest) -> str | None:
    if request.method == "POST" and isinstance(request.body, dict) and request.path.endswith("registrants"):
        given = request.body.get("id")
        return given if isinstance(given, str) else None
    segments = request.segments
    return segments[-1] if len(segments) > 1 and segments[-2] == "registrants" else None
