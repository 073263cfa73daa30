"""Check, before anybody is sent, that XCom or the ledger can hold the rows. A later failure would lose links."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_teams_registration.events.nesting import is_too_deep, without_deep_values
from airflow_provider_teams_registration.ledger.row_json import KEY, NO_NAN, NotJson, named, row_json

_INTEGERS = range(-(2**63), 2**63)


def check_serializable(rows: Iterable[Any]) -> None:
    """
    Refuse rows that XCom cannot hold.

    :raises ValueError: Airflow's JSON cannot hold a value. The sentence names the row, the column and the value's type.
    """
    for position, row in enumerate(rows, start=1):
        for column, value in row.items() if isinstance(row, Mapping) else [(None, row)]:
            # Most values are such texts, and this check is quick.
            if type(value) is str and type(column) is str and value.isascii() and "\0" not in value:
                continue
            # The row becomes invalid, and its result does not hold the value.
            if is_too_deep(value):
                continue
            try:
                if column is not None:
                    _refuse_key(column)
                _refuse(value)
            except NotJson as error:
                raise _refusal(position, column, error, "XCom") from None


def check_serializable_in_ledger(rows: Iterable[Any]) -> None:
    """
    Refuse rows that a ledger's table cannot hold. A table holds more types than XCom.

    :raises ValueError: the table cannot hold a value. The sentence names the row, the column and the value's type.
    """
    for position, row in enumerate(rows, start=1):
        try:
            # The ledger writes rows without values that are nested too deep.
            row_json(without_deep_values(row if isinstance(row, Mapping) else {"id": row})[0])
        except NotJson as error:
            raise _refusal(position, error.column, error, "the ledger") from None


def _refusal(position: int, column: Any, error: NotJson, where: str) -> ValueError:
    # A key that is not a text may hold personal data.
    place = f" in column {column!r}" if isinstance(column, str) else ""
    return ValueError(
        f"registrants: row {position} holds {error.kind}{place}, which {where} cannot hold; {error.remedy}. "
        "Nothing was sent."
    )


def _refuse(value: Any) -> None:
    if not _is_plain(value):
        _refuse_odd_keys(value)
        try:
            stored = _stored(value)
        except Exception:
            raise NotJson(named(value)) from None
        try:
            _refuse_stored(stored)
        except NotJson as error:
            within = error.kind if isinstance(value, Mapping | list | tuple) else f"{named(value)} with {error.kind}"
            raise NotJson(within, error.remedy) from None
    else:
        _refuse_stored(value)


def _is_plain(value: Any) -> bool:
    return value is None or type(value) in (str, int, float, bool)


def _refuse_key(key: Any) -> None:
    if not isinstance(key, str):
        raise NotJson(KEY if not _is_plain(key) else f"a key that is no text but {named(key)}")
    _refuse_stored(key)


def _refuse_odd_keys(value: Any) -> None:
    """Refuse keys that Airflow would convert to text, because the result would differ from the input."""
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
        raise NotJson(named(value))


def _refuse_text(text: str) -> None:
    if "\0" in text:
        raise NotJson("text with a NUL character", "remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotJson("text with half a surrogate pair", "decode it anew or leave it out") from None


def _refuse_number(number: float) -> None:
    if isinstance(number, int):
        if number not in _INTEGERS:
            raise NotJson("a whole number beyond 64 bits", "make text of it")
    elif math.isnan(number):
        raise NotJson("NaN", NO_NAN)
    elif math.isinf(number):
        raise NotJson("an infinite number", "make None of it")


def _stored(value: Any) -> Any:
    """Return a value as Airflow stores it, in the types of JSON."""
    try:
        from airflow.sdk.bases.xcom import BaseXCom
    except ImportError:
        from airflow.models.xcom import BaseXCom

    # Airflow limits the depth, so serialize the value at the depth that it has in the result.
    stored: Any = BaseXCom.serialize_value([{"": value}])
    if isinstance(stored, str | bytes):
        try:
            # Airflow 2 returns the JSON text, or a pickle, which can hold any value.
            stored = json.loads(stored)
        except ValueError:
            return None
    return stored
