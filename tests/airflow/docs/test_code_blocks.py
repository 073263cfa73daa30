"""Every Python block of the documentation compiles, names what there is, and is a DAG file that Airflow can parse."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from datetime import datetime

import pytest

from tests.docs_pages import PAGES, ROOT, code_blocks
from tests.run_dag import HAS_TASK_STATE_STORE

BLOCKS = [(page, line, code) for page in PAGES for line, code in code_blocks(page, "python")]
IDS = [f"{page.name}:{line}" for page, line, _ in BLOCKS]
# What the blocks take from files that the reader writes.
OF_THE_READER = {"my_dag"}
# Blocks that belong to a test of the reader's, and not to a DAG file.
WITH_TESTS = ("# conftest.py", "# test_my_dag.py")


def imports(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)


def is_there(module, name):
    if not hasattr(importlib.import_module(module), name):
        return importlib.util.find_spec(f"{module}.{name}") is not None
    return True


@pytest.mark.parametrize(("page", "line", "code"), BLOCKS, ids=IDS)
def test_block_compiles(page, line, code):
    compile(code, f"{page}:{line}", "exec")


@pytest.mark.parametrize(("page", "line", "code"), BLOCKS, ids=IDS)
def test_block_imports_what_is_there(page, line, code):
    named = [(module, names) for module, names in imports(code) if module not in OF_THE_READER]

    assert [(module, name) for module, names in named for name in names if not is_there(module, name)] == []
    assert [module for module, _ in named if importlib.util.find_spec(module) is None] == []


def recipes(page):
    """The page's blocks that stand in a DAG file, below the imports that the page begins with."""
    first, *others = [code for _, code in code_blocks(page, "python")]
    for code in others:
        if not code.startswith(WITH_TESTS) and "(..." not in code:
            yield first, code


RECIPES = [
    pytest.param(first, code, id=f"recipe {n}") for n, (first, code) in enumerate(recipes(ROOT / "docs/how-to.md"))
]


@pytest.mark.airflow
@pytest.mark.parametrize(("first", "code"), RECIPES)
def test_recipe_is_a_dag_that_airflow_can_parse(first, code):
    if "retry_policy" in code and not HAS_TASK_STATE_STORE:
        pytest.skip("retry policies came with Airflow 3.3")
    from airflow.providers.common.compat.sdk import DAG, task

    def people():
        return []

    tasks = {name: task(people, task_id=name) for name in ("customers", "partners")} if "customers()" in code else {}
    namespace = dict(tasks)
    with DAG("recipe", schedule=None, start_date=datetime(2026, 1, 1)) as dag:
        exec(compile(f"{first}\n{code}", "recipe", "exec"), namespace)

    assert dag.tasks or "WEBINAR = " in code or "with DAG(" in code


@pytest.mark.airflow
def test_first_dag_of_the_readme_has_its_tasks():
    _, code = next(code_blocks(ROOT / "README.md", "python"))
    code = code.replace("\nfirst_registration()\n", "\nmade = first_registration()\n")
    namespace = {}
    exec(compile(code, "README.md", "exec"), namespace)

    assert set(namespace["made"].task_ids) == {"attendees", "enroll", "mail"}
