"""The transition table is complete: every pair of state and input is decided, or cannot happen and says why."""

from typing import get_args

import pytest

from airflow_provider_teams_registration.core.lifecycle import IMPOSSIBLE, TRANSITIONS, advance, impossible
from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.core.state import Goal, Input, Policy, RegistrantState, State

INPUTS = get_args(Input)
POLICY = Policy(TaskRun("dag", "run", "task"), links_are_readable=False)


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", INPUTS, ids=lambda kind: kind.__name__)
def test_every_pair_is_decided_or_impossible_for_a_reason(goal, state, kind):
    assert ((goal, state, kind) in TRANSITIONS) != bool(impossible(goal, state, kind))


def test_no_reason_is_given_for_a_pair_that_can_happen():
    listed = [one for goal in Goal for one in IMPOSSIBLE[goal]]
    assert all(reason for _, _, reason in listed)
    assert {kind for kinds, _, _ in listed for kind in kinds} <= set(INPUTS)


def test_input_that_cannot_come_is_an_error_with_a_name():
    done = RegistrantState(State.DONE)
    with pytest.raises(AssertionError, match="ClaimExpired cannot come in state done"):
        advance(done, next(kind for kind in INPUTS if kind.__name__ == "ClaimExpired")(), POLICY, 0.0)
