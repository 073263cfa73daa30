"""One answer of Graph, to a request of its own or to one item of a batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.service_text import storable
from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    GraphError,
    NotFound,
    Redirected,
    ServiceFailure,
    Throttled,
    Unauthorized,
)
from airflow_provider_teams_registration.graph.rate_limit import retry_after

if TYPE_CHECKING:
    import requests

REQUEST_TIMEOUT = 408
_OPEN = frozenset({REQUEST_TIMEOUT, 499})
"""Statuses below 500 that gateways give while the service may still be executing a write."""
NO_CONTENT = 204
SERVER_ERRORS = 500
_BY_STATUS: Mapping[int, type[GraphError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    429: Throttled,
}


@dataclass(frozen=True)
class GraphResponse:
    """
    An answer, decoded.

    :param status: HTTP status.
    :param headers: the answer's headers.
    :param body: the decoded JSON; None where there was no body or it was no JSON.
    :param is_garbled: whether there was a body and it was no JSON. Default False.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    is_garbled: bool = False

    @classmethod
    def of(cls, response: requests.Response) -> GraphResponse:
        """Decode an HTTP answer."""
        try:
            body = json.loads(response.content) if response.content else None
        except (ValueError, RecursionError):
            return cls(response.status_code, response.headers, None, is_garbled=True)
        return cls(response.status_code, response.headers, body)

    @property
    def is_nothing(self) -> bool:
        """Whether it says that something was done and there is nothing to tell: 204 without a body."""
        return self.status == NO_CONTENT and self.body is None and not self.is_garbled

    @property
    def request_id(self) -> str | None:
        """Graph's id of the request."""
        said = next((value for name, value in self.headers.items() if name.lower() == "request-id"), None)
        return storable(said) or None

    def refusal(self, sent: Iterable[str | None] = ()) -> GraphError | None:
        """
        The typed error this answer amounts to, or None for a success.

        :param sent: personal values that were sent, to be blanked in the error's text.
        """
        if 200 <= self.status < 300:
            return None
        error = graph_error(self.status, self.body, request_id=self.request_id, sent=sent)
        error.retry_after = retry_after(self.headers)
        return error

    def outcome_of_write(self, sent: Iterable[str | None] = ()) -> Any:
        """
        The body of a write's answer.

        :raises AnswerLost: 408, 499 and every 5xx: the write may have taken effect before the service, or a gateway in
            front of it, gave up. Every 3xx: some services redirect to the result of a write, others move the write.
            A success whose body is no JSON: it may come from something else than the service.
        :raises GraphError: the write was refused.
        """
        if self.status in _OPEN or self.status >= SERVER_ERRORS or 300 <= self.status < 400:
            raise AnswerLost(
                f"Graph answered {self.status} to a write",
                status=self.status,
                request_id=self.request_id,
                retry_after=retry_after(self.headers),
            )
        error = self.refusal(sent)
        if error is not None:
            raise error
        if self.is_garbled:
            raise AnswerLost(
                f"Graph answered {self.status} to a write with something else than JSON",
                status=self.status,
                request_id=self.request_id,
            )
        return self.body


def graph_error(status: int, body: Any, *, request_id: str | None, sent: Iterable[str | None] = ()) -> GraphError:
    """
    Make the typed error for an answer that is not a success.

    :param status: HTTP status of the answer.
    :param body: the decoded body, of any type. Graph's error object is read if the body is one.
    :param request_id: the ``request-id`` header of the answer, if any.
    :param sent: the personal values that were sent.
    """
    found = body.get("error") if isinstance(body, dict) else None
    error = found if isinstance(found, dict) else {}
    inner = error.get("innerError") or error.get("innererror")
    inner_id = inner.get("request-id") if isinstance(inner, dict) else None
    message = error.get("message")
    return _class_of(status)(
        status,
        storable(error.get("code")),
        message if isinstance(message, str) else "",
        request_id=request_id or storable(inner_id),
        sent=tuple(sent),
    )


def _class_of(status: int) -> type[GraphError]:
    if 300 <= status < 400:
        return Redirected
    return _BY_STATUS.get(status, ServiceFailure if status >= 500 else GraphError)
