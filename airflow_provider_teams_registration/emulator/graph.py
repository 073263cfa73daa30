"""The emulated Graph: which route, which fault, batches, and the journal of it all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from airflow_provider_teams_registration.emulator.books import Books
from airflow_provider_teams_registration.emulator.calendar_events import CalendarEvents
from airflow_provider_teams_registration.emulator.exchange import (
    GraphAnswer,
    GraphRequest,
    identified,
    no_such_method,
    no_such_segment,
    refusal,
    struck,
)
from airflow_provider_teams_registration.emulator.faults import Fault, Faults
from airflow_provider_teams_registration.emulator.journal import JournalEntry
from airflow_provider_teams_registration.emulator.limiter import Limiter
from airflow_provider_teams_registration.emulator.online_meetings import OnlineMeetings
from airflow_provider_teams_registration.emulator.registrant import registrant_id
from airflow_provider_teams_registration.emulator.switches import Switches
from airflow_provider_teams_registration.emulator.webinar_path import is_virtual_event
from airflow_provider_teams_registration.emulator.webinars import Webinars

MAX_BATCH = 20
_shuffle = random.Random(20).shuffle


class Graph:
    """
    Answers requests that carry a good token.

    :param books: the state.
    :param faults: the rules in force.
    :param limiter: how many requests an app may make.
    :param switches: the switches in force.
    """

    def __init__(self, books: Books, faults: Faults, limiter: Limiter, switches: Callable[[], Switches]) -> None:
        self._books = books
        self._faults = faults
        self._limiter = limiter
        self._online_meetings = OnlineMeetings(books, switches)
        self._calendar_events = CalendarEvents(books)
        self._webinars = Webinars(books, switches)

    def answer(self, request: GraphRequest) -> GraphAnswer:
        """Answer a request of its own or an item of a batch, and write it into the journal."""
        came_in = time.monotonic()
        about = registrant_id(request, self._books)
        fault = self._faults.strike(request.method, request.path, about)
        if fault is not None and fault.prevents:
            answer = refusal(500, "InternalServerError", "The emulator was told to fail.")
        else:
            throttled = self._limiter.refuse(request)
            if throttled is None and fault is not None and fault.lands_after:
                return self._answered_early(request, fault, came_in, about)
            answer = throttled or self._route(request)
        answer = answer if fault is None else struck(fault, answer)
        self._write(request, answer, came_in, about)
        return identified(answer, request.request_id, request.client_request_id)

    def _answered_early(self, request: GraphRequest, fault: Fault, came_in: float, about: str | None) -> GraphAnswer:
        answer = struck(fault, refusal(504, "GatewayTimeout", "The emulator was told to answer before the effect."))
        entry = self._write(request, answer, came_in, about)
        self._books.late_writes.send(
            fault.lands_after, lambda: self._books.write_effect(entry, self._route(request).effect)
        )
        return identified(answer, request.request_id, request.client_request_id)

    def _write(self, request: GraphRequest, answer: GraphAnswer, came_in: float, about: str | None) -> JournalEntry:
        fault = answer.fault
        return self._books.write(
            {
                "at": came_in,
                "method": request.method,
                "path": f"/{request.version}{request.path}",
                "status": None if fault is not None and fault.is_unanswered else answer.status,
                "request_id": request.request_id,
                "client_request_id": request.client_request_id,
                "batch": request.batch,
                "registrant_id": about,
                "effect": answer.effect,
                "fault": fault.route if fault is not None else None,
            }
        )

    def _refused(self, request: GraphRequest, answer: GraphAnswer) -> GraphAnswer:
        self._write(request, answer, time.monotonic(), registrant_id(request, self._books))
        return identified(answer, request.request_id, request.client_request_id)

    def _route(self, request: GraphRequest) -> GraphAnswer:
        segments = request.segments
        if segments == ["$batch"]:
            return self._batch(request) if request.method == "POST" else no_such_method(request.method)
        if segments[0].lower() == "solutions":
            return self._webinars.answer(request) if is_virtual_event(segments) else no_such_segment(segments[-1])
        below = {"me": 1, "users": 2}.get(segments[0].lower(), 0)
        if not below:
            return no_such_segment(segments[0])
        kind = segments[below].lower() if len(segments) > below else None
        if kind == "onlinemeetings":
            return self._online_meetings.answer(request, segments[below + 1 :])
        if kind == "events":
            return self._calendar_events.answer(request, segments[below + 1 :])
        return no_such_segment(segments[-1])

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
            return self._refused(request, failed)
        if "body" in item and "content-type" not in headers:
            untyped = refusal(400, "BadRequest", f"Write request id : {item['id']} has no Content-Type header.")
            return self._refused(request, untyped)
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
