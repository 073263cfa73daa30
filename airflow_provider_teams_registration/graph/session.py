"""One authorized session with Microsoft Graph: reads that may be repeated, writes that never are."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import requests
import tenacity

from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    Forbidden,
    GraphError,
    ServiceFailure,
    ServiceUnreachable,
    TeamsRegistrationError,
    Unauthorized,
)
from airflow_provider_teams_registration.graph.batch import BatchRequest, batch_body, match_answers
from airflow_provider_teams_registration.graph.batch_reads import READ_ATTEMPTS, BatchReads, given_up
from airflow_provider_teams_registration.graph.clouds import refuse_missing_api
from airflow_provider_teams_registration.graph.credentials.credential import Credential
from airflow_provider_teams_registration.graph.credentials.token import BearerToken, Token
from airflow_provider_teams_registration.graph.paging import MAX_PAGES, page_of, read_pages
from airflow_provider_teams_registration.graph.rate_limit import MAX_THROTTLED_IN_A_ROW, RateLimiter
from airflow_provider_teams_registration.graph.response import GraphResponse
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.graph.shapes import BatchRead, Reader, outcome_of_read
from airflow_provider_teams_registration.graph.transport import HttpSession, connection_failure

log = logging.getLogger(__name__)

T = TypeVar("T")

_UNAUTHORIZED = 401


class GraphSession:
    """
    Everything that goes over the wire for one connection. Safe to share between threads.

    Nothing is sent before the first call. Every request carries a fresh ``client-request-id`` and a time limit, and
    gets one fresh token when Graph answers 401. After :attr:`stop` is set, the requests under way end within their time
    limit, and every other call and wait ends at once in :class:`.exceptions.Stopped`.

    :param settings: the connection's settings.
    :param on_new_refresh_token: called with a rotated refresh token whenever Entra hands one out.
    :ivar rate_limiter: holds requests back while the service asks for it.
    :ivar stop: set it, from any thread, for an end of everything. It stays set.
    """

    def __init__(self, settings: GraphSettings, on_new_refresh_token: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        self.stop = threading.Event()
        self.rate_limiter = RateLimiter(stop=self.stop, backoff=settings.backoff)
        self._http = HttpSession(settings, self.stop)
        self._credential = Credential(settings, self._http, on_new_refresh_token)

    def token(self, *, fresh: bool = False) -> Token:
        """
        Return the access token in use, and sign in if there is none yet.

        :param fresh: whether to sign in anew in any case: an older token does not show what was granted since.
        :raises SettingsError: the tenant or authority cannot work.
        :raises SignInError: Entra refused.
        :raises ServiceUnreachable: Entra could not be reached.
        """
        return self._credential.token(fresh=fresh)

    def read(self, version: str, path: str, reader: Reader[T], *, once: bool = False) -> T:
        """
        Make a GET request. Repeat it on 5xx, broken connections, throttling, and answers that the reader refuses.

        :param version: ``v1.0`` or ``beta``.
        :param path: path below the version, percent-encoded, with its leading slash.
        :param reader: makes what is asked for from the body; :mod:`.shapes` has the parts for it.
        :param once: whether it is made one time only, for what one can do without. Default False.
        :return: what the reader made.
        :raises GraphError: Graph answered no.
        :raises ServiceUnreachable: no answer came, or none of what was asked for, several times.
        """
        return self._read(self._url(version, path), reader, once)

    def pages(self, version: str, path: str, read_item: Reader[T], *, max_pages: int = MAX_PAGES) -> Iterator[T]:
        """
        Read a collection through all its pages, empty ones in between included.

        Service page: https://learn.microsoft.com/graph/paging

        :param version: ``v1.0`` or ``beta``.
        :param path: path below the version, percent-encoded, with its leading slash.
        :param read_item: makes what is asked for from an item. A page with an item that it refuses is read again.
        :param max_pages: pages that the collection may have. Default 10,000.
        :return: the items, one by one.
        :raises GraphError: Graph answered no, a next link leads to another host or in a circle, or the pages do not
            end.
        :raises ServiceUnreachable: no answer came, or none of what was asked for, several times.
        """
        read_page = page_of(read_item)
        return read_pages(lambda url: self._read(url, read_page), self._url(version, path), max_pages=max_pages)

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
        return self.rate_limiter.retry_throttled(lambda: self._exchange(method, url, body).outcome_of_write(sent))

    def batch(self, version: str, writes: Sequence[BatchRequest]) -> list[GraphResponse | TeamsRegistrationError]:
        """
        Send up to 20 writes in one call. This method does not repeat a write, even if Graph did not execute it.

        The caller may send a write again that was throttled, that got a 401, or that was refused together with others.
        After a 401 the session has a new token. The caller's ledger and quota decide whether to send the write.

        Service page: https://learn.microsoft.com/graph/json-batching

        :param version: ``v1.0`` or ``beta``, for all of them.
        :param writes: the requests.
        :return: for each request, in order, the answer if it is a success, or the error that stands for it. What
            concerns the whole call stands for each; a refusal then says so in ``refused_together``.
        """
        personal = [value for write in writes for value in write.sent]
        try:
            for write in writes:
                refuse_missing_api(self.settings, write.path)
            token = self._credential.token()
            answer = self._exchange("POST", self._url(version, "/$batch"), batch_body(writes))
            body = answer.outcome_of_write(personal)
        except TeamsRegistrationError as error:
            if isinstance(error, GraphError) and not error.transient:
                # A 4xx refuses the call before any item of it is executed: Graph answers a call whose items it
                # executes with 200. Statuses that leave this open (408, 499, 5xx) are AnswerLost.
                error.refused_together = len(writes)
            return [error] * len(writes)
        outcomes = [_outcome(write, item) for write, item in zip(writes, match_answers(writes, body), strict=True)]
        if any(isinstance(one, Forbidden) for one in outcomes):
            self._credential.note_forbidden(token)
        if any(isinstance(one, Unauthorized) for one in outcomes):
            try:
                self._credential.token(instead_of=token)
            except TeamsRegistrationError as error:
                # What was answered to the others stands.
                return [error if isinstance(one, Unauthorized) else one for one in outcomes]
        return outcomes

    def read_batch(self, version: str, reads: Sequence[BatchRead[T]]) -> list[T | TeamsRegistrationError]:
        """
        Make GET requests, up to 20 in one call. :class:`.batch_reads.BatchReads` says which of them are made again.

        Service page: https://learn.microsoft.com/graph/json-batching

        :param version: ``v1.0`` or ``beta``, for all of them.
        :param reads: the requests, each with the reader of its answer. There may be any number of them.
        :return: for each request, in order, what its reader made or the error that stands for it. A refusal of a whole
            call says so in ``refused_together``, and tells nothing of the thing that was asked for.
        :raises ServiceUnreachable: no answer came to some of them, or none of what was asked for, several times.
        :raises Throttled: the service asks for a longer wait than ``max_wait`` of the rate limiter.
        :raises TeamsRegistrationError: no read can be made, as without a token.
        """
        for read in reads:
            refuse_missing_api(self.settings, read.path)
        send = partial(self._exchange, "POST", self._url(version, "/$batch"))
        return BatchReads(self.rate_limiter, self._credential, send).make(reads)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _url(self, version: str, path: str) -> str:
        refuse_missing_api(self.settings, path)
        return f"{self.settings.base_url}/{version}{path}"

    def _read(self, url: str, reader: Reader[T], once: bool = False) -> T:
        backoff = self.settings.backoff
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._is_worth_another_read),
            wait=tenacity.wait_random_exponential(multiplier=backoff.read_multiplier, max=backoff.read_longest),
            stop=tenacity.stop_after_attempt(1 if once else READ_ATTEMPTS),
            sleep=tenacity.sleep_using_event(self.stop),
            reraise=True,
        )
        attempts = 1 if once else MAX_THROTTLED_IN_A_ROW
        try:
            made: T = retrying(self.rate_limiter.retry_throttled, partial(self._read_once, url, reader), attempts)
        except AnswerLost as error:
            raise given_up(error) from None
        return made

    def _is_worth_another_read(self, error: BaseException) -> bool:
        if not isinstance(error, AnswerLost | ServiceFailure | ServiceUnreachable):
            return False
        return (error.retry_after or 0) <= self.rate_limiter.max_wait

    def _read_once(self, url: str, reader: Reader[T]) -> T:
        outcome = outcome_of_read(self._exchange("GET", url), reader)
        if isinstance(outcome, TeamsRegistrationError):
            raise outcome
        return outcome

    def _exchange(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> GraphResponse:
        token = self._credential.token()
        response = self._once(method, url, body, token)
        if response.status == _UNAUTHORIZED:
            response = self._once(method, url, body, self._credential.token(instead_of=token))
        return response

    def _once(self, method: str, url: str, body: Mapping[str, Any] | None, token: Token) -> GraphResponse:
        client_request_id = str(uuid.uuid4())
        headers = {"Accept": "application/json", "client-request-id": client_request_id}
        failure: TeamsRegistrationError
        try:
            answer = self._http.request(method, url, json=body, headers=headers, auth=BearerToken(token))
        except requests.RequestException as error:
            failure = connection_failure(self.settings.base_url, error) or AnswerLost(
                f"The connection broke before the answer ({type(error).__name__})", request_id=client_request_id
            )
        else:
            response = GraphResponse.of(answer)
            if response.status == requests.codes.forbidden:
                self._credential.note_forbidden(token)
            log.debug("Graph answered %s to a %s, client-request-id %s", response.status, method, client_request_id)
            return response
        # Not in the block above, where it would chain to an error of requests, which holds the token.
        raise failure


def _outcome(write: BatchRequest, answer: GraphResponse | AnswerLost) -> GraphResponse | TeamsRegistrationError:
    if isinstance(answer, AnswerLost):
        return answer
    try:
        answer.outcome_of_write(write.sent)
    except TeamsRegistrationError as error:
        return error.with_traceback(None)
    return answer
