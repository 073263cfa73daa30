"""Every lower bound that the package states is the version that ``make lowest`` installs and runs the tests with."""

import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

PACKAGE = "airflow-provider-teams-registration"

pytestmark = pytest.mark.skipif(
    Path(sys.prefix).name != ".venv-lowest", reason="only 'make lowest' installs the oldest of everything"
)


def lower_bound(requirement):
    (bound,) = [each.version for each in requirement.specifier if each.operator == ">="]
    return Version(bound)


def test_what_was_installed_is_what_the_package_states():
    stated = [Requirement(text) for text in requires(PACKAGE)]
    # The site is built in an environment of its own.
    others = [one for one in stated if one.name != PACKAGE and 'extra == "docs"' not in str(one.marker)]

    too_low = {
        str(requirement): version(requirement.name)
        for requirement in others
        if Version(version(requirement.name)) != lower_bound(requirement)
    }
    assert len(others) > 20
    assert too_low == {}
