"""The reference in the documentation is what the code says."""

import pytest

from dev.reference import pages

PAGES = pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_reference_is_the_codes(page):
    assert page.read_text(encoding="utf-8") == PAGES[page], "python -m dev.reference writes it"


def test_reference_says_of_each_argument_whether_it_is_templated():
    (operators,) = [text for page, text in PAGES.items() if page.name == "operators.md"]

    assert "| `registrants` | required | yes |" in operators
    assert "| `max_parallel_requests` | `8` | no |" in operators
