"""The caller's own id of a person, read from a row."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from numbers import Integral
from typing import Any
from uuid import UUID

from airflow_provider_teams_registration.core.record import LONGEST
from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.cells import in_words
from airflow_provider_teams_registration.events.columns import Column, Columns, possible_text

ID = Column("id")


def read_id(row: Mapping[str, Any] | Columns) -> str:
    """
    Return a row's id.

    :param row: column and value.
    :raises InvalidRow: the row has no id, or its value cannot be one.
    """
    columns = row if isinstance(row, Columns) else Columns(row)
    cells = columns.cells(ID)
    if not cells:
        raise InvalidRow(columns.missing([ID.name]))
    found = columns.read(ID, read_id_value)
    # An empty value is no id. If it is not a text, the sentence names its type.
    return read_id_value(cells[0][1]) if found is None else found


def read_id_value(value: Any) -> str:
    """
    Return an id as text. Its case, white space and normal form stay as the caller wrote them.

    :raises InvalidRow: the value cannot be an id.
    """
    if value is None:
        raise InvalidRow("id is empty")
    if _is_whole_number(value):
        try:
            value = str(int(value))
        except ValueError:
            raise InvalidRow("id is a number of too many digits") from None
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str):
        raise InvalidRow(f"id is {in_words(value)}; it must be a string or a whole number")
    _refuse_impossible(value)
    return value


def _refuse_impossible(value: str) -> None:
    if not value.strip():
        raise InvalidRow("id is empty")
    possible_text("id", value)
    if len(value) > LONGEST["registrant"]:
        raise InvalidRow(f"id is longer than {LONGEST['registrant']:,} characters")
    if value in (".", ".."):
        raise InvalidRow("id is a dot or two, which cannot be part of an address, so nobody could cancel the person")


def _is_whole_number(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, Integral) and not isinstance(value, bool)


def folded_id(text: str) -> str:
    """
    Return an id without its case, Unicode normal form and white space, so that all its spellings are equal.

    :param text: the id, as it was sent or as Graph lists it.
    """
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
