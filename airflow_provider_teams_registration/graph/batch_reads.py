"""
Reads that go in batches: made again where that may help, and cut where one of them lets all be refused.

Service page: https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    GraphError,
    ServiceFailure,
    ServiceUnreachable,
    TeamsRegistrationError,
    Throttled,
    Unauthorized,
    longest_wait,
)
from airflow_provider_teams_registration.graph.batch import MAX_BATCH, batch_body, match_answers
from airflow_provider_teams_registration.graph.credentials.credential import Credential
from airflow_provider_teams_registration.graph.cutting import Cutting
from airflow_provider_teams_registration.graph.rate_limit import RateLimiter
from airflow_provider_teams_registration.graph.response import GraphResponse
from airflow_provider_teams_registration.graph.shapes import BatchRead, outcome_of_read

T = TypeVar("T")

READ_ATTEMPTS = 4
_WORTH_READING_AGAIN = (AnswerLost, ServiceFailure, ServiceUnreachable, Throttled)


class BatchReads:
    """
    Makes reads in as few calls as hold them.

    A read is made again, up to four times, if it was throttled or lost, if it met a failing service, or if its answer
    is not what was asked for. A read that got a 401 is made once more, with a fresh token. A batch that was refused as
    a whole is cut; :mod:`.cutting` has the rules.

    :param rate_limiter: the rate limit of the session.
    :param credential: gives a fresh token in place of one that was refused.
    :param send: makes the call, with its body.
    """

    def __init__(
        self, rate_limiter: RateLimiter, credential: Credential, send: Callable[[Mapping[str, Any]], GraphResponse]
    ) -> None:
        self._rate_limiter = rate_limiter
        self._credential = credential
        self._send = send

    def make(self, reads: Sequence[BatchRead[T]]) -> list[T | TeamsRegistrationError]:
        """
        Make reads.

        :param reads: the reads, any number of them.
        :return: for each, in order, what its reader made or the error that stands for it.
        :raises ServiceUnreachable: no answer came to some of them, or none of what was asked for, several times.
        :raises Throttled: the service asks for a longer wait than ``max_wait`` of the rate limiter.
        :raises TeamsRegistrationError: no read can be made, as without a token.
        """
        cutting = Cutting[int]()
        answers: dict[int, T | TeamsRegistrationError] = {}
        attempts = Counter[int]()
        waiting = deque(range(len(reads)))
        while waiting and cutting.refusal is None:
            self._rate_limiter.wait()
            left_at = self._rate_limiter.clock()
            places = cutting.first_batch(waiting, MAX_BATCH)
            for _ in places:
                waiting.popleft()
            outcomes = self._ask([reads[place] for place in places])
            answers.update(zip(places, outcomes, strict=True))
            again = cutting.judge(places, outcomes)
            failed = {place: one for place in places if isinstance(one := answers[place], _WORTH_READING_AGAIN)}
            attempts.update(failed.keys())
            self._heed(failed, left_at, is_last=any(attempts[place] >= READ_ATTEMPTS for place in failed))
            waiting.extendleft(place for place in reversed(places) if place in again or place in failed)
            cutting.probe(waiting)
        if cutting.refusal is not None:
            answers.update(dict.fromkeys(waiting, cutting.refusal))
        return [answers[place] for place in range(len(reads))]

    def _heed(self, failed: Mapping[int, TeamsRegistrationError], left_at: float, *, is_last: bool) -> None:
        """Hold requests back after reads that failed, and raise if they are not made again."""
        if not failed:
            self._rate_limiter.reset()
            return
        asked = longest_wait(failed.values())
        self._rate_limiter.back_off(asked, left_at)
        if is_last or (asked or 0) > self._rate_limiter.max_wait:
            raise given_up(next(iter(failed.values())))

    def _ask(self, reads: Sequence[BatchRead[T]]) -> list[T | TeamsRegistrationError]:
        try:
            token = self._credential.token()
        except ServiceUnreachable as error:
            # Other failures to sign in end all reads and are raised: they tell nothing of one read.
            return [error] * len(reads)
        outcomes = self._ask_once(reads)
        refused = [place for place, one in enumerate(outcomes) if _is_refused_token_of_one(one)]
        if not refused:
            return outcomes
        to_repeat = [reads[place] for place in refused]
        try:
            self._credential.token(instead_of=token)
            again = self._ask_once(to_repeat)
        except ServiceUnreachable as error:
            again = [error] * len(refused)
        for place, outcome in zip(refused, again, strict=True):
            outcomes[place] = outcome
        return outcomes

    def _ask_once(self, reads: Sequence[BatchRead[T]]) -> list[T | TeamsRegistrationError]:
        requests = [read.request for read in reads]
        personal = [value for read in reads for value in read.sent]
        try:
            answer = self._send(batch_body(requests))
            answers = match_answers(requests, answer.outcome_of_write(personal))
        except (AnswerLost, GraphError, ServiceUnreachable) as error:
            if isinstance(error, GraphError) and not error.transient:
                error.refused_together = len(reads)
            return [error.with_traceback(None)] * len(reads)
        return [outcome_of_read(one, read.reader, read.sent) for one, read in zip(answers, reads, strict=True)]


def given_up(error: TeamsRegistrationError) -> TeamsRegistrationError:
    """Return the error of a read that was made as often as it may be: nothing is lost where nothing was written."""
    if isinstance(error, AnswerLost):
        return ServiceUnreachable(f"Graph gave no answer to a read, several times in a row. {error.what}.")
    return error


def _is_refused_token_of_one(outcome: object) -> bool:
    """Whether a read was refused with 401. The session has renewed the token already where a whole call was."""
    return isinstance(outcome, Unauthorized) and not outcome.refused_together
