"""One authorised session with Microsoft Graph: reads that may be repeated, writes that never are."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import tenacity

from airflow_provider_teams_registration.graph.batch import BatchRequest, batch_body, match_answers
from airflow_provider_teams_registration.graph.credentials import Credential, Token
from airflow_provider_teams_registration.graph.errors import (
    AnswerLost,
    ServiceFailure,
    ServiceUnreachable,
    TeamsRegistrationError,
    Throttled,
    longest_wait,
)
from airflow_provider_teams_registration.graph.pace import MAX_THROTTLED_IN_A_ROW, Pace
from airflow_provider_teams_registration.graph.response import GraphResponse
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.graph.transport import HttpSession, connection_failure

log = logging.getLogger(__name__)

READ_ATTEMPTS = 4
_UNAUTHORIZED = 401
_backoff = tenacity.wait_random_exponential(multiplier=0.5, max=8)


class GraphSession:
    """
    Everything that goes over the wire for one connection. Safe to share between threads.

    Nothing is sent before the first call. Every request carries a fresh ``client-request-id`` and a time limit, and
    gets one fresh token when Graph answers 401.

    :param settings: the connection's settings.
    :param on_new_refresh_token: called with a rotated refresh token whenever Entra hands one out.
    :ivar pace: holds requests back while the service asks for it.
    """

    def __init__(self, settings: GraphSettings, on_new_refresh_token: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        self.pace = Pace()
        self._http = HttpSession(settings)
        self._credential = Credential(settings, self._http, on_new_refresh_token)

    def token(self) -> Token:
        """
        Return the access token in use, signing in where there is none yet.

        :raises SettingsError: the tenant or authority cannot work.
        :raises SignInError: Entra refused.
        :raises ServiceUnreachable: Entra could not be reached.
        """
        return self._credential.token()

    def read(self, version: str, path: str, *, once: bool = False) -> dict[str, Any]:
        """
        Make a GET request; repeat it on 5xx, broken connections and throttling.

        :param version: ``v1.0`` or ``beta``.
        :param path: path below the version, percent-encoded, with its leading slash.
        :param once: whether it is made one time only, for what one can do without. Default False.
        :return: the JSON object; an empty one where the answer had no body.
        :raises GraphError: Graph answered no.
        :raises ServiceUnreachable: no answer came, several times.
        """
        return self._read(self._url(version, path), once)

    def pages(self, version: str, path: str) -> Iterator[dict[str, Any]]:
        """
        Read a collection through all its pages, empty ones in between included.

        Service page: https://learn.microsoft.com/graph/paging

        :param version: ``v1.0`` or ``beta``.
        :param path: path below the version, percent-encoded, with its leading slash.
        :return: the items, one by one.
        :raises GraphError: Graph answered no, or a next link leads to another host or in a circle.
        """
        url: str | None = self._url(version, path)
        seen: set[str] = set()
        while url is not None:
            seen.add(url)
            page = self._read(url)
            yield from page.get("value") or ()
            url = self._next(url, page.get("@odata.nextLink"), seen)

    def write(
        self,
        method: str,
        version: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        sent: Iterable[str | None] = (),
    ) -> Any:
        """
        Make one request that changes something. It is sent again only where it certainly was not executed.

        :param method: HTTP method.
        :param version: ``v1.0`` or ``beta``.
        :param path: path below the version, percent-encoded, with its leading slash.
        :param body: JSON body, or None.
        :param sent: personal values in it, to be blanked in error texts.
        :return: the decoded body of the answer, or None.
        :raises AnswerLost: the answer never came or is ambiguous.
        :raises GraphError: Graph answered no.
        :raises ServiceUnreachable: nothing was sent.
        """
        url = self._url(version, path)
        return self.pace.obey(lambda: self._exchange(method, url, body).outcome_of_write(sent))

    def batch(self, version: str, writes: Sequence[BatchRequest]) -> list[Any | TeamsRegistrationError]:
        """
        Send up to 20 writes in one call, once: nothing in it is repeated here, throttled ones neither.

        Service page: https://learn.microsoft.com/graph/json-batching

        :param version: ``v1.0`` or ``beta``, for all of them.
        :param writes: the requests.
        :return: for each request, in order, the decoded body of its answer or the error that stands for it. What
            concerns the whole call stands for each.
        """
        try:
            answer = self._exchange("POST", self._url(version, "/$batch"), batch_body(writes))
            body = answer.outcome_of_write()
        except TeamsRegistrationError as error:
            return [error] * len(writes)
        return [_outcome(write, item) for write, item in zip(writes, match_answers(writes, body), strict=True)]

    def read_batch(self, version: str, reads: Sequence[BatchRequest]) -> list[Any | TeamsRegistrationError]:
        """
        Send up to 20 GET requests in one call, and again those that were throttled, lost or met a failing service.

        Service page: https://learn.microsoft.com/graph/json-batching

        :param version: ``v1.0`` or ``beta``, for all of them.
        :param reads: the requests.
        :return: for each request, in order, the decoded body of its answer or the error that stands for it.
        :raises ServiceUnreachable: no answer came to some of them, several times.
        :raises Throttled: the service asks for more patience than there is.
        """
        answers: list[Any | TeamsRegistrationError] = [None] * len(reads)
        places = list(range(len(reads)))
        for _ in range(READ_ATTEMPTS):
            self.pace.wait()
            left_at = time.monotonic()
            for place, answer in zip(places, self.batch(version, [reads[place] for place in places]), strict=True):
                answers[place] = answer
            places = [place for place in places if isinstance(answers[place], _WORTH_READING_AGAIN)]
            if not places:
                self.pace.ease()
                return answers
            asked = longest_wait(answers[place] for place in places)
            self.pace.hold(asked, left_at)
            if (asked or 0) > self.pace.patience:
                break
        failed = answers[places[0]]
        if isinstance(failed, AnswerLost):
            raise ServiceUnreachable(f"Graph gave no answer to a read, several times in a row. {failed.what}.")
        raise failed

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _url(self, version: str, path: str) -> str:
        return f"{self.settings.base_url}/{version}{path}"

    def _read(self, url: str, once: bool = False) -> dict[str, Any]:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._is_worth_another_read),
            wait=_backoff,
            stop=tenacity.stop_after_attempt(1 if once else READ_ATTEMPTS),
            reraise=True,
        )
        attempts = 1 if once else MAX_THROTTLED_IN_A_ROW
        try:
            body = retrying(self.pace.obey, partial(self._read_once, url), attempts)
        except AnswerLost as error:
            raise ServiceUnreachable(f"Graph gave no answer to a read, several times in a row. {error.what}.") from None
        return body if isinstance(body, dict) else {}

    def _is_worth_another_read(self, error: BaseException) -> bool:
        if not isinstance(error, AnswerLost | ServiceFailure | ServiceUnreachable):
            return False
        return (error.retry_after or 0) <= self.pace.patience

    def _read_once(self, url: str) -> Any:
        response = self._exchange("GET", url)
        error = response.refusal()
        if error is not None:
            raise error
        return response.body

    def _next(self, url: str, link: Any, seen: set[str]) -> str | None:
        if not link:
            return None
        following = urljoin(url, str(link))
        home, there = urlsplit(self.settings.base_url), urlsplit(following)
        if (there.scheme, there.hostname, there.port) != (home.scheme, home.hostname, home.port):
            raise ServiceFailure(200, "nextLink", "The next page lies on another host; the token stays here.")
        if following in seen:
            raise ServiceFailure(200, "nextLink", "The pages lead in a circle.")
        return following

    def _exchange(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> GraphResponse:
        token = self._credential.token()
        response = self._once(method, url, body, token)
        if response.status == _UNAUTHORIZED:
            response = self._once(method, url, body, self._credential.token(instead_of=token))
        return response

    def _once(self, method: str, url: str, body: Mapping[str, Any] | None, token: Token) -> GraphResponse:
        client_request_id = str(uuid.uuid4())
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token.value}",
            "client-request-id": client_request_id,
        }
        try:
            answer = self._http.request(method, url, json=body, headers=headers, allow_redirects=False)
        except requests.RequestException as error:
            failure = connection_failure(self.settings.base_url, error)
            if failure is not None:
                raise failure from None
            raise AnswerLost(
                f"The connection broke before the answer ({type(error).__name__})", request_id=client_request_id
            ) from None
        response = GraphResponse.of(answer)
        log.debug("Graph answered %s to a %s, client-request-id %s", response.status, method, client_request_id)
        return response


_WORTH_READING_AGAIN = (AnswerLost, ServiceFailure, ServiceUnreachable, Throttled)


def _outcome(write: BatchRequest, answer: GraphResponse | AnswerLost) -> Any | TeamsRegistrationError:
    if isinstance(answer, AnswerLost):
        return answer
    try:
        return answer.outcome_of_write(write.sent)
    except TeamsRegistrationError as error:
        return error
