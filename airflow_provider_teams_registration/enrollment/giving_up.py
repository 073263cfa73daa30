"""When a run sends nobody any more, and what becomes of the registrants who wait to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.limits import MAX_SEND_ATTEMPTS
from airflow_provider_teams_registration.core.state import Effect, GivenUp, Goal
from airflow_provider_teams_registration.enrollment.answers import Answer, was_not_executed
from airflow_provider_teams_registration.enrollment.ending import not_sent
from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
from airflow_provider_teams_registration.exceptions import SignInError, Throttled, longest_wait
from airflow_provider_teams_registration.graph.rate_limit import LONGEST_WAIT

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.worklist import Worklist


class GivingUp:
    """
    Gives up the registrants who wait to be sent.

    :param work: the registrants of the run.
    :param goal: the goal of the run.
    """

    def __init__(self, work: Worklist, goal: Goal) -> None:
        self._work = work
        self._goal = goal

    def give_up(self, why: GivenUp) -> None:
        """Give up everybody who waits for a request, and whom no request has been made for."""
        queued = list(self._work.queued) + self._work.take(Effect.FIND_PRESENT)
        self._work.queued.clear()
        self._work.apply([(one, why) for one in queued])

    def if_hopeless(self, answers: Sequence[Answer], consecutive_throttled: int) -> None:
        """
        Give up if Entra refuses to sign in, or if Graph imposes too long a wait or throttles too often.

        :param answers: the answers to one call.
        :param consecutive_throttled: how often in a row Graph executed nothing.
        :raises SignInError: Entra refuses to sign in.
        :raises DeferRequested: Graph imposes too long a wait.
        """
        refused = next((one for one in answers if isinstance(one, SignInError) and not one.transient), None)
        if refused is not None:
            self.give_up(GivenUp(not_sent(self._goal, "Microsoft Entra issues no token any more")))
            raise refused
        not_executed = [one for one in answers if was_not_executed(one)]
        longest = longest_wait(not_executed) or 0
        if not_executed and (consecutive_throttled >= MAX_SEND_ATTEMPTS or longest > LONGEST_WAIT):
            # This text goes to other people's rows too, so it does not quote the answer about one person.
            what = "Graph throttles (429)" if isinstance(not_executed[0], Throttled) else "Graph is out of reach"
            self.give_up(GivenUp(not_sent(self._goal, f"{what}; given up for now")))
        if longest > LONGEST_WAIT:
            raise DeferRequested(longest)
