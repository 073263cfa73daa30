"""Whom the rows mean that name people of a webinar without describing them: by address, or by our own id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_teams_registration.enrollment.event import InvalidRow
from airflow_provider_teams_registration.enrollment.webinar_row import (
    normalized_email,
    read_given_email,
    read_registration_id,
)
from airflow_provider_teams_registration.graph.errors import GraphError


class UnknownId(InvalidRow):
    """
    Nobody is registered with an id of ours, or it cannot be known.

    :param refusal: why ids cannot be looked up; None where they can.
    """

    def __init__(self, refusal: GraphError | None) -> None:
        said = "nobody registered with this id; name the e-mail address instead"
        if refusal is not None:
            said = f"ids can be looked up only in the list of registrations: {refusal.reason} {refusal.advice}"
        super().__init__(said)
        self.refusal = refusal


@dataclass(frozen=True)
class OurId:
    """
    The id that somebody was registered with.

    :param id: the id.
    :param address: the same, where it may be an address instead.
    """

    id: str
    address: str | None


def read_named(row: Mapping[str, Any]) -> str | OurId | InvalidRow:
    """Whom a row to cancel means: an address, or else our id, which may look like one."""
    try:
        email = read_given_email(row)
        if email is not None:
            return email
        our_id = read_registration_id(row)
    except InvalidRow as error:
        return error
    if our_id is None:
        return InvalidRow("neither id nor email given")
    try:
        return OurId(our_id, normalized_email(our_id))
    except InvalidRow:
        return OurId(our_id, None)
