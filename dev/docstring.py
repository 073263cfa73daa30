"""Read a docstring in reStructuredText, and write its parts as Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

_FIELD = re.compile(r":(param|ivar|raises|return)\s*([\w.]*):\s*(.*)", re.DOTALL)
_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")
_LINK = re.compile(r"https://\S+")
_WIDTH = 120


@dataclass(frozen=True)
class Docstring:
    """
    The parts of a docstring.

    :param text: the paragraphs as Markdown.
    :param pages: the addresses of Microsoft's pages that it names.
    :param params: the meaning of each argument, by name.
    :param raises: the reason for each exception, by name.
    """

    text: str
    pages: Sequence[str] = ()
    params: dict[str, str] = field(default_factory=dict)
    raises: dict[str, str] = field(default_factory=dict)


def read_docstring(documented: object) -> Docstring:
    """
    Read the docstring of a class or function.

    :param documented: the class or function.
    """
    fields: dict[str, dict[str, str]] = {"param": {}, "raises": {}, "ivar": {}, "return": {}}
    paragraphs: list[str] = []
    pages: list[str] = []
    for block in _blocks(inspect.getdoc(documented) or ""):
        if block.startswith(":"):
            for one in re.split(r"\n(?=:)", block):
                if found := _FIELD.match(one):
                    fields[found[1]][found[2]] = _inline(" ".join(found[3].split()))
        elif block.startswith(".. seealso::"):
            pages += _LINK.findall(block)
        elif block.startswith(".. code-block:: python"):
            code = textwrap.dedent(block.partition("\n")[2]).strip()
            paragraphs.append(f"```python\n{code}\n```")
        elif not block.startswith("The other arguments"):
            paragraphs.append(_inline(block if block.startswith("- ") else wrapped(block)))
    return Docstring("\n\n".join(paragraphs), pages, fields["param"], fields["raises"])


def wrapped(text: str) -> str:
    """Return a paragraph in lines of the page's width."""
    return textwrap.fill(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)


def _blocks(text: str) -> list[str]:
    """Return paragraphs. A directive and its indented content are one."""
    first, *rest = re.split(r"(\n\s*\n)", text)
    blocks = [first]
    for space, block in zip(rest[::2], rest[1::2], strict=True):
        if block.startswith(" ") and blocks[-1].startswith(".."):
            blocks[-1] += space + block
        else:
            blocks.append(block.strip("\n"))
    return blocks


def _inline(text: str) -> str:
    return _ROLE.sub(r"`\1`", text).replace("``", "`")
