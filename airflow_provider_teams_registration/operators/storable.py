"""What XCom and the ledger can hold of rows: found out before anybody is sent, as afterwards it costs their links."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_INTEGERS = range(-(2**63), 2**63)
_CONVERT = "convert it or leave it out"
_NO_NAN = "make None of it, which in pandas is frame.astype(object).where(frame.notna(), None)"
_KEY = "a dict with a key that is no text"


class _Unstorable(Exception):
    """
    A value is of a kind that cannot be held.

    :param kind: what it is, in words.
    :param remedy: what to do about it.
    """

    def __init__(self, kind: str, remedy: str = _CONVERT) -> None:
        super().__init__(kind)
        self.kind = kind
        self.remedy = remedy


def refuse_unstorable(rows: Iterable[Any]) -> None:
    """
    Refuse rows that XCom could not hold.

    :raises ValueError: a value is of a kind that does not get through Airflow's JSON; the sentence names row, column
        and kind.
    """
    for position, row in enumerate(rows, start=1):
        for column, value in row.items() if isinstance(row, Mapping) else [(None, row)]:
            # Almost every value is such a text.
            if type(value) is str and type(column) is str and value.isascii() and "\0" not in value:
                continue
            try:
                if column is not None:
                    _refuse_key(column)
                _refuse(value)
            except _Unstorable as error:
                raise _complaint(position, column, error, "XCom") from None


def refuse_unstorable_in_ledger(rows: Iterable[Any]) -> None:
    """
    Refuse rows that a ledger's table could not hold, which takes more than XCom does.

    :raises ValueError: as :func:`refuse_unstorable`.
    """
    for position, row in enumerate(rows, start=1):
        if isinstance(row, Mapping) and all(type(value) is str for value in (*row, *row.values())):
            continue
        try:
            # As the ledger writes them.
            json.dumps(row, default=str)
        except Exception:
            column, kind = next(_not_dumped(row), (None, _KEY))
            raise _complaint(position, column, _Unstorable(kind), "the ledger") from None


def _complaint(position: int, column: Any, error: _Unstorable, where: str) -> ValueError:
    # A key that is no text may be anything, a person's address too.
    named = f" in column {column!r}" if isinstance(column, str) else ""
    return ValueError(
        f"registrants: row {position} holds {error.kind}{named}, which {where} cannot hold; {error.remedy}. "
        "Nothing was sent."
    )


def _not_dumped(row: Any) -> Iterator[tuple[Any, str]]:
    for column, value in row.items() if isinstance(row, Mapping) else [(None, row)]:
        try:
            json.dumps({column: value} if isinstance(row, Mapping) else value, default=str)
        except Exception:
            yield column, _KEY if isinstance(value, Mapping | list | tuple) else _named(value)


def _named(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _refuse(value: Any) -> None:
    if not _is_plain(value):
        _refuse_odd_keys(value)
        try:
            stored = _stored(value)
        except Exception:
            raise _Unstorable(_named(value)) from None
        try:
            _refuse_stored(stored)
        except _Unstorable as error:
            within = error.kind if isinstance(value, Mapping | list | tuple) else f"{_named(value)} with {error.kind}"
            raise _Unstorable(within, error.remedy) from None
    else:
        _refuse_stored(value)


def _is_plain(value: Any) -> bool:
    return value is None or type(value) in (str, int, float, bool)


def _refuse_key(key: Any) -> None:
    if not isinstance(key, str):
        raise _Unstorable(_KEY if not _is_plain(key) else f"a key that is no text but {_named(key)}")
    _refuse_stored(key)


def _refuse_odd_keys(value: Any) -> None:
    """Airflow makes text of them, and what comes back is no longer what was given."""
    waiting = [value]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Mapping):
            for key in one:
                _refuse_key(key)
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one


def _refuse_stored(value: Any) -> None:
    if isinstance(value, str):
        _refuse_text(value)
    elif isinstance(value, int | float):
        _refuse_number(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _refuse_key(key)
            _refuse_stored(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_stored(inner)
    elif value is not None:
        raise _Unstorable(_named(value))


def _refuse_text(text: str) -> None:
    if "\0" in text:
        raise _Unstorable("text with a NUL character", "remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Unstorable("text with half a surrogate pair", "decode it anew or leave it out") from None


def _refuse_number(number: float) -> None:
    if isinstance(number, int):
        if number not in _INTEGERS:
            raise _Unstorable("a whole number beyond 64 bits", "make text of it")
    elif math.isnan(number):
        raise _Unstorable("NaN", _NO_NAN)
    elif math.isinf(number):
        raise _Unstorable("an infinite number", "make None of it")


def _stored(value: Any) -> Any:
    """Return what Airflow makes of a value of a row, of types that JSON knows."""
    try:
        from airflow.sdk.bases.xcom import BaseXCom
    except ImportError:
        from airflow.models.xcom import BaseXCom

    # As deep as it is to lie: Airflow bounds the depth.
    stored: Any = BaseXCom.serialize_value([{"": value}])
    if isinstance(stored, str | bytes):
        try:
            # Airflow 2 returns the JSON itself, or a pickle, which holds anything.
            stored = json.loads(stored)
        except ValueError:
            return None
    return stored
