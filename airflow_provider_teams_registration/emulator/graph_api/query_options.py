"""
The query options ``$select``, ``$top`` and ``$count``, and ``/$count`` below a list.

Microsoft's page of a route says which options it supports. A route ignores the others.

Service page: https://learn.microsoft.com/graph/query-parameters
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_teams_registration.emulator.http.messages import GraphAnswer, GraphRequest, refusal

SELECT, TOP, COUNT = "select", "top", "count"
# The options that Microsoft's pages call "the OData query parameters".
ALL_OPTIONS = (SELECT, TOP, COUNT)
_NUMBER = re.compile("[0-9]{1,9}")
_COUNT_SEGMENT = "/$count"


@dataclass(frozen=True)
class QueryOptions:
    """
    The parts of an answer that a caller wants to see.

    :param select: names of properties; empty is all of them.
    :param top: entries on one page; None leaves the number to the service.
    :param has_count: whether the answer holds the number of entries on all pages.
    """

    select: tuple[str, ...] = ()
    top: int | None = None
    has_count: bool = False

    @property
    def context(self) -> str:
        """The part of an ``@odata.context`` that names the selection."""
        return f"({','.join(self.select)})" if self.select else ""

    def chosen(self, body: Mapping[str, Any], *, always: Collection[str] = ()) -> dict[str, Any]:
        """
        Return a body with the selected properties.

        :param body: the whole body.
        :param always: properties that the service includes even if they were not selected.
        """
        wanted = {name.partition("/")[0].lower() for name in (*self.select, *always)}
        shows_all = not self.select or "*" in wanted
        return {
            name: value
            for name, value in body.items()
            if shows_all or name.startswith("@odata.") or name.lower() in wanted
        }


def option(request: GraphRequest, name: str) -> str | None:
    """
    Return a query option, with or without its dollar sign, in upper or lower case.

    :param request: the request.
    :param name: its name without the dollar sign.
    """
    named = {given.lower(): value for given, value in request.query.items()}
    return named.get(f"${name}", named.get(name))


def read_options(request: GraphRequest, supported: Collection[str]) -> QueryOptions | GraphAnswer:
    """
    Read the query options that a route supports.

    :param request: the request.
    :param supported: names of the options that the route supports.
    :return: the options; 400 if a value is not valid.
    """
    select, top, count = (option(request, name) if name in supported else None for name in ALL_OPTIONS)
    if top is not None and not _NUMBER.fullmatch(top):
        return _refused("$top", top, "a non-negative integer value")
    if count is not None and count.lower() not in ("true", "false"):
        return _refused("$count", count, "true or false")
    names = tuple(name.strip() for name in (select or "").split(",") if name.strip())
    return QueryOptions(names, None if top is None else int(top), (count or "").lower() == "true")


def without_count(request: GraphRequest) -> GraphRequest | None:
    """
    Return the request for the list whose entries ``/$count`` counts; None for any other request.

    An id that is ``$count`` arrives with its dollar sign encoded, so it is not mistaken for this segment.
    """
    path = request.path.rstrip("/")
    if not path.lower().endswith(_COUNT_SEGMENT):
        return None
    filtered = option(request, "filter")
    return replace(request, path=path[: -len(_COUNT_SEGMENT)], query={} if filtered is None else {"$filter": filtered})


def _refused(name: str, value: str, takes: str) -> GraphAnswer:
    message = f"Invalid value '{value}' for {name} query option found. The {name} query option requires {takes}."
    return refusal(400, "BadRequest", message)
