"""Sort rows into registrants to enroll, invalid rows and repeated rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from airflow_provider_teams_registration.core.outcome import RESULT_COLUMNS, Enrollment, Outcome
from airflow_provider_teams_registration.events.base import InvalidRow, Registrant
from airflow_provider_teams_registration.events.nesting import without_deep_values

_CONTRADICTING = "the same registrant in rows that differ"
_SLICE = 250
"""How many rows are read at a stretch. It takes some 10 ms, in which a run collects no answers."""


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


@dataclass
class _Chunk:
    """
    Rows of a chunk, as far as they were read.

    :ivar seen: the registrants of rows that differ, by key. The list is empty if the key came up in an earlier chunk.
    :ivar digests: the hash of each row, by position.
    :ivar invalid: the rows that describe no registrant.
    :ivar repeated: the number of rows that repeat an earlier row.
    """

    seen: dict[str, list[Registrant]] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)
    invalid: list[Enrollment] = field(default_factory=list)
    repeated: int = 0


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

    def portions(self, rows: Iterable[Any], at_once: int) -> Iterator[Registrants | None]:
        """
        Sort the rows in chunks.

        :param rows: dicts of column and value, or plain ids.
        :param at_once: how many rows make a chunk.
        :return: each chunk, and before it None after each slice of it, so that the caller can do other work meanwhile.
        """
        iterator = iter(rows)
        while slice_ := list(islice(iterator, min(_SLICE, at_once))):
            chunk = _Chunk()
            left = at_once
            while slice_:
                self._add(slice_, chunk)
                left -= len(slice_)
                yield None
                slice_ = list(islice(iterator, min(_SLICE, left)))
            yield self._sort(chunk)

    def read(self, rows: Iterable[Any]) -> Registrants:
        """Sort the next rows as one chunk: dicts of column and value, or plain ids."""
        chunk = _Chunk()
        self._add(rows, chunk)
        return self._sort(chunk)

    def _add(self, rows: Iterable[Any], chunk: _Chunk) -> None:
        for given in rows:
            self._position += 1
            row, too_deep = without_deep_values(given if isinstance(given, Mapping) else {"id": given})
            try:
                if too_deep is not None:
                    raise too_deep
                found = self._read(given, row)
                chunk.digests[found.position] = _digest(row)
                is_repeated = self._is_repeated(found, chunk.digests[found.position])
            except InvalidRow as error:
                chunk.invalid.append(_invalid(self._position, row, str(error), getattr(error, "reason", None)))
                continue
            same_key = chunk.seen.setdefault(found.key, [])
            if is_repeated or any(_is_same(other.row, row) for other in same_key):
                chunk.repeated += 1
            else:
                same_key.append(found)

    def _sort(self, chunk: _Chunk) -> Registrants:
        valid = [same_key[0] for same_key in chunk.seen.values() if len(same_key) == 1]
        for same_key in chunk.seen.values():
            chunk.invalid.extend(_contradicting(same_key))
            # Rows that differ from each other have no digest, so that no later row equals them.
            digest = chunk.digests[same_key[0].position] if len(same_key) == 1 else b""
            for first in same_key[:1]:
                self._earlier[_digest(first.key)] = (digest, first.position)
        return Registrants(valid, chunk.invalid, chunk.repeated)

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
