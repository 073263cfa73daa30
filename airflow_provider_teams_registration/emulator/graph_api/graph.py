"""The emulated Graph: finds the route of a request, applies faults and limits, and writes the journal."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from airflow_provider_teams_registration.emulator.behaviour.faults import Fault, Faults
from airflow_provider_teams_registration.emulator.behaviour.limiter import Limiter
from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.graph_api.batch import (
    answer_body,
    batch_items,
    is_batch,
    is_left_out,
    item_request,
    lower_case,
    wrong_batch,
)
from airflow_provider_teams_registration.emulator.graph_api.calendar_events import CalendarEvents
from airflow_provider_teams_registration.emulator.graph_api.online_meetings import OnlineMeetings
from airflow_provider_teams_registration.emulator.graph_api.paging import ListAnswer
from airflow_provider_teams_registration.emulator.graph_api.query_options import without_count
from airflow_provider_teams_registration.emulator.graph_api.registrant import people_of, registrant_id
from airflow_provider_teams_registration.emulator.graph_api.teams_apps import TeamsApps, is_upload
from airflow_provider_teams_registration.emulator.graph_api.webinar_path import is_virtual_event
from airflow_provider_teams_registration.emulator.graph_api.webinars import Webinars
from airflow_provider_teams_registration.emulator.http.failures import failed
from airflow_provider_teams_registration.emulator.http.messages import (
    GraphAnswer,
    GraphRequest,
    identified,
    no_such_method,
    no_such_segment,
    refusal,
    with_fault,
)
from airflow_provider_teams_registration.emulator.store.journal import JournalEntry
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore

_UNREADABLE = (
    "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
)
_shuffle = random.Random(20).shuffle


class Graph:
    """
    Answers requests that carry a valid token.

    :param store: the data.
    :param faults: the fault rules.
    :param limiter: the rate limit of virtual events.
    :param switches: returns the present switches.
    """

    def __init__(self, store: MeetingStore, faults: Faults, limiter: Limiter, switches: Callable[[], Switches]) -> None:
        self._store = store
        self._faults = faults
        self._limiter = limiter
        self._online_meetings = OnlineMeetings(store, switches)
        self._calendar_events = CalendarEvents(store)
        self._webinars = Webinars(store, switches)
        self._teams_apps = TeamsApps(store)

    def answer(self, request: GraphRequest) -> GraphAnswer:
        """Answer a request that was sent alone or as an item of a batch, and write it into the journal."""
        came_in = time.monotonic()
        about = registrant_id(request, self._store)
        fault = self._faults.match(request.method, request.path, self._people(request))
        if fault is not None and fault.prevents:
            answer = refusal(500, "InternalServerError", "The emulator was told to fail.")
        else:
            throttled = self._throttled(request)
            if throttled is None and fault is not None and fault.lands_after:
                return self._answered_early(request, fault, came_in, about)
            answer = throttled or self._executed(request)
        answer = answer if fault is None else with_fault(fault, answer)
        self._write(request, answer, came_in, about)
        return identified(answer, request.request_id, request.client_request_id)

    def _throttled(self, request: GraphRequest) -> GraphAnswer | None:
        if not is_virtual_event(request.segments):
            return None
        wait = self._limiter.count(request.caller.client_id, is_read=request.method == "GET")
        if wait is None:
            return None
        said = refusal(429, "TooManyRequests", "Too many requests. Retry after the interval that is asked for.")
        return replace(said, headers={"Retry-After": str(max(1, math.ceil(wait)))})

    def _people(self, request: GraphRequest) -> set[str]:
        """Return every id and address of the people in a request; for a batch, of the people in all its items."""
        if not self._faults.is_any_for_one_person:
            return set()
        items = batch_items(request) if is_batch(request) else [request]
        return {person for item in items for person in people_of(item, self._store)}

    def _answered_early(self, request: GraphRequest, fault: Fault, came_in: float, about: str | None) -> GraphAnswer:
        answer = with_fault(fault, refusal(504, "GatewayTimeout", "The emulator was told to answer before the effect."))
        entry = self._write(request, answer, came_in, about)
        self._store.delayed_writes.send(
            fault.lands_after, lambda: self._store.write_effect(entry, self._executed(request).effect)
        )
        return identified(answer, request.request_id, request.client_request_id)

    def _write(self, request: GraphRequest, answer: GraphAnswer, came_in: float, about: str | None) -> JournalEntry:
        fault = answer.fault
        return self._store.write(
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
        self._write(request, answer, time.monotonic(), registrant_id(request, self._store))
        return identified(answer, request.request_id, request.client_request_id)

    def _executed(self, request: GraphRequest) -> GraphAnswer:
        if not request.is_readable and request.method != "GET" and not is_upload(request):
            return refusal(400, "BadRequest", _UNREADABLE)
        try:
            return self._route(request)
        except Exception as error:
            # Caught here, so that the other items of a batch are still answered and the journal has a line.
            return failed(error, request.request_id)

    def _route(self, request: GraphRequest) -> GraphAnswer:
        counted = without_count(request)
        if counted is not None:
            return self._count(counted)
        segments = request.segments
        if is_batch(request):
            return self._batch(request) if request.method == "POST" else no_such_method(request.method)
        if segments[0].lower() == "solutions":
            return self._webinars.answer(request) if is_virtual_event(segments) else no_such_segment(segments[-1])
        if segments[0].lower() in ("appcatalogs", "chats"):
            return self._teams_apps.answer(request)
        below = {"me": 1, "users": 2}.get(segments[0].lower(), 0)
        if not below:
            return no_such_segment(segments[0])
        kind = segments[below].lower() if len(segments) > below else None
        if kind == "onlinemeetings":
            return self._online_meetings.answer(request, segments[below + 1 :])
        if kind == "events":
            return self._calendar_events.answer(request, segments[below + 1 :])
        return no_such_segment(segments[-1])

    def _count(self, request: GraphRequest) -> GraphAnswer:
        """
        Answer with the number of entries of a list, as plain text.

        :param request: the request for the list.
        """
        if request.method != "GET":
            return no_such_method(request.method)
        answer = self._route(request)
        if isinstance(answer, ListAnswer):
            return GraphAnswer(200, answer.total, {"Content-Type": "text/plain"})
        return answer if answer.status >= 400 else no_such_segment("$count")

    def _batch(self, request: GraphRequest) -> GraphAnswer:
        """Answer a batch, whose answers come in any order. Service page: https://learn.microsoft.com/graph/json-batching"""
        items = request.body.get("requests") if isinstance(request.body, dict) else None
        wrong = wrong_batch(items)
        if wrong or not isinstance(items, list):
            return refusal(400, "BadRequest", wrong or "Invalid batch payload format.")
        statuses: dict[str, int] = {}
        answers: list[tuple[Mapping[str, Any], GraphAnswer]] = []
        for item in items:
            answer = self._item(request, item, statuses)
            statuses[item["id"].lower()] = answer.status
            answers.append((item, answer))
        responses = [answer_body(item, answer) for item, answer in answers if not is_left_out(answer)]
        _shuffle(responses)
        delay = max((answer.delay for _, answer in answers), default=0)
        drip = max((answer.drip for _, answer in answers), default=0)
        return GraphAnswer(200, {"responses": responses}, delay=delay, drip=drip)

    def _item(self, outer: GraphRequest, item: Mapping[str, Any], statuses: Mapping[str, int]) -> GraphAnswer:
        request = item_request(outer, item)
        waits_for = [other.lower() for other in item.get("dependsOn") or ()]
        if any(statuses.get(other, 424) >= 400 for other in waits_for):
            failed = refusal(424, "FailedDependency", "A request that this one depends on has failed.")
            return self._refused(request, failed)
        if "body" in item and "content-type" not in lower_case(item.get("headers")):
            untyped = refusal(400, "BadRequest", f"Write request id : {item['id']} has no Content-Type header.")
            return self._refused(request, untyped)
        return self.answer(request)
