"""Sort rows into registrants to enroll, invalid rows and repeated rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_teams_registration.core.outcome import RESULT_COLUMNS, Enrollment, Outcome
from airflow_provider_teams_registration.events.base import InvalidRow, Registrant
from airflow_provider_teams_registration.events.nesting import without_deep_values

_CONTRADICTING = "the same registrant in rows that differ"


@dataclass(frozen=True)
class Registrants:
    """
    Some rows of the input, sorted.

    :param valid: the people to enroll, each key once, in input order.
    :param invalid: the rows that describe no registrant, with the reasons.
    :param repeated: the number of rows that repeat an earlier row.
    """

    valid: Sequence[Registrant]
    invalid: Sequence[Enrollment]
    repeated: int


class _Contradiction(InvalidRow):
    """A row differs from an earlier one of the same key."""

    reason = _CONTRADICTING


class RegistrantReader:
    """
    Sorts the rows of one input, in chunks.

    Equal rows with the same key count once. If rows of one chunk have the same key and differ, all of them are invalid,
    because the reader cannot know which one is right. If a row differs from a row of an earlier chunk, only the later
    row is invalid, because the earlier one was sent.

    :param read_row: the function that reads a position and a row as a registrant of the event, or raises
        :class:`InvalidRow`.
    """

    def __init__(self, read_row: Callable[[int, Mapping[str, Any]], Registrant]) -> None:
        self._read_row = read_row
        # Hashes, because the input may be long.
        self._earlier: dict[bytes, tuple[bytes, int]] = {}
        self._position = 0

    def read(self, rows: Iterable[Any]) -> Registrants:
        """Sort the next rows: dicts of column and value, or plain ids."""
        seen: dict[str, list[Registrant]] = {}
        digests: dict[int, bytes] = {}
        invalid: list[Enrollment] = []
        repeated = 0
        for given in rows:
            self._position += 1
            row, too_deep = without_deep_values(given if isinstance(given, Mapping) else {"id": given})
            try:
                if too_deep is not None:
                    raise too_deep
                found = self._read(given, row)
                digests[found.position] = _digest(row)
                is_repeated = self._is_repeated(found, digests[found.position])
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
            # Rows that differ from each other have no digest, so that no later row equals them.
            digest = digests[same_key[0].position] if len(same_key) == 1 else b""
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

    def _is_repeated(self, found: Registrant, digest: bytes) -> bool:
        earlier = self._earlier.get(_digest(found.key)) if self._earlier else None
        if earlier is None:
            return False
        row, position = earlier
        if row != digest:
            raise _Contradiction(
                f"rows {position} and {found.position} name the same registrant but differ; the first one counts"
            )
        return True


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    # NaN, which data frames use for NULL, equals nothing, and comparing arrays does not return a bool.
    return _digest(one) == _digest(other) or _are_equal(one, other)


def _are_equal(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    try:
        return bool(one == other)
    except Exception:
        return False


def _digest(value: Any) -> bytes:
    """
    Return a hash of a key or a row.

    :raises InvalidRow: a value of the row has no text, for example a number with too many digits.
    """
    try:
        text = value if isinstance(value, str) else repr(sorted(value.items(), key=lambda item: str(item[0])))
    except Exception:
        raise InvalidRow("the row holds a value that cannot be compared, such as a number of too many digits") from None
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _contradicting(same_key: Sequence[Registrant]) -> list[Enrollment]:
    if len(same_key) < 2:
        return []
    error = f"rows {', '.join(str(found.position) for found in same_key)} name the same registrant but differ"
    return [_invalid(found.position, found.row, error, _CONTRADICTING) for found in same_key]


def _invalid(position: int, row: Mapping[str, Any], error: str, reason: str | None = None) -> Enrollment:
    return Enrollment(position, row, Outcome.INVALID, error=error, reason=reason or error)
