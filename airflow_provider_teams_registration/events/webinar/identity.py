"""Parse a row that refers to a person on a webinar: by e-mail address, or by the caller's own id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.webinar.keys import (
    normalized_email,
    read_given_email,
    read_registration_id,
)
from airflow_provider_teams_registration.exceptions import GraphError


class UnknownId(InvalidRow):
    """
    Nobody is registered with this id of the caller, or Graph refuses to tell.

    :param refusal: Graph's refusal to list the registrations; None if it listed them.
    """

    def __init__(self, refusal: GraphError | None) -> None:
        said = "nobody is registered with this id. Give the e-mail address instead"
        if refusal is not None:
            said = f"Graph refuses to list registrations, so it finds no id: {refusal.reason} {refusal.advice}"
        super().__init__(said)
        self.refusal = refusal


@dataclass(frozen=True)
class ExternalId:
    """
    The caller's own id of a person.

    :param id: the id.
    :param address: the same text as an e-mail address; None if it is not one.
    """

    id: str
    address: str | None


def parse_identity(row: Mapping[str, Any]) -> str | ExternalId | InvalidRow:
    """Return the e-mail address in a row or, if it has none, the caller's id, which may look like an address."""
    try:
        email = read_given_email(row)
        if email is not None:
            return email
        external_id = read_registration_id(row)
    except InvalidRow as error:
        return error
    if external_id is None:
        return InvalidRow("the row has neither id nor email")
    try:
        return ExternalId(external_id, normalized_email(external_id))
    except InvalidRow:
        return ExternalId(external_id, None)
