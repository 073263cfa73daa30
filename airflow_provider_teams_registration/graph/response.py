"""One answer of Graph, to a request of its own or to one item of a batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.graph.errors import AnswerLost, GraphError, graph_error
from airflow_provider_teams_registration.graph.pace import retry_after

if TYPE_CHECKING:
    import requests

REQUEST_TIMEOUT = 408
SERVER_ERRORS = 500


@dataclass(frozen=True)
class GraphResponse:
    """
    An answer, decoded.

    :param status: HTTP status.
    :param headers: the answer's headers.
    :param body: the decoded JSON; None where there was no body or it was no JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: Any

    @classmethod
    def of(cls, response: requests.Response) -> GraphResponse:
        """Decode an HTTP answer; a body that is no JSON counts as none."""
        try:
            body = json.loads(response.content) if response.content else None
        except ValueError:
            body = None
        return cls(response.status_code, response.headers, body)

    @property
    def request_id(self) -> str | None:
        """Graph's id of the request."""
        return next((value for name, value in self.headers.items() if name.lower() == "request-id"), None)

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

        :raises AnswerLost: 408 and every 5xx: the write may have taken effect before the service, or a gateway in
            front of it, gave up.
        :raises GraphError: the write was refused.
        """
        if self.status == REQUEST_TIMEOUT or self.status >= SERVER_ERRORS:
            raise AnswerLost(
                f"Graph answered {self.status} to a write",
                status=self.status,
                request_id=self.request_id,
                retry_after=retry_after(self.headers),
            )
        error = self.refusal(sent)
        if error is not None:
            raise error
        return self.body
