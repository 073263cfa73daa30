"""Values that are nested too deep for XCom, a ledger, or Python's own stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_teams_registration.events.base import InvalidRow

MAX_DEPTH = 50
_NESTED = (Mapping, list, tuple, set, frozenset)
_PLAIN = frozenset({str, int, float, bool, type(None)})


class TooDeep(InvalidRow):
    """A row holds a value that is nested too deep, or within itself."""

    reason = f"a value nested more than {MAX_DEPTH} levels deep, or within itself"


def is_too_deep(value: Any) -> bool:
    """Return whether a value is nested more than :data:`MAX_DEPTH` levels deep, or within itself."""
    level = [value] if isinstance(value, _NESTED) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        # Compare by identity, because a value may hold the same list several times.
        level = list({id(inner): inner for one in level for inner in _inner(one)}.values())
    return bool(level)


def without_deep_values(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], TooDeep | None]:
    """
    Return a row that can be compared, stored and returned.

    :param row: column and value.
    :return: the row itself and None; or, if a value is nested too deep, a copy with None in its place, and why.
    """
    # Most values are plain, and isinstance() of an abstract class is slow.
    deep = [column for column, value in row.items() if type(value) not in _PLAIN and is_too_deep(value)]
    if not deep:
        return row, None
    named = f"the column {deep[0]!r}" if isinstance(deep[0], str) else "a column"
    why = TooDeep(f"{named} holds {TooDeep.reason}. The result has None instead")
    return {column: None if column in deep else value for column, value in row.items()}, why


def _inner(value: Any) -> Iterator[Any]:
    for inner in value.values() if isinstance(value, Mapping) else value:
        if isinstance(inner, _NESTED):
            yield inner
