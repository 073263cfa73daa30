"""Read the event and the ledger about registrants, with growing pauses between two reads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.state import Effect, Goal, LookedUp, State
from airflow_provider_teams_registration.events.base import Lookup

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.pauses import Pauses
    from airflow_provider_teams_registration.enrollment.recorder import OutcomeRecorder
    from airflow_provider_teams_registration.enrollment.resumption import Resumption
    from airflow_provider_teams_registration.enrollment.sending_options import SendingOptions
    from airflow_provider_teams_registration.enrollment.tracked import Tracked
    from airflow_provider_teams_registration.enrollment.worklist import Worklist
    from airflow_provider_teams_registration.events.base import Event, Registrant


class Lookups:
    """
    Executes the effects that read.

    :param event: the event.
    :param recorder: reads the ledger.
    :param work: the registrants of the run.
    :param goal: the goal of the run.
    :param options: the options of the run.
    :param pauses: the waits of the run.
    :param resumption: what the run knows from before a deferral.
    :ivar done: how many registrants had their result in the ledger.
    """

    def __init__(
        self,
        event: Event,
        recorder: OutcomeRecorder,
        work: Worklist,
        goal: Goal,
        options: SendingOptions,
        pauses: Pauses,
        resumption: Resumption,
    ) -> None:
        self._event = event
        self._recorder = recorder
        self._work = work
        self._goal = goal
        self._options = options
        self._pauses = pauses
        self._resumption = resumption
        self._keys: Sequence[str] = ()
        self._control: Registrant | None = None
        self._pause = 0.0
        self._next_read = 0.0
        self.done = 0

    @property
    def wait(self) -> float:
        """The seconds until the next read is due."""
        return max(self._next_read - time.monotonic(), 0.0)

    def read_soon(self) -> None:
        """Let the next read follow at once, because an answer calls for one."""
        self._pause, self._next_read = 0.0, 0.0

    def begin_portion(self, people: Sequence[Tracked]) -> None:
        """Remember the registrants of a portion, whom one read before the first send looks up together."""
        self._keys = [one.key for one in people]

    def ask_ledger(self, people: Sequence[Tracked]) -> None:
        """Read the ledger's records of some registrants."""
        self._work.apply(self._recorder.load(people))
        done = [one for one in people if one.state.state is State.DONE and one.result.join_web_url]
        self.done += len(done)
        if done:
            self._control = done[-1].registrant
        if self._resumption.since is None:
            self._recorder.mark_seen(done)

    def find_present(self) -> None:
        """Look registrants up before the first send, to find those whom somebody else enrolled."""
        if self._resumption.has_looked_up(self._keys):
            people = self._work.take(Effect.FIND_PRESENT)
            absent = [one for one in people if self._resumption.was_unsent(one.state.record)]
            self._apply(absent, Lookup({}))
            others = set(people) - set(absent)
            self._work.put_back(Effect.FIND_PRESENT, [one for one in people if one in others])
        if self._work.count(Effect.FIND_PRESENT):
            self._pauses.wait_to_read()
            people = self._work.take(Effect.FIND_PRESENT)
            self._apply(people, self._event.present([one.registrant for one in people]))
        self._resumption.note_look_up(self._keys)

    def read(self) -> None:
        """Look uncertain registrants up on the event, and those whom another run claimed in the ledger."""
        if self._work.count(Effect.LOOK_UP):
            self._pauses.wait_to_read()
            people = self._work.take(Effect.LOOK_UP)
            self._apply(people, self._find([one.registrant for one in people]))
            longer = max(self._pause * 2, self._options.read_pause)
            self._pause = min(longer, self._options.longest_read_pause)
        else:
            self._pause = self._options.ledger_pause
        elsewhere = self._work.take(Effect.POLL_LEDGER)
        if elsewhere:
            self.ask_ledger(elsewhere)
        self._next_read = time.monotonic() + self._pause

    def _find(self, registrants: Sequence[Registrant]) -> Lookup:
        if self._goal is Goal.CANCEL:
            return self._event.find_to_cancel(registrants)
        return self._event.find(registrants, self._control)

    def _apply(self, people: Sequence[Tracked], lookup: Lookup) -> None:
        self._work.apply([(one, LookedUp(lookup.evidence(one.key))) for one in people])
