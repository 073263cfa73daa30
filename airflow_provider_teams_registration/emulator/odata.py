"""
What OData lets a caller write in a path and in ``$filter``, as far as the emulator understands it.

Service page: https://learn.microsoft.com/graph/query-parameters
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_TEXT = r"'((?:[^']|'')*)'"
_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_ARGUMENT = re.compile(rf"\s*(\w+)\s*=\s*{_TEXT}\s*(?:,|$)")
_EQUALITY = re.compile(rf"\s*([\w/]+)\s+eq\s+{_TEXT}\s*")


class Equality(NamedTuple):
    """``name eq 'value'``; the name in lower case, for services do not agree on its spelling."""

    name: str
    value: str


def read_call(segment: str) -> tuple[str, Mapping[str, str]]:
    """
    Read a segment such as ``registrations(email='a@b.c')``.

    :param segment: one segment of a path, decoded.
    :return: its name and its arguments; the whole segment and no arguments where it is of another form.
    """
    call = _CALL.fullmatch(segment)
    if call is None:
        return segment, {}
    name, inside = call.groups()
    arguments: dict[str, str] = {}
    position = 0
    while position < len(inside):
        argument = _ARGUMENT.match(inside, position)
        if argument is None:
            return segment, {}
        arguments[argument[1]] = _unquoted(argument[2])
        position = argument.end()
    return name, arguments


def read_equality(expression: str) -> Equality | None:
    """
    Read a filter such as ``email eq 'a@b.c'``.

    :param expression: the value of ``$filter``.
    :return: None where it is of another form.
    """
    found = _EQUALITY.fullmatch(expression)
    return None if found is None else Equality(found[1].lower(), _unquoted(found[2]))


def _unquoted(text: str) -> str:
    return text.replace("''", "'")
