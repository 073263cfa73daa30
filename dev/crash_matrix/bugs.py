"""Deliberate bugs. A proof that stays green with one of them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import requests

from airflow_provider_teams_registration.core import cancelling, on_lookup
from airflow_provider_teams_registration.core.lifecycle import TRANSITIONS
from airflow_provider_teams_registration.core.state import Claimed, Effect, Goal, LookedUp, RegistrantState, State, Step
from airflow_provider_teams_registration.enrollment.recorder import OutcomeRecorder, Told
from airflow_provider_teams_registration.enrollment.tracked import Tracked
from airflow_provider_teams_registration.graph import session
from airflow_provider_teams_registration.graph.shapes import Unreadable, outcome_of_read
from airflow_provider_teams_registration.graph.transport import HttpSession
from airflow_provider_teams_registration.ledger.sql.clock import DatabaseClock
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from airflow_provider_teams_registration.ledger.task_state import StateStoreLedger


def plant(name: str | None, machine: int) -> None:
    """
    Put a bug into this process.

    :param name: the bug's name; None puts none.
    :param machine: number of the machine that this process stands for.
    """
    if name == ANOTHER_CLOCK:
        _tell_the_time_of_another_machine(machine)
    elif name is not None:
        {**BUGS, **LYING_BUGS}[name]()


def _send_again_instead_of_settling() -> None:
    def send_again(state: RegistrantState, *_: Any) -> Step:
        return replace(state, state=State.QUEUED), Effect.CLAIM

    cast("dict[Any, Any]", TRANSITIONS)[Goal.ENROLL, State.UNCERTAIN, LookedUp] = send_again


def _write_the_ledger_only_after_the_answer() -> None:
    write_all = OutcomeRecorder.write

    def write(recorder: OutcomeRecorder, decided: Sequence[Tracked], claiming: Sequence[Tracked]) -> Told:
        told = write_all(recorder, decided, ())
        return [*told, *((one, Claimed(one.state.record or one.claim())) for one in claiming)]

    OutcomeRecorder.write = write  # type: ignore[method-assign, assignment]


def _remove_the_fence() -> None:
    SqlLedger._hold_fence = lambda *_: None  # type: ignore[method-assign]
    StateStoreLedger._hold_fence = lambda *_: None  # type: ignore[method-assign]


def _believe_any_200() -> None:
    def believe(answer: Any, reader: Any, sent: Iterable[str | None] = ()) -> Any:
        said = outcome_of_read(answer, reader, sent)
        return reader({"value": []}) if isinstance(said, Unreadable) else said

    vars(session)["outcome_of_read"] = believe


def _follow_redirects() -> None:
    HttpSession.get_redirect_target = requests.Session.get_redirect_target  # type: ignore[assignment, method-assign]


def _believe_one_read() -> None:
    for module in (on_lookup, cancelling):
        vars(module)["AGREEING_READS"] = 1


def _tell_the_time_of_another_machine(machine: int) -> None:
    ahead = timedelta(minutes=10 * machine)

    def now(_: DatabaseClock) -> datetime:
        return datetime.now(timezone.utc).replace(tzinfo=None) + ahead

    DatabaseClock.now = now  # type: ignore[method-assign, assignment]


ANOTHER_CLOCK = "another machine's clock"
LYING_BUGS: Mapping[str, Callable[[], None]] = {
    "believe any 200": _believe_any_200,
    "follow redirects": _follow_redirects,
    "absence from one read": _believe_one_read,
}
"""Bugs that show where a service lies."""
BUGS: Mapping[str, Callable[[], None]] = {
    "send again instead of settling": _send_again_instead_of_settling,
    "write the ledger only after the answer": _write_the_ledger_only_after_the_answer,
    "remove the fence": _remove_the_fence,
}
"""Bugs that show where a worker is killed or frozen; :data:`ANOTHER_CLOCK` shows where two runs overlap."""
