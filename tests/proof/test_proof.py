"""A sample of the proof: ``make proof`` plays every case."""

import hypothesis.stateful
import pytest

from proof.bugs import BUGS
from proof.histories import Histories
from proof.matrix import Setting, cells, try_cell

HARDEST = [
    Setting("sql", "second_record", 0.25, "answer lost"),
    Setting("state store", "second_record", 0.25, "answer lost"),
    Setting("sql", "second_record", 0.25, "answer lost", "webinar"),
]


@pytest.mark.parametrize("setting", HARDEST, ids=lambda setting: f"{setting.kind}, {setting.ledger}")
def test_worker_killed_or_frozen_anywhere_enrolls_everybody_once_and_loses_no_link(emulator, setting):
    everywhere = cells(emulator, setting)
    kills = [cell for cell in everywhere if cell.strike == "kill"]
    freezes = [cell for cell in everywhere if cell.strike == "freeze"]
    wrong = {cell: try_cell(emulator, cell) for cell in [*kills[6::7], *freezes[3::4]]}
    assert {cell: findings for cell, findings in wrong.items() if findings} == {}


@pytest.mark.parametrize(("bug", "strike"), zip(BUGS, ["kill", "kill", "freeze"], strict=True), ids=list(BUGS))
def test_deliberate_bug_is_found_out(emulator, bug, strike):
    setting = HARDEST[1]
    at_a_call = [
        cell for cell in cells(emulator, setting) if cell.strike == strike and cell.point == "after POST $batch"
    ]
    # The last one is the enrollment that repairs a lost answer; frozen at the first, much is left to do.
    cell = at_a_call[-1 if strike == "kill" else 0]
    assert try_cell(emulator, cell) == []
    assert try_cell(emulator, cell, bug)


def test_random_histories_end_well(emulator):
    Histories.emulator, Histories.killed = emulator, 0
    few = hypothesis.settings(max_examples=10, stateful_step_count=5, deadline=None, derandomize=True, database=None)
    hypothesis.stateful.run_state_machine_as_test(Histories, settings=few)
    assert Histories.killed, "no run was killed on the way"
