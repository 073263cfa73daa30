"""Store the rows of a query in a temporary file."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import IO, Any, overload

Row = dict[str, Any]

_CANNOT_BE_KEPT = (AttributeError, TypeError, pickle.PicklingError)


class RowSpool(Sequence[Row]):
    """
    Rows in a temporary file. No query stays open while the operator enrolls people, which may take long.

    :param file: the file, open for writing and reading.
    :param chunks: the rows, in parts.
    :raises ValueError: a value has a type that cannot be stored. The sentence names the column and the type.
    """

    def __init__(self, file: IO[bytes], chunks: Iterable[Sequence[Row]]) -> None:
        self._file = file
        self._starts: list[int] = []
        self._length = 0
        for chunk in chunks:
            self._starts.append(self._file.tell())
            _dump(chunk, self._file)
            self._length += len(chunk)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Row]:
        for start in self._starts:
            self._file.seek(start)
            yield from pickle.load(self._file)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return list(islice(self, *place.indices(self._length)))
        return next(islice(self, place, None))


def _dump(chunk: Sequence[Row], file: IO[bytes]) -> None:
    try:
        pickle.dump(list(chunk), file)
    except _CANNOT_BE_KEPT:
        odd = {name: type(value).__name__ for row in chunk for name, value in row.items() if _is_odd(value)}
        named = ", ".join(f"{name!r} holds a {kind}" for name, kind in odd.items())
        raise ValueError(f"Columns that cannot be kept: {named}; convert them or leave them out.") from None


def _is_odd(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except _CANNOT_BE_KEPT:
        return True
    return False
