"""The architecture page names files that are there, and answers each question with few of them."""

import re

import pytest

from tests.docs_pages import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "airflow_provider_teams_registration"
QUESTIONS = dict(
    re.findall(r"^### ([^\n]+)\n(.*?)(?=^##)", PAGE.split("## Where do I change")[1], re.MULTILINE | re.DOTALL)
)
PATH = re.compile(r"`((?:[a-z_]+/)*[a-z_]+(?:\.py|/))`")
OF_THE_ROOT = {
    "airflow_provider_teams_registration/",
    "example_dags/",
    "tests/",
    "docs/",
    "dev/",
}


def test_six_questions_are_answered():
    assert len(QUESTIONS) == 6


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_names_at_most_four_places_that_change(question):
    steps = re.findall(r"^(\d)\. ", QUESTIONS[question], re.MULTILINE)

    assert 2 <= int(max(steps)) <= 4


def test_every_path_is_there():
    paths = set(PATH.findall(PAGE)) - OF_THE_ROOT

    assert [path for path in sorted(paths) if not (PACKAGE / path).exists()] == []


def test_every_package_is_described():
    packages = {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}

    assert packages <= set(PATH.findall(PAGE))
