"""
Pages of lists, as the switches ``page_size``, ``empty_page`` and ``paging`` say.

Service page: https://learn.microsoft.com/graph/paging
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.graph_api.query_options import read_options
from airflow_provider_teams_registration.emulator.http.messages import GraphAnswer, GraphRequest, refusal

_OFFSET = re.compile("[0-9]{1,9}")
# The skip token of the empty page, if pages go by offset.
_EMPTY = "empty"


@dataclass(frozen=True)
class ListAnswer(GraphAnswer):
    """
    One page of a list.

    :param total: number of entries on all pages.
    """

    total: int = 0


def one_page(
    request: GraphRequest,
    switches: Switches,
    bodies: Sequence[Any],
    context: str,
    places: Sequence[int] | None = None,
    supported: Collection[str] = (),
) -> GraphAnswer:
    """
    Return the requested page of a list.

    :param request: the request; its ``$skiptoken`` or ``$skip`` names the page.
    :param switches: the present switches.
    :param bodies: all entries of the list.
    :param context: the list's ``@odata.context``.
    :param places: a number for each entry, which grows along the list and does not change when other entries are
        removed. Skip tokens hold it. The default is the position, for lists from which nothing is removed.
    :param supported: the query options that the route supports.
    :return: the page; 400 if the skip token, the offset or an option is not valid.
    """
    places = range(len(bodies)) if places is None else places
    position = _position(request, places)
    if position is None:
        return refusal(400, "BadRequest", "The skip token is not valid.")
    options = read_options(request, supported)
    if isinstance(options, GraphAnswer):
        return options
    start, is_gap = position
    size = min(switches.page_size or len(bodies), len(bodies) if options.top is None else options.top)
    shown = [] if is_gap else [options.chosen(body) for body in bodies[start : start + size]]
    counted = {"@odata.count": len(bodies)} if options.has_count else {}
    body: dict[str, Any] = {"@odata.context": f"{context}{options.context}", **counted, "value": shown}
    follows = start if is_gap else start + size
    if size and follows < len(bodies):
        gap = switches.empty_page and start == 0 and not is_gap
        if switches.paging == "offset":
            where = {"$skip": str(follows), **({"$skiptoken": _EMPTY} if gap else {})}
        else:
            where = {"$skiptoken": _token(places[follows], gap)}
        query = {name: value for name, value in request.query.items() if name not in ("$skip", "$skiptoken")}
        path = f"{request.root}/{request.version}/{request.path.strip('/')}"
        body["@odata.nextLink"] = f"{path}?{urlencode({**query, **where}, safe='$')}"
    return ListAnswer(200, body, total=len(bodies))


def _position(request: GraphRequest, places: Sequence[int]) -> tuple[int, bool] | None:
    """Return the index of the page's first entry, and whether an empty page precedes it."""
    skip, token = request.query.get("$skip"), request.query.get("$skiptoken")
    if skip is not None:
        return (int(skip), token == _EMPTY) if _OFFSET.fullmatch(skip) else None
    return (0, False) if not token else _read_token(token, places)


def _token(place: int, is_gap: bool) -> str:
    return base64.urlsafe_b64encode(f"{place}:{int(is_gap)}".encode()).decode()


def _read_token(token: str, places: Sequence[int]) -> tuple[int, bool] | None:
    try:
        place, is_gap = base64.urlsafe_b64decode(token).decode().split(":")
        return bisect_left(places, int(place)), is_gap == "1"
    except ValueError:
        return None
