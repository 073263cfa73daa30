"""The columns of a row. Their headers match in any case, and with a byte order mark, quotes or space around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.cells import in_words, says_nothing
from airflow_provider_teams_registration.graph.characters import IMPOSSIBLE, without_unseen

_Read = TypeVar("_Read")

# The byte order mark of UTF-8, decoded as cp1252.
_MISREAD_BOM = "\u00ef\u00bb\u00bf"
_HEADERS_SHOWN = 12
_LONGEST_HEADER_SHOWN = 40


@dataclass(frozen=True)
class Column:
    """
    One documented column.

    :param name: its name in the documentation.
    :param more: other documented spellings.
    """

    name: str
    more: tuple[str, ...] = ()

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """The headers of the column, as :func:`folded_header` returns them."""
        return tuple(folded_header(spelling) for spelling in (self.name, *self.more))


class Columns:
    """
    The cells of one row by documented column.

    :param row: values by header.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row
        self._headers: dict[str, list[str]] = {}
        for header in row:
            self._headers.setdefault(folded_header(str(header)), []).append(header)

    def cells(self, column: Column) -> list[tuple[str, Any]]:
        """Return header and value of each cell of the column, in the row's order."""
        headers = self._headers
        if headers.keys().isdisjoint(column.folded):
            return []
        found = [header for folded in column.folded if folded in headers for header in headers[folded]]
        if len(found) > 1:
            found = [header for header in self._row if header in found]
        return [(header, self._row[header]) for header in found]

    def given(self, column: Column) -> list[tuple[str, Any]]:
        """Return the :meth:`cells` that are not empty."""
        return [(header, value) for header, value in self.cells(column) if not says_nothing(value)]

    def read(self, column: Column, read: Callable[[Any], _Read]) -> _Read | None:
        """
        Read a column. Several headers may name it if their values are equal.

        :param column: the column.
        :param read: the function that reads a value.
        :return: the value that ``read`` returns; None if the cells are empty.
        :raises InvalidRow: two headers have different values.
        """
        cells = self.given(column)
        if not cells:
            return None
        values = [read(value) for _, value in cells]
        if any(value != values[0] for value in values[1:]):
            raise InvalidRow(f"{' and '.join(str(header) for header, _ in cells)} contradict each other")
        return values[0]

    def text(self, column: Column) -> str | None:
        """
        Read a column of text, without control and invisible characters and surrounding space.

        :raises InvalidRow: the value is not a text.
        """
        return self.read(column, lambda value: clean_text(column.name, value))

    def came(self) -> str:
        """Return the row's headers in words, for a sentence about a missing one."""
        shown = [header for header in self._row if _is_shown(header)]
        named = [without_unseen(header).strip() for header in shown[:_HEADERS_SHOWN]]
        left_out = len(self._row) - len(named)
        if left_out:
            named.append(f"{left_out} {'more' if named else 'that cannot be named'}")
        return in_a_row(named)

    def missing(self, names: Sequence[str]) -> str:
        """Return a sentence about missing columns, which also names the columns that the row has."""
        said = f"{in_a_row(names)} missing"
        return f"{said} (the columns that came: {self.came()})" if self._row else said


@lru_cache(maxsize=4096)
def folded_header(header: str) -> str:
    """Return a header without its case, a byte order mark, quotes and space around it."""
    text = without_unseen(header.removeprefix(_MISREAD_BOM)).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text.lower()


def clean_text(what: str, value: Any) -> str:
    """
    Return a text without control and invisible characters and surrounding space.

    :param what: the name of the value in a sentence.
    :param value: the value.
    :raises InvalidRow: the value is not a text, or holds a character that no database can hold.
    """
    if not isinstance(value, str):
        raise InvalidRow(f"{what} is {in_words(value)}; it must be a string")
    return without_unseen(possible_text(what, value), keep_spelling=True).strip()


def possible_text(what: str, text: str) -> str:
    """
    Return a text unchanged.

    :raises InvalidRow: it holds a character that no database can hold.
    """
    if IMPOSSIBLE.search(text):
        raise InvalidRow(f"{what} holds a character that no database can (a NUL, or half of a surrogate pair)")
    return text


def in_a_row(names: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _is_shown(header: Any) -> bool:
    # If a file has no headers, the data of its first person would be shown.
    return (
        isinstance(header, str) and len(header) <= _LONGEST_HEADER_SHOWN and "@" not in header and header.strip() != ""
    )
