"""Convert an input row to the JSON object that the ledger's database stores."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence, Set
from enum import Enum
from typing import Any

LONGEST_ROW = 4_000_000
"""The longest row, in characters of JSON. Databases limit the length of a statement: MariaDB to 16 MB by default."""
NO_NAN = "make None of it, which in pandas is frame.astype(object).where(frame.notna(), None)"
KEY = "a dict with a key that is no text"
_PLAIN = (str, int, bool, type(None))
_BYTES = (bytes, bytearray, memoryview)
_ONE = (*_PLAIN, *_BYTES, float)
_DEEPEST = 100


class NotJson(ValueError):
    """
    JSON cannot hold a value of this kind.

    :param kind: the kind in words, never the value.
    :param remedy: what the user can do about it.
    :ivar column: the column that holds the value, if it is known.
    """

    def __init__(self, kind: str, remedy: str = "convert it or leave it out") -> None:
        super().__init__(f"{kind}; {remedy}")
        self.kind = kind
        self.remedy = remedy
        self.column: str | None = None


def row_json(row: Any) -> str:
    """
    Return a row as JSON. Mappings become objects, sequences and sets become lists, other values become text.

    :param row: a mapping of columns to values, or a plain id.
    :raises NotJson: JSON cannot hold a value.
    """
    plain = {_key(column): _in_column(column, value) for column, value in _items(row)}
    try:
        text = json.dumps(plain)
    except ValueError:
        # Python writes no number of more than 4,300 digits.
        raise NotJson("a number with too many digits") from None
    if len(text) > LONGEST_ROW:
        raise NotJson(f"more than {LONGEST_ROW:,} characters", "leave out what nobody needs afterwards")
    return text


def named(value: Any) -> str:
    """Return the kind of a value in words."""
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _items(row: Any) -> Any:
    return row.items() if isinstance(row, Mapping) else [("id", row)]


def _in_column(column: Any, value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    try:
        return _plain(value, 0)
    except NotJson as error:
        # A key that is no text may hold personal data, so the error does not name it.
        error.column = column if isinstance(column, str) else None
        raise
    except Exception:
        # The error of an unknown class may quote the value.
        refusal = NotJson(named(value))
        refusal.column = column if isinstance(column, str) else None
        raise refusal from None


def _plain(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise NotJson("a value that holds itself, or is nested too deep")
    if isinstance(value, Enum):
        return _plain(value.value, depth + 1)
    if isinstance(value, Mapping):
        return {_key(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, _ONE):
        return _one(value)
    if isinstance(value, Sequence | Set):
        return [_plain(inner, depth + 1) for inner in value]
    if getattr(type(value), "__str__", None) is object.__str__:
        # Its text would name only the class and an address in memory.
        raise NotJson(named(value))
    return str(value)


def _one(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    return _decoded(bytes(value)) if isinstance(value, _BYTES) else value


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise NotJson(KEY)
    return key


def _number(number: float) -> float:
    if math.isnan(number):
        raise NotJson("NaN", NO_NAN)
    if math.isinf(number):
        raise NotJson("an infinite number", "make None of it")
    return number


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise NotJson("bytes that are no UTF-8 text") from None
