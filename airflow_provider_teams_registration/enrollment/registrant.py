"""Rows of a warehouse, read as registrants of an online meeting, and refused with a reason where they are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral
from typing import Any
from uuid import UUID

from airflow_provider_teams_registration.enrollment.outcome import RESULT_COLUMNS, Enrollment, Outcome
from airflow_provider_teams_registration.graph.online_meeting import ExternalMeetingRegistrant

_SPELLINGS = {"id": ("id",), "tenant_id": ("tenant_id", "tenantId"), "user_id": ("user_id", "userId")}


class InvalidRow(ValueError):
    """A row is no registrant. The sentence names columns and kinds of value, never a value."""


@dataclass(frozen=True)
class Registrant:
    """
    One person to enroll.

    :param position: where the row stood in the input, counted from 1.
    :param row: the input row as it came.
    :param registrant: what Graph is to be told.
    """

    position: int
    row: Mapping[str, Any] = field(repr=False)
    registrant: ExternalMeetingRegistrant = field(repr=False)


@dataclass(frozen=True)
class Registrants:
    """
    The input, sorted.

    :param valid: the people to enroll, each id once, in input order.
    :param invalid: the rows that are no registrants, with their reasons.
    :param repeated: how many rows were left out because an equal one came before.
    """

    valid: Sequence[Registrant]
    invalid: Sequence[Enrollment]
    repeated: int


def read_registrants(rows: Iterable[Any], allowed_registrant: str) -> Registrants:
    """
    Sort rows into registrants and invalid ones.

    An id that comes twice in equal rows counts once. An id that comes in different rows makes all of them invalid:
    which one is meant is not ours to guess.

    :param rows: dicts of column and value, or plain ids.
    :param allowed_registrant: the registration's audience, ``everyone`` or ``organization``.
    """
    seen: dict[str, list[Registrant]] = {}
    invalid: list[Enrollment] = []
    repeated = 0
    for position, given in enumerate(rows, start=1):
        row = given if isinstance(given, Mapping) else {"id": given}
        try:
            _refuse_what_is_no_row(given)
            found = Registrant(position, row, _read_row(row, allowed_registrant))
        except InvalidRow as error:
            invalid.append(_invalid(position, row, str(error)))
            continue
        same_id = seen.setdefault(found.registrant.id, [])
        if any(other.row == row for other in same_id):
            repeated += 1
        else:
            same_id.append(found)
    valid = [found for (found, *others) in seen.values() if not others]
    for same_id in seen.values():
        invalid.extend(_contradicting(same_id))
    return Registrants(valid, invalid, repeated)


def _refuse_what_is_no_row(given: Any) -> None:
    if isinstance(given, list | tuple | set):
        raise InvalidRow(
            f"the row is a {type(given).__name__}; it must be a dict of column and value, or a plain id "
            "(with SQLExecuteQueryOperator, a handler can return dicts)"
        )


def _read_row(row: Mapping[str, Any], allowed_registrant: str) -> ExternalMeetingRegistrant:
    clashing = [column for column in RESULT_COLUMNS if column in row]
    if clashing:
        raise InvalidRow(f"the column {clashing[0]!r} is one that the result adds; rename it")
    registrant = ExternalMeetingRegistrant(
        id=_read_id(row), tenant_id=_optional(row, "tenant_id"), user_id=_optional(row, "user_id")
    )
    given = {"tenant_id": registrant.tenant_id, "user_id": registrant.user_id}
    if allowed_registrant == "organization":
        missing = [column for column, value in given.items() if value is None]
        if missing:
            raise InvalidRow(f"{' and '.join(missing)} missing; a registration for the organization needs both")
    else:
        superfluous = [column for column, value in given.items() if value is not None]
        if superfluous:
            raise InvalidRow(f"{' and '.join(superfluous)} given; a registration for everyone takes only the id")
    return registrant


def _read_id(row: Mapping[str, Any]) -> str:
    if row.get("id") is None:
        raise InvalidRow("id missing" if "id" not in row else "id is empty")
    value = row["id"]
    if _is_whole_number(value):
        try:
            return str(int(value))
        except ValueError:
            raise InvalidRow("id is a number of too many digits") from None
    if not isinstance(value, str):
        raise InvalidRow(f"id is a {type(value).__name__}; it must be a string or a whole number")
    if not value.strip():
        raise InvalidRow("id is empty")
    return value


def _is_whole_number(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, Integral) and not isinstance(value, bool)


def _optional(row: Mapping[str, Any], column: str) -> str | None:
    given = [row[name] for name in _SPELLINGS[column] if row.get(name) not in (None, "")]
    wrong = next((value for value in given if not isinstance(value, str | UUID)), None)
    if wrong is not None:
        raise InvalidRow(f"{column} is a {type(wrong).__name__}; it must be a string")
    values = {str(value) for value in given}
    if len(values) > 1:
        raise InvalidRow(f"{' and '.join(_SPELLINGS[column])} contradict each other")
    return values.pop() if values else None


def _contradicting(same_id: Sequence[Registrant]) -> list[Enrollment]:
    if len(same_id) < 2:
        return []
    error = f"rows {', '.join(str(found.position) for found in same_id)} have the same id but differ"
    return [_invalid(found.position, found.row, error, "the same id in rows that differ") for found in same_id]


def _invalid(position: int, row: Mapping[str, Any], error: str, reason: str | None = None) -> Enrollment:
    return Enrollment(position, row, Outcome.INVALID, error=error, reason=reason or error)
