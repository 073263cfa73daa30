"""
The parts of OData's syntax for paths and ``$filter`` that the emulator understands.

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
    """The filter ``name eq 'value'``. The name is in lower case, because services spell it differently."""

    name: str
    value: str


def read_call(segment: str) -> tuple[str, Mapping[str, str]]:
    """
    Read a segment such as ``registrations(email='a@b.c')``.

    :param segment: one segment of a path, decoded.
    :return: its name, and its arguments by their names in lower case. A segment of another form is returned whole,
        without arguments.
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
        arguments[argument[1].lower()] = _unquoted(argument[2])
        position = argument.end()
    return name, arguments


def read_equality(expression: str) -> Equality | None:
    """
    Read a filter such as ``email eq 'a@b.c'``.

    :param expression: the value of ``$filter``.
    :return: the comparison; None if the filter has another form.
    """
    found = _EQUALITY.fullmatch(expression)
    return None if found is None else Equality(found[1].lower(), _unquoted(found[2]))


def _unquoted(text: str) -> str:
    return text.replace("''", "'")
