"""
JSON batching: up to 20 requests in one call, each with an answer of its own.

Service page: https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_teams_registration.exceptions import AnswerLost
from airflow_provider_teams_registration.graph.response import GraphResponse

MAX_BATCH = 20
_THREE_DIGITS = re.compile("[0-9]{3}")


@dataclass(frozen=True)
class BatchRequest:
    """
    One request of a batch.

    :param method: HTTP method.
    :param path: path below the version, percent-encoded, with its leading slash.
    :param body: JSON body, or None.
    :param sent: personal values in it, to be blanked in error texts.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    sent: tuple[str | None, ...] = field(default=(), repr=False)


def batch_body(requests: Sequence[BatchRequest]) -> dict[str, Any]:
    """Return the body of the ``$batch`` call: items numbered from 1, in parallel, none depending on another."""
    if len(requests) > MAX_BATCH:
        raise ValueError(f"a batch holds at most {MAX_BATCH} requests, not {len(requests)}")
    return {"requests": [_item(str(number), request) for number, request in enumerate(requests, start=1)]}


def match_answers(requests: Sequence[BatchRequest], body: Any) -> list[GraphResponse | AnswerLost]:
    """
    Match a batch's answers to its requests by id; they may come in any order.

    :param requests: the requests as they were sent.
    :param body: the decoded body of the ``$batch`` answer. Items with an id that was not sent are passed over.
    :return: one answer per request, in their order. :class:`AnswerLost` where the service left one out, gave it no
        status, or answered it twice: then nobody can tell which of the two is meant.
    """
    listed = body.get("responses") if isinstance(body, dict) else None
    answers: dict[str, list[Mapping[str, Any]]] = {}
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            answers.setdefault(item["id"], []).append(item)
    return [_matched(answers.get(str(number), ())) for number in range(1, len(requests) + 1)]


def _item(number: str, request: BatchRequest) -> dict[str, Any]:
    item: dict[str, Any] = {"id": number, "method": request.method, "url": request.path}
    if request.body is not None:
        item["headers"] = {"Content-Type": "application/json"}
        item["body"] = request.body
    return item


def _matched(answers: Sequence[Mapping[str, Any]]) -> GraphResponse | AnswerLost:
    if len(answers) > 1:
        return AnswerLost("Graph answered this request of a batch twice")
    status = _status(answers[0]) if answers else None
    if status is None:
        return AnswerLost("Graph left this request out of its batch answer")
    return _answer(answers[0], status)


def _status(item: Mapping[str, Any]) -> int | None:
    """Return the item's status; None where it has none that ends a request."""
    status = item.get("status")
    if isinstance(status, str) and _THREE_DIGITS.fullmatch(status):
        status = int(status)
    return status if type(status) is int and 200 <= status <= 599 else None


def _answer(item: Mapping[str, Any], status: int) -> GraphResponse:
    headers = item.get("headers")
    return GraphResponse(
        status=status,
        headers={str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {},
        body=item.get("body"),
    )
