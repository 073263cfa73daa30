"""``python -m dev.benchmarks docs`` writes the figures of a run into the docs, between two comments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dev.benchmarks.table import (
    write_comparison,
    write_deferral,
    write_harm,
    write_mail,
    write_table,
)

_PLACES: Sequence[tuple[str, str, Callable[[Mapping[str, Any]], str]]] = (
    ("docs/benchmarks.md", "table", write_table),
    ("docs/benchmarks.md", "beside (e)", write_comparison),
    ("docs/benchmarks.md", "harm", write_harm),
    ("docs/benchmarks.md", "mail", write_mail),
    ("docs/benchmarks.md", "deferral", write_deferral),
)


def refreshed(root: Path, results: Mapping[str, Any]) -> dict[Path, str]:
    """Return the pages with the figures of ``results.json`` in them."""
    pages: dict[Path, str] = {}
    for name, place, write in _PLACES:
        page = root / name
        begin, end = f"<!-- figures: {place} -->\n", "<!-- end of figures -->"
        before, _, rest = pages.get(page, page.read_text(encoding="utf-8")).partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"{page} has no place for the figures: {begin}{end}")
        pages[page] = f"{before}{begin}\n{write(results)}\n{end}{after}"
    return pages


def refresh(root: Path, results: Mapping[str, Any]) -> list[Path]:
    """Write the pages, and return which."""
    pages = refreshed(root, results)
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")
    return list(pages)
