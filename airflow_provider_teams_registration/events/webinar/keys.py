"""The keys of a person on a webinar: the mailbox, and the caller's own id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.columns import Column, Columns, clean_text, possible_text
from airflow_provider_teams_registration.events.registrant_id import ID, read_id_value
from airflow_provider_teams_registration.graph.email_address import read_email

MAX_REGISTRATION_ID = 256
EMAIL = Column("email")
_TAKES_NO_MAIL = "email has a domain that is reserved and takes no mail, such as .local or .test"


def normalized_email(text: str) -> str:
    """
    Return an e-mail address in the normalized spelling of its mailbox, which is the key of a person.

    :raises InvalidRow: the text is not an e-mail address.
    """
    email = read_email(text)
    if email is None:
        raise InvalidRow(_TAKES_NO_MAIL if _is_reserved(text) else "email is no e-mail address")
    return email


def read_given_email(row: Mapping[str, Any] | Columns) -> str | None:
    """
    Return a row's e-mail address; None if it has none.

    :raises InvalidRow: the value is not an e-mail address.
    """
    columns = row if isinstance(row, Columns) else Columns(row)
    return columns.read(EMAIL, _email)


def read_registration_id(row: Mapping[str, Any] | Columns) -> str | None:
    """
    Return the caller's own id in a row; None if it has none.

    :raises InvalidRow: the value cannot be an id.
    """
    columns = row if isinstance(row, Columns) else Columns(row)
    text = columns.read(ID, read_id_value)
    if text is not None and len(text) > MAX_REGISTRATION_ID:
        raise InvalidRow(f"id is longer than {MAX_REGISTRATION_ID} characters, which a webinar does not take")
    return text


def _email(value: Any) -> str:
    if isinstance(value, str):
        return normalized_email(possible_text(EMAIL.name, value))
    return normalized_email(clean_text(EMAIL.name, value))


def _is_reserved(text: str) -> bool:
    from email_validator import SPECIAL_USE_DOMAIN_NAMES

    domain = text.rpartition("@")[2].strip().lower()
    return any(domain.endswith(f".{reserved}") for reserved in SPECIAL_USE_DOMAIN_NAMES)
