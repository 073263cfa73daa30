"""
The lifecycle of a registrant: every transition, in one table.

:data:`TRANSITIONS` names, for each goal, state and input, the function that decides; :func:`advance` applies it. Pairs
that cannot happen are in :data:`IMPOSSIBLE`, with the reason. Every row keeps four rules:

- The runner sends or removes a registrant only after the ledger holds a claim for them.
- If a request may have taken effect, the runner sends the registrant again only after reads prove that they are absent.
- A registrant counts as cancelled only if Graph removed them, or if reads prove that they are absent.
- Every registrant ends in ``DONE``.

If Graph accepted a registrant and no read shows them, they end as ``unknown``, and no later run sends them again. Graph
itself said that they are on the event. A read that does not show them contradicts Graph, and Graph does not document
how late, or how completely, it lists registrations. The operator cannot undo a second registration that people got mail
about. A run that cancels the registrant ends this state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_teams_registration.core import cancelling
from airflow_provider_teams_registration.core.on_answer import on_clash, on_enrolled, on_removed, on_response_lost
from airflow_provider_teams_registration.core.on_end import on_ended, on_ended_unsent, on_ended_with_result
from airflow_provider_teams_registration.core.on_ledger import on_claim_lost, on_claimed, on_ledger_read
from airflow_provider_teams_registration.core.on_lookup import on_first_look_up, on_look_up
from airflow_provider_teams_registration.core.on_refusal import (
    claim_again,
    on_given_up,
    on_not_executed,
    on_refused,
    on_token_refused,
)
from airflow_provider_teams_registration.core.on_result import on_link_shared, on_recorded
from airflow_provider_teams_registration.core.state import (
    BatchRefused,
    Claimed,
    ClaimExpired,
    ClaimLost,
    Clash,
    Ended,
    Enrolled,
    GivenUp,
    Goal,
    Input,
    LedgerRead,
    LinkShared,
    LookedUp,
    NotExecuted,
    Policy,
    Recorded,
    Refused,
    RegistrantState,
    Removed,
    ResponseLost,
    State,
    Step,
    TokenRefused,
)


def advance(state: RegistrantState, event: Input, policy: Policy, now: float) -> Step:
    """
    Apply an input to a registrant's state.

    :param state: the registrant's state.
    :param event: the input.
    :param policy: the settings that the decision depends on.
    :param now: the runner's clock, in seconds.
    :return: the new state, and the effect that the runner executes next.
    :raises AssertionError: the input cannot come in this state.
    """
    kind = type(event)
    handler = TRANSITIONS.get((policy.goal, state.state, kind))
    if handler is None:
        why = impossible(policy.goal, state.state, kind)
        raise AssertionError(f"{kind.__name__} cannot come in state {state.state.value}: {why}")
    return handler(state, event, policy, now)


Handler = Callable[[RegistrantState, Any, Policy, float], Step]
_NOT_EXECUTED: Mapping[type, Handler] = {
    ClaimExpired: claim_again,
    BatchRefused: claim_again,
    Refused: on_refused,
    TokenRefused: on_token_refused,
    NotExecuted: on_not_executed,
}
_SENT: Mapping[type, Handler] = {**_NOT_EXECUTED, ResponseLost: on_response_lost, Ended: on_ended}
_TO_ENROLL: Mapping[State, Mapping[type, Handler]] = {
    State.NEW: {LedgerRead: on_ledger_read, Ended: on_ended},
    State.UNSENT: {LookedUp: on_first_look_up, GivenUp: on_given_up, Ended: on_ended_unsent},
    State.CLAIMED_ELSEWHERE: {LedgerRead: on_ledger_read, Ended: on_ended},
    State.QUEUED: {Claimed: on_claimed, ClaimLost: on_claim_lost, GivenUp: on_given_up, Ended: on_ended_unsent},
    State.REMOVING: {
        Claimed: on_claimed,
        ClaimLost: on_claim_lost,
        GivenUp: on_given_up,
        Removed: on_removed,
        **_SENT,
    },
    State.IN_FLIGHT: {Enrolled: on_enrolled, Clash: on_clash, **_SENT},
    State.UNCERTAIN: {Claimed: on_claimed, ClaimLost: on_claim_lost, LookedUp: on_look_up, Ended: on_ended},
    State.ACCEPTED: {Claimed: on_claimed, ClaimLost: on_claim_lost, LookedUp: on_look_up, Ended: on_ended},
    State.DECIDED: {
        Recorded: on_recorded,
        ClaimLost: on_claim_lost,
        LinkShared: on_link_shared,
        Ended: on_ended_with_result,
    },
}
_TO_CANCEL: Mapping[State, Mapping[type, Handler]] = {
    State.NEW: {LedgerRead: cancelling.on_ledger_read, Ended: cancelling.on_ended},
    State.UNSENT: {
        LookedUp: cancelling.on_first_look_up,
        GivenUp: on_given_up,
        Ended: cancelling.on_ended,
    },
    State.CLAIMED_ELSEWHERE: {LedgerRead: cancelling.on_ledger_read, Ended: cancelling.on_ended},
    State.REMOVING: {
        Claimed: cancelling.on_claimed,
        ClaimLost: cancelling.on_claim_lost,
        GivenUp: on_given_up,
        Removed: cancelling.on_removed,
        **_NOT_EXECUTED,
        ResponseLost: cancelling.on_response_lost,
        Ended: cancelling.on_ended,
    },
    State.UNCERTAIN: {LookedUp: cancelling.on_look_up, Ended: cancelling.on_ended},
    State.DECIDED: {
        Recorded: on_recorded,
        ClaimLost: cancelling.on_result_lost,
        Ended: cancelling.on_ended_with_result,
    },
}
TRANSITIONS: Mapping[tuple[Goal, State, type], Handler] = {
    (goal, state, kind): handler
    for goal, rows in ((Goal.ENROLL, _TO_ENROLL), (Goal.CANCEL, _TO_CANCEL))
    for state, row in rows.items()
    for kind, handler in row.items()
}

_ANSWERS = (Refused, TokenRefused, NotExecuted, ResponseLost, ClaimExpired, BatchRefused, Removed)
_STATES = frozenset(State)
_ENROLLING = frozenset({State.QUEUED, State.IN_FLIGHT, State.ACCEPTED})
_NOT_WAITING_TO_BE_CLAIMED = frozenset({State.NEW, State.UNSENT, State.CLAIMED_ELSEWHERE, State.IN_FLIGHT, State.DONE})
_READ_AT_FIRST = "the runner reads the ledger before anything else, and again only for people whom another run claimed"
_CLAIMS_FOR_EFFECT = "the runner claims only people with the effect CLAIM"
_NOTHING_WRITTEN = "the runner writes no claim and no result in this state"
_NO_LOOKUP = "the runner looks up only people with the effect FIND_PRESENT or LOOK_UP"
_NO_REQUEST = "no request about this person is in flight"
_NO_RESULT = "the runner writes no result in this state"
_NOT_WAITING = "the runner gives up only people who wait for a request"
Impossible = tuple[tuple[type, ...], frozenset[State], str]
IMPOSSIBLE: Mapping[Goal, tuple[Impossible, ...]] = {
    Goal.ENROLL: (
        ((LedgerRead,), _STATES - {State.NEW, State.CLAIMED_ELSEWHERE}, _READ_AT_FIRST),
        ((Claimed,), _NOT_WAITING_TO_BE_CLAIMED | {State.DECIDED}, _CLAIMS_FOR_EFFECT),
        ((ClaimLost,), _NOT_WAITING_TO_BE_CLAIMED, _NOTHING_WRITTEN),
        ((LookedUp,), _STATES - {State.UNSENT, State.UNCERTAIN, State.ACCEPTED}, _NO_LOOKUP),
        ((Enrolled, Clash, *_ANSWERS), _STATES - {State.REMOVING, State.IN_FLIGHT}, _NO_REQUEST),
        ((Removed,), frozenset({State.IN_FLIGHT}), "an enrollment removes nothing"),
        ((Enrolled, Clash), frozenset({State.REMOVING}), "a removal enrolls nobody"),
        ((LinkShared, Recorded), _STATES - {State.DECIDED}, _NO_RESULT),
        ((GivenUp,), _STATES - {State.UNSENT, State.QUEUED, State.REMOVING}, _NOT_WAITING),
        ((Ended,), frozenset({State.DONE}), "a result is final"),
    ),
    Goal.CANCEL: (
        ((Ended,), _ENROLLING, "a run that cancels sends nobody, so nobody comes into this state"),
        ((LedgerRead,), _STATES - {State.NEW, State.CLAIMED_ELSEWHERE}, _READ_AT_FIRST),
        ((Claimed,), _STATES - {State.REMOVING}, _CLAIMS_FOR_EFFECT),
        ((ClaimLost,), _STATES - {State.REMOVING, State.DECIDED}, _NOTHING_WRITTEN),
        ((LookedUp,), _STATES - {State.UNSENT, State.UNCERTAIN}, _NO_LOOKUP),
        (_ANSWERS, _STATES - {State.REMOVING}, _NO_REQUEST),
        ((Enrolled, Clash), _STATES, "a run that cancels sends nobody"),
        ((LinkShared,), _STATES, "a run that cancels records no link that the ledger does not hold already"),
        ((Recorded,), _STATES - {State.DECIDED}, _NO_RESULT),
        ((GivenUp,), _STATES - {State.UNSENT, State.REMOVING}, _NOT_WAITING),
        ((Ended,), frozenset({State.DONE}), "a result is final"),
    ),
}
"""For each goal: inputs, the states in which each cannot come, and the reason."""


def impossible(goal: Goal, state: State, kind: type) -> str | None:
    """
    Return why an input cannot come in a state; None where it can.

    :param goal: the goal of the run.
    :param state: the state.
    :param kind: the class of the input.
    """
    return next((why for kinds, states, why in IMPOSSIBLE[goal] if kind in kinds and state in states), None)
