"""The Python blocks of the documentation do what the pages say, run against the emulator."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.airflow.docs.python_blocks import (
    BLOCKS,
    FILES,
    NOT_RUN,
    RECIPES,
    RUN_ELSEWHERE,
    RUNS_THE_DAG,
    TEST_OF_ANOTHER_DAG,
    WITH_EMULATOR,
    imports_above,
)
from tests.docs_pages import ROOT

pytestmark = pytest.mark.airflow


def test_every_block_is_run_or_says_why_not():
    lists = (RECIPES, WITH_EMULATOR, FILES, [TEST_OF_ANOTHER_DAG], RUN_ELSEWHERE, NOT_RUN)

    assert sorted(name for names in lists for name in names) == sorted(BLOCKS)
    assert [path for path in RUN_ELSEWHERE.values() if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_runs(name, run_dag, surroundings, with_ids, emulator, monkeypatch):
    block, recipe = BLOCKS[name], RECIPES[name]
    recipe.arrange(emulator)
    meeting_id = getattr(emulator, recipe.meeting)
    monkeypatch.setenv("AIRFLOW_VAR_TEAMS_MEETING_ID", meeting_id)
    code = block.code
    for part, own in recipe.replaced.items():
        assert part in code
        code = code.replace(part, own)

    imports = imports_above(block)

    text = "\n".join([recipe.before, with_ids(code), recipe.after])
    run = run_dag(text) if imports is None else run_dag(text, imports)

    states = {task: {state} if isinstance(state, str) else set(state) for task, state in run.tasks.items()}
    assert states
    assert states == {task: {"failed" if task in recipe.failed else "success"} for task in run.tasks}
    assert run.state == "success"
    if recipe.enrolled is not None:
        assert {one.id for one in emulator.store.enrolled(meeting_id)} == recipe.enrolled
    assert tuple(surroundings.addresses) == recipe.mailed


@pytest.mark.parametrize("name", WITH_EMULATOR)
def test_code_that_is_no_dag_runs(name, surroundings, with_ids, emulator):
    code = BLOCKS[name].code.replace("\n    ...\n", WITH_EMULATOR[name])
    if "TeamsRegistrationHook" in code:
        code = "from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook\n" + code
        # The registration of this meeting is not open yet.
        code = code.replace("MSpkYzE3...", emulator.closed_meeting_id)

    exec(compile(with_ids(code), name, "exec"), {"emulator": emulator})


def test_tests_of_a_dag_with_the_emulator_pass(tmp_path):
    for name, file in FILES.items():
        (tmp_path / file).write_text(BLOCKS[name].code, encoding="utf-8")
    other = BLOCKS[TEST_OF_ANOTHER_DAG].code
    placeholder = next(line for line in other.splitlines(keepends=True) if line.lstrip().startswith("..."))
    (tmp_path / "test_in_another_way.py").write_text(other.replace(placeholder, RUNS_THE_DAG), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "2 passed" in done.stdout, done.stdout[-3000:]
