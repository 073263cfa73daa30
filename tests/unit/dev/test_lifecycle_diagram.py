"""The picture of the lifecycle in the docs is the table's."""

import pytest

from airflow_provider_teams_registration.core.state import Effect, Goal, State
from dev.crash_matrix.diagram import PAGE, transitions, with_drawing


def test_docs_show_every_transition_as_the_table_has_it():
    assert PAGE.read_text() == with_drawing(PAGE.read_text())


def test_only_a_registrant_who_is_claimed_is_sent():
    sends = {
        (goal, state, kind) for goal in Goal for state, kind, _, effect in transitions(goal) if effect is Effect.SEND
    }
    assert sends == {(Goal.ENROLL, State.QUEUED, "Claimed")}


@pytest.mark.parametrize("goal", Goal)
def test_only_a_registrant_who_is_claimed_is_removed(goal):
    removes = {(state, kind) for state, kind, _, effect in transitions(goal) if effect is Effect.REMOVE}
    assert removes == {(State.REMOVING, "Claimed")}


@pytest.mark.parametrize("goal", Goal)
def test_nothing_follows_after_the_end(goal):
    assert {effect for _, _, after, effect in transitions(goal) if after is State.DONE} == {Effect.NOTHING}
