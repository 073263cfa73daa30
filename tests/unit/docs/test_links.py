"""Every relative link of the documentation leads somewhere."""

import re

import pytest

from tests.docs_pages import IDS, PAGES, ROOT, anchors, without_code

LINK = re.compile(r"\]\(([^)\s]+)\)")
# Issues 16 and 17 bring these pages.


def relative_links(page):
    for target in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_each_relative_link_has_a_target(page):
    missing = [str(target) for target, _ in relative_links(page) if not target.exists()]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_each_anchor_of_a_link_is_a_heading(page):
    linked = [(target, anchor) for target, anchor in relative_links(page) if anchor and target.exists()]

    assert [(str(target), anchor) for target, anchor in linked if anchor not in anchors(target)] == []


def test_each_page_can_be_reached_from_the_readme():
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            todo += [target for target, _ in relative_links(page)]

    assert {str(page) for page in PAGES} <= {str(page) for page in reached}


def test_paths_that_the_pages_name_exist():
    named = re.compile(r"`((?:example_dags|docs|tests)/[\w/.-]+)`")
    missing = {path for page in PAGES for path in named.findall(page.read_text("utf-8")) if not (ROOT / path).exists()}

    assert missing == set()
