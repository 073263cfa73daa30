"""
Lists that come in pages, as the switches ``page_size`` and ``empty_page`` say.

Service page: https://learn.microsoft.com/graph/paging
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from airflow_provider_teams_registration.emulator.exchange import GraphAnswer, GraphRequest, refusal
from airflow_provider_teams_registration.emulator.switches import Switches


def one_page(request: GraphRequest, switches: Switches, bodies: Sequence[Any], context: str) -> GraphAnswer:
    """
    Answer a list with the page that is asked for.

    :param request: the request; its ``$skiptoken`` says which page.
    :param switches: the switches in force.
    :param bodies: everything that is on the list.
    :param context: the list's ``@odata.context``.
    :return: the page; 400 for a skip token that is not ours.
    """
    position = _read_skip_token(request.query.get("$skiptoken"))
    if position is None:
        return refusal(400, "BadRequest", "The skip token is not valid.")
    start, is_gap = position
    size = switches.page_size or len(bodies)
    shown = [] if is_gap else list(bodies[start : start + size])
    body: dict[str, Any] = {"@odata.context": context, "value": shown}
    follows = start if is_gap else start + size
    if follows < len(bodies):
        gap = switches.empty_page and start == 0 and not is_gap
        query = {**request.query, "$skiptoken": _skip_token(follows, gap)}
        path = f"{request.root}/{request.version}/{request.path.strip('/')}"
        body["@odata.nextLink"] = f"{path}?{urlencode(query, safe='$')}"
    return GraphAnswer(200, body)


def _skip_token(start: int, is_gap: bool) -> str:
    return base64.urlsafe_b64encode(f"{start}:{int(is_gap)}".encode()).decode()


def _read_skip_token(token: str | None) -> tuple[int, bool] | None:
    if not token:
        return 0, False
    try:
        start, is_gap = base64.urlsafe_b64decode(token).decode().split(":")
        return int(start), is_gap == "1"
    except ValueError:
        return None
