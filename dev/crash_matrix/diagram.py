"""
Draw the lifecycle of a registrant from its transition table.

``python -m dev.crash_matrix.diagram`` writes the drawing into docs/lifecycle.md.

Every handler of the table is tried with every combination of what it may look at, and what comes out is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from airflow_provider_teams_registration.core.lifecycle import TRANSITIONS, advance
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.problem import Problem
from airflow_provider_teams_registration.core.record import RecordState, RegistrationRecord, TaskRun
from airflow_provider_teams_registration.core.registration import Absent, Inconclusive, Present, RemoteRegistration
from airflow_provider_teams_registration.core.result import result_cancelled, result_enrolled, result_rejected
from airflow_provider_teams_registration.core.state import (
    BatchRefused,
    Claimed,
    ClaimExpired,
    ClaimLost,
    Clash,
    Effect,
    Ended,
    Enrolled,
    GivenUp,
    Goal,
    LedgerRead,
    LinkShared,
    LookedUp,
    NotExecuted,
    OnMissingJoinUrl,
    Policy,
    Recorded,
    Refused,
    RegistrantState,
    Removals,
    Removed,
    ResponseLost,
    State,
    TokenRefused,
)

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
_START, _END = "<!-- drawn by python -m dev.crash_matrix.diagram -->\n", "<!-- end of the drawing -->\n"
_WHY = Problem("why")
_LINK = "https://teams.example.com/1"
_RUN, _OTHER = TaskRun("dag", "run 1"), TaskRun("dag", "run 2")
_WITH_LINK = RemoteRegistration(Outcome.ENROLLED, _LINK)
_WITHOUT_LINK = RemoteRegistration(Outcome.ENROLLED)
_PENDING = RemoteRegistration(Outcome.ENROLLED, link_pending=True)
_OUTCOMES = (
    (Outcome.UNKNOWN, RecordState.CLAIMED, None),
    (Outcome.UNKNOWN, RecordState.ACCEPTED, None),
    (Outcome.NOT_SENT, RecordState.CANCELLING, None),
    (Outcome.ENROLLED, RecordState.CANCELLING, _LINK),
    (Outcome.ENROLLED, RecordState.DONE, _LINK),
    (Outcome.ENROLLED, RecordState.DONE, None),
    (Outcome.ALREADY_ENROLLED, RecordState.DONE, None),
    (Outcome.CANCELLED, RecordState.DONE, None),
)
_RECORDS = [
    None,
    *(
        RegistrationRecord("r", "f", outcome, state, join_web_url=link, run=run, age=age)
        for outcome, state, link in _OUTCOMES
        for run in (_RUN, _OTHER)
        for age in ((0.0,) if state is RecordState.DONE else (0.0, 1000.0))
    ),
]
_INPUTS: Mapping[type, list[Any]] = {
    LedgerRead: [LedgerRead(record) for record in _RECORDS],
    ClaimLost: [ClaimLost(record) for record in _RECORDS],
    Claimed: [Claimed(_RECORDS[1])] if _RECORDS[1] else [],
    LookedUp: [
        LookedUp(evidence)
        for evidence in (
            Absent(),
            Inconclusive(_WHY),
            Inconclusive(replace(_WHY, is_transient=True)),
            Inconclusive(_WHY, is_refused=True),
            Present([_WITH_LINK]),
            Present([_WITHOUT_LINK]),
            Present([_PENDING]),
        )
    ],
    Enrolled: [Enrolled(one) for one in (_WITH_LINK, _WITHOUT_LINK, RemoteRegistration(Outcome.UNKNOWN))],
    Clash: [Clash(_WHY, is_conflict=is_conflict) for is_conflict in (False, True)],
    GivenUp: [GivenUp(_WHY), GivenUp(_WHY, is_refused=True)],
    **{kind: [kind(_WHY)] for kind in (Refused, TokenRefused, NotExecuted, ResponseLost, Ended)},
    Removed: [Removed(), Removed(was_there=False)],
    **{kind: [kind()] for kind in (ClaimExpired, BatchRefused, LinkShared, Recorded)},
}
_POLICIES = {
    Goal.ENROLL: [
        Policy(_RUN, is_readable, what)
        for is_readable in (False, True)
        for what in (OnMissingJoinUrl.FAIL, OnMissingJoinUrl.RE_ENROLL)
    ],
    Goal.CANCEL: [Policy(_RUN, not by_key, goal=Goal.CANCEL, removes_by_key=by_key) for by_key in (False, True)],
}
_TITLES = {Goal.ENROLL: "### A run that enrolls", Goal.CANCEL: "### A run that cancels"}


@cache
def transitions(goal: Goal) -> frozenset[tuple[State, str, State, Effect]]:
    """Return every transition of a run with this goal: state, input, next state and effect."""
    found = set()
    for of, state, kind in TRANSITIONS:
        if of is not goal:
            continue
        for before, event, policy, now in product(
            _states(goal, state, kind), _INPUTS[kind], _POLICIES[goal], (0.0, 1000.0)
        ):
            after, effect = advance(before, event, policy, now)
            found.add((state, kind.__name__, after.state, effect))
    return frozenset(found)


def drawing() -> str:
    """Return, for each goal, the table of transitions, and the picture, as Markdown."""
    return "\n".join(f"{title}\n\n{_drawing(goal)}" for goal, title in _TITLES.items())


def _drawing(goal: Goal) -> str:
    rows = sorted(
        transitions(goal), key=lambda row: (list(State).index(row[0]), row[1], list(State).index(row[2]), row[3].value)
    )
    picture: dict[tuple[State, State], list[str]] = {}
    for state, kind, after, _ in rows:
        if state is not after and kind != Ended.__name__:
            picture.setdefault((state, after), []).append(kind)
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> NEW"]
    for (state, after), kinds in picture.items():
        lines.append(f"    {state.name} --> {after.name}: {', '.join(dict.fromkeys(kinds))}")
    lines += ["    DONE --> [*]", "```", "", "| state | input | next state | effect |", "|---|---|---|---|"]
    lines += [f"| {state.name} | {kind} | {after.name} | {effect.value} |" for state, kind, after, effect in rows]
    return "\n".join(lines) + "\n"


def with_drawing(page: str) -> str:
    """Return a page of the docs with the drawing as the table has it now."""
    before, _, rest = page.partition(_START)
    return f"{before}{_START}\n{drawing()}\n{_END}{rest.partition(_END)[2]}"


def _states(goal: Goal, state: State, kind: type) -> Iterator[RegistrantState]:
    yield from _states_to_enroll(state, kind) if goal is Goal.ENROLL else _states_to_cancel(state, kind)


def _states_to_enroll(state: State, kind: type) -> Iterator[RegistrantState]:
    # A record of the ledger overrules what was counted.
    counts = (0,) if kind in (LedgerRead, ClaimLost) else (0, 7)
    results = [result_enrolled(_WITH_LINK), result_rejected(_WHY)] if state is State.DECIDED else [None]
    clashes = [None, Clash(_WHY, is_conflict=False)]
    for is_ours, attempts, clash, sent_at, result in product((False, True), counts, clashes, (None, 0.0), results):
        for to_remove, absences in product((0, 1) if state is not State.REMOVING else (1, 2), range(len(counts))):
            yield RegistrantState(
                state,
                fingerprint="f",
                may_be_our_send=is_ours,
                send_attempts=attempts,
                settle_attempts=attempts,
                is_token_renewed=attempts > 0,
                shared_links=attempts,
                clash=clash,
                sent_at=sent_at,
                to_remove=to_remove if state in (State.REMOVING, State.QUEUED) else 0,
                absences=absences,
                result=result,
            )


def _states_to_cancel(state: State, kind: type) -> Iterator[RegistrantState]:
    claimed: tuple[bool, ...] = (state in (State.UNCERTAIN, State.DECIDED),)
    if state is State.REMOVING:
        claimed = (False, True) if kind in (Claimed, ClaimLost, GivenUp, Ended) else (True,)
    results = [result_cancelled(), result_rejected(_WHY)] if state is State.DECIDED else [None]
    for is_claimed, is_lost, attempts, record, result in product(
        claimed, (False, True), (0, 8), (None, _RECORDS[1]), results
    ):
        removals = Removals(is_claimed=is_claimed, is_lost=is_lost, before=record)
        yield RegistrantState(
            state,
            record=record,
            removals=removals,
            send_attempts=attempts,
            is_token_renewed=attempts > 0,
            absences=attempts,
            result=result,
        )


if __name__ == "__main__":
    PAGE.write_text(with_drawing(PAGE.read_text()))
