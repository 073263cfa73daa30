"""Read one cell of a row, whose type depends on the database, the data frame or the spreadsheet."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from numbers import Real
from typing import Any

from airflow_provider_teams_registration.graph.characters import without_unseen

_MOST_DIGITS = 400


class NotText(ValueError):
    """A value that has no text. The message is its type in words, such as ``a dict``."""


def says_nothing(value: Any) -> bool:
    """Return whether a value is empty: NULL, NaN, white space, an empty list."""
    if value is None:
        return True
    if isinstance(value, str):
        # A NUL is invisible too, but it must be refused and not ignored.
        return "\0" not in value and not without_unseen(value).strip()
    if isinstance(value, list | tuple | set | frozenset | dict | bytes | bytearray):
        return not value
    if isinstance(value, Decimal):
        return value.is_nan()
    try:
        # Only NaN, and NaT of a data frame, differ from themselves.
        return bool(value != value)
    except Exception:
        # Comparing NA of a data frame, or an array, does not return a bool.
        return type(value).__name__ == "NAType"


def as_text(value: Any) -> str:
    """
    Return the text of a value. A whole number has no decimal point, even if a data frame converted it to a float.

    :raises NotText: the value is nested, an infinite number, bytes that are not UTF-8, or an object without a text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise NotText("bytes that are no UTF-8") from None
    if isinstance(value, Decimal | Real):
        return _number(value)
    if isinstance(value, Iterable) or _has_no_text(type(value)):
        raise NotText(in_words(value))
    return str(value)


def in_words(value: Any) -> str:
    """Return the type of a value in words, such as ``a dict``."""
    return f"a {type(value).__name__}"


def _has_no_text(kind: Any) -> bool:
    return bool(kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__)


def _number(value: Decimal | Real) -> str:
    if isinstance(value, Decimal):
        is_infinite, is_long = value.is_infinite(), value.is_finite() and value.adjusted() > _MOST_DIGITS
    else:
        is_infinite, is_long = isinstance(value, float) and math.isinf(value), False
    if is_infinite:
        raise NotText("an infinite number")
    try:
        if is_long:
            raise ValueError
        # A bool is a number in Python, and its text is True or False.
        return str(value) if isinstance(value, int) or value != math.trunc(value) else str(math.trunc(value))
    except (ValueError, OverflowError):
        raise NotText("a number of too many digits") from None
