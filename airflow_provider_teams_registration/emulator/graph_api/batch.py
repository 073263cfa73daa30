"""
Batches: the items of a request to ``/$batch``, and their answers.

Service page: https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from airflow_provider_teams_registration.emulator.http.messages import GraphAnswer, GraphRequest, with_headers

MAX_BATCH = 20
"""The largest number of items in a batch."""


def is_batch(request: GraphRequest) -> bool:
    """Whether a request is a batch."""
    return [segment.lower() for segment in request.segments] == ["$batch"]


def batch_items(request: GraphRequest) -> list[GraphRequest]:
    """Return the items of a batch that are readable, as requests."""
    items = request.body.get("requests") if isinstance(request.body, dict) else None
    return [item_request(request, item) for item in items if _is_item(item)] if isinstance(items, list) else []


def item_request(outer: GraphRequest, item: Mapping[str, Any]) -> GraphRequest:
    """
    Return an item of a batch as a request.

    :param outer: the batch.
    :param item: the item, which :func:`wrong_batch` accepts.
    """
    url = urlsplit(item["url"])
    return GraphRequest(
        method=item["method"].upper(),
        version=outer.version,
        path=f"/{url.path.lstrip('/')}",
        caller=outer.caller,
        root=outer.root,
        body=item.get("body"),
        query=dict(parse_qsl(url.query)),
        client_request_id=lower_case(item.get("headers")).get("client-request-id"),
        batch=outer.request_id,
    )


def lower_case(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return headers with their names in lower case."""
    return {str(name).lower(): value for name, value in (headers or {}).items()}


def wrong_batch(items: Any) -> str | None:
    """Return what is wrong with the ``requests`` of a batch; None if nothing is."""
    if not isinstance(items, list) or not all(_is_item(item) for item in items):
        return "Invalid batch payload format."
    if len(items) > MAX_BATCH:
        return f"Number of batch request steps exceeds the maximum value of {MAX_BATCH}."
    ids = [item["id"].lower() for item in items]
    if not all(ids) or len(set(ids)) < len(ids):
        return "Request ids must be there and unique, whatever their case."
    if any(urlsplit(item["url"]).path.strip("/").lower() == "$batch" for item in items):
        return "Nested batch requests are not supported."
    return None


def _is_item(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and all(isinstance(item.get(name), str) for name in ("id", "method", "url"))
        and isinstance(item.get("headers") or {}, dict)
        and all(isinstance(value, str) for value in (item.get("headers") or {}).values())
        and _is_list_of_ids(item.get("dependsOn") or [])
        and _is_url(item["url"])
    )


def _is_list_of_ids(others: Any) -> bool:
    return isinstance(others, list) and all(isinstance(other, str) for other in others)


def _is_url(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def is_left_out(answer: GraphAnswer) -> bool:
    """Whether a fault removes this item's answer from the batch."""
    return answer.fault is not None and (answer.fault.is_unanswered or answer.fault.half)


def answer_body(item: Mapping[str, Any], answer: GraphAnswer) -> dict[str, Any]:
    """
    Return an item's entry in ``responses``.

    :param item: the item.
    :param answer: the answer to it.
    """
    body: dict[str, Any] = {"id": item["id"], "status": answer.status, "headers": dict(answer.headers)}
    if answer.raw is not None:
        body["body"] = _decoded(answer.raw)
    elif answer.body is not None:
        body["body"] = answer.body
    if "body" in body:
        body["headers"] = with_headers({"Content-Type": "application/json"}, answer.headers)
    return body


def _decoded(raw: bytes) -> Any:
    """Return a raw body in the form that Graph gives it inside a batch: JSON, otherwise text, otherwise base64."""
    try:
        read = json.loads(raw)
        # The batch's answer nests the body a few levels deeper.
        json.dumps([[[[[[read]]]]]])
        return read
    except (RecursionError, ValueError):
        pass
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode()
