"""The links that a webinar shows now, to compare them with those about to be mailed."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_teams_registration.events.base import Event, Registrant
from airflow_provider_teams_registration.mail.recipient import Recipient

_AT_ONCE = 100


def shown_links(event: Event, recipients: Sequence[Recipient]) -> dict[str, str | None]:
    """
    Read the link of each person from the event.

    :param event: an event whose links are readable.
    :param recipients: the people.
    :return: the links by key; None for a person whom the event does not show, or not with a link.
    :raises TeamsRegistrationError: the event cannot be read.
    """
    links: dict[str, str | None] = {}
    for start in range(0, len(recipients), _AT_ONCE):
        some = recipients[start : start + _AT_ONCE]
        found = event.find([Registrant(one.position, one.row, one.key, None) for one in some]).registrations
        for one in some:
            shown = [registration.join_web_url for registration in found.get(one.key, ())]
            links[one.key] = next((link for link in shown if link), None)
    return links
