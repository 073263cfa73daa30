"""Convert the argument ``registrants``, in any of its shapes, to one list of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MappingView, Sequence, Set
from copy import copy
from typing import Any

_DEEPEST = 50
_NO_LISTS = (str, bytes, bytearray, memoryview)


class UnreadableRegistrants(ValueError):
    """``registrants`` does not hold rows. The sentence says what to give instead, and holds no personal data."""


def one_list(given: Any) -> Sequence[Any]:
    """
    Return the rows in a value as one list.

    Nested lists are flattened, and None is ignored. A tuple of several plain values in a list may hold several ids or
    the columns of one row, so it is refused.

    :param given: a row, or any iterable of rows and of such iterables; also the value to which Airflow resolves an
        XComArg.
    :return: the rows. A list without nested lists is returned itself, because Airflow compares by identity to
        recognize a value that is no template.
    :raises UnreadableRegistrants: the value holds a data frame, the columns of a row, or lists nested too deep.
    """
    _refuse_frame(given)
    if isinstance(given, (*_NO_LISTS, Mapping)) or not isinstance(given, Iterable):
        return [given]
    if isinstance(given, list | tuple) and not any(_needs_flattening(one) for one in given):
        return given
    return list(_flattened(given, 0))


def tuples_as_lists(sources: Any, values: Any) -> Any:
    """
    Return the rendered values, with a list instead of each tuple that a task returned.

    :param sources: the values that the author gave, before Airflow resolved the tasks among them.
    :param values: the values after Airflow resolved them.
    """
    both_are_lists = isinstance(sources, list | tuple) and isinstance(values, list | tuple)
    if not both_are_lists or len(sources) != len(values):
        return values
    return [
        list(value) if hasattr(source, "resolve") and isinstance(value, tuple) else value
        for source, value in zip(sources, values, strict=True)
    ]


def _needs_flattening(one: Any) -> bool:
    return one is None or _is_list(one) or hasattr(one, "columns")


def _is_list(value: Any) -> bool:
    # A pydantic model is iterable too, but it is a row.
    return isinstance(value, Sequence | Set | Iterator | MappingView) and not isinstance(value, _NO_LISTS)


def _flattened(rows: Iterable[Any], depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        raise UnreadableRegistrants(f"registrants holds lists in lists, more than {_DEEPEST} deep.")
    for one in _items(rows):
        if one is None:
            continue
        _refuse_frame(one)
        if not _is_list(one):
            yield one
            continue
        _refuse_columns(one)
        yield from _flattened(one, depth + 1)


def _refuse_frame(value: Any) -> None:
    if hasattr(value, "columns") and not isinstance(value, Mapping | tuple):
        raise UnreadableRegistrants(
            f"registrants is a {type(value).__name__}; give its rows, such as "
            "frame.astype(object).where(frame.notna(), None).to_dict('records'), which also makes None of NaN."
        )


def _refuse_columns(value: Any) -> None:
    """Refuse the row of a SQL cursor. Each of its columns would count as the id of a person."""
    is_several = isinstance(value, tuple) and len(value) > 1
    if is_several and not all(one is None or isinstance(one, Mapping) or _is_list(one) for one in value):
        raise UnreadableRegistrants(
            f"registrants holds a tuple of {len(value)} values. These may be the columns of one row or the ids of "
            "several people. Give each row as a dict of column and value, or ids as a list."
        )


def _items(rows: Iterable[Any]) -> Iterable[Any]:
    """Return the items of rows, with a list instead of each tuple that a mapped task or ``zip()`` returned."""
    if not _is_lazy(rows):
        return rows
    found = _read_lazily(rows)
    is_of_mapped_tasks = not hasattr(rows, "value") and not hasattr(rows, "values")
    if not is_of_mapped_tasks and not hasattr(rows, "fillvalue"):
        return found
    return [list(one) if isinstance(one, tuple) else one for one in found]


def _is_lazy(value: Any) -> bool:
    return isinstance(value, Sequence) and type(value).__module__.startswith("airflow.")


def _read_lazily(lazy: Any) -> Sequence[Any]:
    """
    Read the value to which Airflow resolved an XComArg.

    Iterating over it has two faults: it makes one call per mapped task, and an XCom that cannot be read looks like the
    end of the list.
    """
    if not hasattr(lazy, "value") and not hasattr(lazy, "values"):
        return list(lazy[:])
    # The results of map(), zip() and concat() hold their sources.
    read = copy(lazy)
    if hasattr(lazy, "value"):
        read.value = _read_source(lazy.value)
    else:
        read.values = [_read_source(one) for one in lazy.values]
    return [read[place] for place in range(len(read))]


def _read_source(source: Any) -> Sequence[Any]:
    if _is_lazy(source):
        return _read_lazily(source)
    # Iterating over a row would yield its keys, and over an id its letters.
    return [source] if isinstance(source, Mapping | str) else list(source)
