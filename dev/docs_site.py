"""
A hook of MkDocs: add the pages of the repository's root to the documentation site.

The README becomes the front page. Links between the root and ``docs/`` are rewritten, because the site has one folder.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).parent.parent
_PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}


def on_files(files: Files, config: Any) -> Files:
    """Add the root's pages and the license."""
    for name, page in _PAGES.items():
        text = (_ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_with_links_of_the_site(text)))
    files.append(File.generated(config, "LICENSE", content=(_ROOT / "LICENSE").read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Rewrite the links of a page of ``docs/``."""
    return _with_links_of_the_site(markdown)


def _with_links_of_the_site(text: str) -> str:
    text = re.sub(r"\]\((?:\.\./|docs/)", "](", text)
    for name, page in _PAGES.items():
        text = text.replace(f"]({name}", f"]({page}")
    return text
