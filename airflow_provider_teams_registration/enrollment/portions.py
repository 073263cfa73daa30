"""The input of a run: read ahead in slices, admitted in portions, and ended in input order."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.state import Ended, Policy, State
from airflow_provider_teams_registration.enrollment.ending import why_not_begun, why_unfinished
from airflow_provider_teams_registration.enrollment.recorder import OutcomeRecorder
from airflow_provider_teams_registration.enrollment.tracked import Tracked
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError

if TYPE_CHECKING:
    from airflow_provider_teams_registration.core.outcome import Enrollment
    from airflow_provider_teams_registration.events.base import Registrant

log = logging.getLogger(__name__)

Source = Iterator["Sequence[Registrant] | None"]
"""Yields the registrants of each portion, and None after each slice of rows that completes no portion."""

_MAX_OPEN = 3
"""How many portions may be at work at once. A portion stays in memory until its last registrant is done."""


class Portions:
    """
    Hands a run its registrants, so that the next ones are ready before the calls for the last ones have ended.

    :param source: the input.
    :param on_end: takes the enrollments of each portion, in input order.
    :param policy: the settings of the run.
    :param recorder: reads the ledger about registrants whom the run does not reach.
    :ivar failure: the error that ended the source early; None if none did.
    """

    def __init__(
        self, source: Source, on_end: Callable[[list[Enrollment]], None], policy: Policy, recorder: OutcomeRecorder
    ) -> None:
        self._source = source
        self._on_end = on_end
        self._policy = policy
        self._recorder = recorder
        self._ready: list[Tracked] | None = None
        self._open: deque[list[Tracked]] = deque()
        self._done = 0
        self._is_exhausted = False
        self.failure: Exception | None = None

    @property
    def can_read(self) -> bool:
        """Whether the source may hold more, and no portion waits to be admitted."""
        return self._ready is None and not self._is_exhausted

    @property
    def can_admit(self) -> bool:
        """Whether a portion is ready, and few enough are at work."""
        return self._ready is not None and len(self._open) < _MAX_OPEN

    def read_slice(self) -> None:
        """Read some rows ahead. If the source fails, the run goes on with the registrants that it has."""
        try:
            read = next(self._source)
        except StopIteration:
            self._is_exhausted = True
        except Exception as error:
            self._is_exhausted, self.failure = True, error
        else:
            self._ready = None if read is None else [Tracked(one, self._policy) for one in read]

    def admit(self) -> list[Tracked]:
        """Return the registrants of the portion that is ready. From now on, they are at work."""
        people, self._ready = self._ready or [], None
        self._open.append(people)
        return people

    def end_finished(self) -> None:
        """End each portion whose registrants are done and that no unfinished one precedes."""
        while self._open:
            first = self._open[0]
            while self._done < len(first) and first[self._done].state.state is State.DONE:
                self._done += 1
            if self._done < len(first):
                return
            self._end_first()

    def give_results(self, aborted_by: BaseException | None) -> None:
        """Give a result to each registrant at work who has none, or whose result is not in the ledger."""
        for one in (one for people in self._open for one in people):
            if one.state.state is not State.DONE:
                one.advance(Ended(why_unfinished(one, aborted_by)), time.monotonic())

    def end_all(self, *, is_followed: bool) -> None:
        """
        End the portions at work, whose registrants have results.

        :param is_followed: whether to end those that follow, too. The run sends nobody of them.
        :raises TeamsRegistrationError: rows could not be stored. All are ended.
        """
        failure: TeamsRegistrationError | None = None
        while self._open or (is_followed and self._admit_unsent()):
            try:
                self._end_first()
            except TeamsRegistrationError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _end_first(self) -> None:
        people, self._done = self._open.popleft(), 0
        self._on_end([one.enrollment() for one in people])

    def _admit_unsent(self) -> bool:
        """Admit the next portion, with the outcomes that the ledger has. Return whether there is one."""
        while self.can_read:
            self.read_slice()
        if self._ready is None:
            return False
        people = self.admit()
        try:
            for one, event in self._recorder.load(people):
                one.advance(event, time.monotonic())
        except TeamsRegistrationError:
            log.debug("The ledger cannot be read any more.")
        for one in people:
            if one.state.state is not State.DONE:
                one.advance(Ended(why_not_begun(one)), time.monotonic())
        return True
