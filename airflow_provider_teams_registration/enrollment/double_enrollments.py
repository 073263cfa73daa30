"""Read the event once more after a run without a shared ledger, which cannot see the other runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.core.double_enrollments import DoubleEnrollments, ReturnedLinks
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError

if TYPE_CHECKING:
    from airflow_provider_teams_registration.events.base import Event

log = logging.getLogger(__name__)


def find_double_enrollments(event: Event, returned: ReturnedLinks) -> DoubleEnrollments:
    """
    Return which people another run enrolled at the same time, as far as one read of the event shows it.

    The list of an online meeting shows no links, as a rule: there, an ended link is found only if the person is on the
    event twice. An event whose list Graph refuses shows nothing.

    :param event: the event, after the last send.
    :param returned: what the run returns.
    """
    if not returned.has_sent:
        return DoubleEnrollments()
    try:
        return returned.double_enrollments(event.listed(returned.keys))
    except TeamsRegistrationError as error:
        log.warning("The event could not be read once more, to find people who are on it twice: %s", error)
        return DoubleEnrollments()
