"""Rows of a warehouse, sorted into registrants, invalid ones and repeated ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_teams_registration.enrollment.event import InvalidRow, Registrant
from airflow_provider_teams_registration.enrollment.outcome import RESULT_COLUMNS, Enrollment, Outcome

_CONTRADICTING = "the same registrant in rows that differ"


@dataclass(frozen=True)
class Registrants:
    """
    Some rows of the input, sorted.

    :param valid: the people to enroll, each key once, in input order.
    :param invalid: the rows that are no registrants, with their reasons.
    :param repeated: how many rows were left out because an equal one came before.
    """

    valid: Sequence[Registrant]
    invalid: Sequence[Enrollment]
    repeated: int


class _Contradiction(InvalidRow):
    """A row differs from an earlier one of the same key."""

    reason = _CONTRADICTING


class RegistrantReader:
    """
    Sorts the rows of one input, chunk by chunk.

    A key that comes twice in equal rows counts once. A key that comes in different rows of a chunk makes all of them
    invalid: which one is meant is not ours to guess. One that differs from a row of an earlier chunk is invalid by
    itself, as the earlier one has been sent.

    :param read_row: reads a position and a row as a registrant of the event; raises :class:`InvalidRow`.
    """

    def __init__(self, read_row: Callable[[int, Mapping[str, Any]], Registrant]) -> None:
        self._read_row = read_row
        # Hashes: a list of any length must leave room for itself.
        self._earlier: dict[bytes, tuple[bytes, int]] = {}
        self._position = 0

    def read(self, rows: Iterable[Any]) -> Registrants:
        """Sort the next rows: dicts of column and value, or plain ids."""
        seen: dict[str, list[Registrant]] = {}
        invalid: list[Enrollment] = []
        repeated = 0
        for given in rows:
            self._position += 1
            row = given if isinstance(given, Mapping) else {"id": given}
            try:
                found = self._read(given, row)
                is_repeated = self._is_repeated(found)
            except InvalidRow as error:
                invalid.append(_invalid(self._position, row, str(error), getattr(error, "reason", None)))
                continue
            same_key = seen.setdefault(found.key, [])
            if is_repeated or any(_is_same(other.row, row) for other in same_key):
                repeated += 1
            else:
                same_key.append(found)
        valid = [same_key[0] for same_key in seen.values() if len(same_key) == 1]
        for same_key in seen.values():
            invalid.extend(_contradicting(same_key))
        for same_key in seen.values():
            # Nothing equals what contradicts itself.
            digest = _digest(same_key[0].row) if len(same_key) == 1 else b""
            for first in same_key[:1]:
                self._earlier[_digest(first.key)] = (digest, first.position)
        return Registrants(valid, invalid, repeated)

    def _read(self, given: Any, row: Mapping[str, Any]) -> Registrant:
        if isinstance(given, list | tuple | set):
            raise InvalidRow(
                f"the row is a {type(given).__name__}; it must be a dict of column and value, or a plain id "
                "(with SQLExecuteQueryOperator, a handler can return dicts)"
            )
        clashing = [column for column in RESULT_COLUMNS if column in row]
        if clashing:
            raise InvalidRow(f"the column {clashing[0]!r} is one that the result adds; rename it")
        return self._read_row(self._position, row)

    def _is_repeated(self, found: Registrant) -> bool:
        earlier = self._earlier.get(_digest(found.key))
        if earlier is None:
            return False
        row, position = earlier
        if row != _digest(found.row):
            raise _Contradiction(
                f"rows {position} and {found.position} name the same registrant but differ; the first one counts"
            )
        return True


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    # NaN, which stands for NULL in many a frame, equals nothing.
    return one == other or _digest(one) == _digest(other)


def _digest(value: Any) -> bytes:
    text = value if isinstance(value, str) else repr(sorted(value.items(), key=lambda item: str(item[0])))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _contradicting(same_key: Sequence[Registrant]) -> list[Enrollment]:
    if len(same_key) < 2:
        return []
    error = f"rows {', '.join(str(found.position) for found in same_key)} name the same registrant but differ"
    return [_invalid(found.position, found.row, error, _CONTRADICTING) for found in same_key]


def _invalid(position: int, row: Mapping[str, Any], error: str, reason: str | None = None) -> Enrollment:
    return Enrollment(position, row, Outcome.INVALID, error=error, reason=reason or error)
