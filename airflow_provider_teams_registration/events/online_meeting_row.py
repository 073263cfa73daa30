"""Rows read as registrants of an online meeting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.columns import Column, Columns, clean_text, in_a_row
from airflow_provider_teams_registration.events.registrant_id import ID, read_id
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant

_OF_ORGANIZATION = (Column("tenant_id", ("tenantId",)), Column("user_id", ("userId",)))


def read_registrant(row: Mapping[str, Any], allowed_registrant: str) -> ExternalMeetingRegistrant:
    """
    Read a row as a registrant of an online meeting.

    :param row: column and value.
    :param allowed_registrant: the registration's audience, ``everyone`` or ``organization``.
    :raises InvalidRow: the row does not describe one.
    """
    columns = Columns(row)
    given = {column.name: _text_or_uuid(columns, column) for column in _OF_ORGANIZATION}
    if allowed_registrant == "organization":
        missing = [column for column, value in given.items() if value is None]
        if missing:
            is_id_missing = not columns.given(ID)
            said = columns.missing([ID.name, *missing] if is_id_missing else missing)
            raise InvalidRow(f"{said}; a registration for the organization needs {'all' if is_id_missing else 'both'}")
    else:
        superfluous = [column for column, value in given.items() if value is not None]
        if superfluous:
            raise InvalidRow(f"{in_a_row(superfluous)} given; a registration for everyone takes only the id")
    return ExternalMeetingRegistrant(id=read_id(columns), **given)


def _text_or_uuid(columns: Columns, column: Column) -> str | None:
    return columns.read(column, lambda value: str(value) if isinstance(value, UUID) else clean_text(column.name, value))
