"""A sample of the crash matrix: ``make proof`` plays every cell."""

import hypothesis.stateful
import pytest

from dev.crash_matrix.lies import lying_cells, try_lying_cell
from dev.crash_matrix.mailing import KILL, LEDGERS, TROUBLES, MailCell, mail_cells, try_mail_cell
from dev.crash_matrix.matrix import Setting, cells, try_cell
from dev.crash_matrix.sequences import CANCEL_BESIDE, DEFERRAL, SECOND_KILL, SequenceCell, sequence_cells, try_sequence
from dev.crash_matrix.stateful import EnrollmentMachine
from dev.crash_matrix.targets import PLANTED, target_cells

HARDEST = [
    Setting("sql", "second_record", 0.25, "answer lost"),
    Setting("state store", "second_record", 0.25, "answer lost"),
    Setting("sql", "second_record", 0.25, "answer lost", "webinar"),
]


@pytest.mark.parametrize("setting", HARDEST, ids=lambda setting: f"{setting.kind}, {setting.ledger}")
def test_worker_killed_or_frozen_anywhere_enrolls_everybody_once_and_loses_no_link(emulator, setting):
    everywhere = cells(emulator, setting)
    kills = [cell for cell in everywhere if cell.injection == "kill"]
    freezes = [cell for cell in everywhere if cell.injection == "freeze"]
    wrong = {cell: try_cell(emulator, cell) for cell in [*kills[6::7], *freezes[3::4]]}
    assert {cell: findings for cell, findings in wrong.items() if findings} == {}


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_bug_turns_its_cells_red(emulator, bug):
    for play in target_cells(emulator, bug):
        assert play(emulator, None) == []
        assert play(emulator, bug)


@pytest.mark.parametrize("sequence", [SECOND_KILL, DEFERRAL, CANCEL_BESIDE])
def test_several_attempts_end_well(emulator, sequence):
    setting = SequenceCell(sequence, "meeting", "sql")
    some = sequence_cells(emulator, setting)
    wrong = {str(cell): try_sequence(emulator, cell) for cell in some[len(some) // 2 :: len(some)]}
    assert {cell: findings for cell, findings in wrong.items() if findings} == {}


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
@pytest.mark.parametrize("ledger", ["sql", "state store", "memory"])
def test_lies_of_the_service_enroll_nobody_twice_and_swap_nobodys_link(emulator, kind, ledger):
    cells = [cell for cell in lying_cells() if (cell.kind, cell.ledger) == (kind, ledger)]
    wrong = {str(cell): try_lying_cell(emulator, cell) for cell in cells[::37]}
    assert {cell: findings for cell, findings in wrong.items() if findings} == {}


@pytest.mark.parametrize("ledger", LEDGERS)
def test_killed_mailing_leaves_nobody_without_a_mail_and_one_person_at_most_with_two_equal_ones(ledger):
    kills = [cell for cell in mail_cells(ledger) if cell.trouble == KILL]
    wrong = {str(cell): try_mail_cell(cell) for cell in kills[5::9]}
    assert {cell: findings for cell, findings in wrong.items() if findings} == {}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_with_mails_gives_everybody_their_own_link_once_or_mails_nobody(trouble):
    assert try_mail_cell(MailCell("sql", trouble)) == []


def test_random_histories_end_well(emulator):
    EnrollmentMachine.emulator, EnrollmentMachine.killed = emulator, 0
    few = hypothesis.settings(max_examples=10, stateful_step_count=5, deadline=None, derandomize=True, database=None)
    hypothesis.stateful.run_state_machine_as_test(EnrollmentMachine, settings=few)
    assert EnrollmentMachine.killed, "no run was killed on the way"
