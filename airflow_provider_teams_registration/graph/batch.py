"""
JSON batching: up to 20 requests in one call, each with an answer of its own.

Service page: https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_teams_registration.graph.errors import AnswerLost
from airflow_provider_teams_registration.graph.response import GraphResponse

MAX_BATCH = 20


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


def slices(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Share keys out among as few batches as hold them."""
    for start in range(0, len(keys), MAX_BATCH):
        yield keys[start : start + MAX_BATCH]


def batch_body(requests: Sequence[BatchRequest]) -> dict[str, Any]:
    """Return the body of the ``$batch`` call: items numbered from 1, in parallel, none depending on another."""
    if len(requests) > MAX_BATCH:
        raise ValueError(f"a batch holds at most {MAX_BATCH} requests, not {len(requests)}")
    return {"requests": [_item(str(number), request) for number, request in enumerate(requests, start=1)]}


def match_answers(requests: Sequence[BatchRequest], body: Any) -> list[GraphResponse | AnswerLost]:
    """
    Match a batch's answers to its requests by id; they may come in any order.

    :param requests: the requests as they were sent.
    :param body: the decoded body of the ``$batch`` answer.
    :return: one answer per request, in their order; :class:`AnswerLost` where the service left one out.
    """
    listed = body.get("responses") if isinstance(body, dict) else None
    answers = {
        str(item.get("id")): _answer(item)
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict) and _status(item)
    }
    lost = AnswerLost("Graph left this request out of its batch answer")
    return [answers.get(str(number), lost) for number in range(1, len(requests) + 1)]


def _item(number: str, request: BatchRequest) -> dict[str, Any]:
    item: dict[str, Any] = {"id": number, "method": request.method, "url": request.path}
    if request.body is not None:
        item["headers"] = {"Content-Type": "application/json"}
        item["body"] = request.body
    return item


def _status(item: Mapping[str, Any]) -> int:
    status = item.get("status")
    return int(status) if isinstance(status, int | str) and str(status).isdigit() else 0


def _answer(item: Mapping[str, Any]) -> GraphResponse:
    headers = item.get("headers")
    return GraphResponse(
        status=_status(item),
        headers={str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {},
        body=item.get("body"),
    )
