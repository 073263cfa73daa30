"""Every Python block of the documentation compiles and names what there is."""

from __future__ import annotations

import ast
import importlib
import importlib.util

import pytest

from tests.docs_pages import PAGES, code_blocks

BLOCKS = [(page, line, code) for page in PAGES for line, code in code_blocks(page, "python")]
IDS = [f"{page.name}:{line}" for page, line, _ in BLOCKS]
# What the blocks take from files that the reader writes.
OF_THE_READER = {"my_dag"}


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
