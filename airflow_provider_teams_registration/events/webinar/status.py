"""Convert a webinar registration's status to an outcome."""

from __future__ import annotations

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.registration import RemoteRegistration
from airflow_provider_teams_registration.exceptions import Forbidden, TeamsRegistrationError
from airflow_provider_teams_registration.graph.webinar_registration_bodies import WebinarRegistration

_OUTCOMES = {
    "registered": Outcome.ENROLLED,
    "waitlisted": Outcome.WAITLISTED,
    "pendingApproval": Outcome.PENDING_APPROVAL,
    "rejectedByOrganizer": Outcome.DECLINED,
    "canceled": Outcome.CANCELLED,
}


def outcome_of(status: str) -> Outcome:
    """Return the outcome of a status; ``unknown`` for a status that this version does not know."""
    return _OUTCOMES.get(status, Outcome.UNKNOWN)


def remote_registration(
    registration: WebinarRegistration, link: str | TeamsRegistrationError | None
) -> RemoteRegistration:
    """
    Return a registration in the form that all kinds of events share.

    :param registration: the registration.
    :param link: the person's link, the error that reading it raised, or None if there is none or nobody read it.
    """
    outcome = outcome_of(registration.status)
    if isinstance(link, Forbidden):
        said = (
            "registered, but Graph does not let this connection read the link. An application needs "
            "VirtualEvent.Read.Chat (resource-specific consent), or VirtualEvent.Read.All if Graph accepts it"
        )
        if link.refused_together:
            # A gateway may have refused the call. Then no permission helps.
            said = f"registered, but Graph does not let this connection read the link: {link.reason}"
        return RemoteRegistration(outcome, registration_id=registration.id, error=said, link_forbidden=True)
    if outcome is Outcome.UNKNOWN:
        said = "Graph shows a registration status that this version does not know"
        return RemoteRegistration(outcome, registration_id=registration.id, error=said)
    is_refused = isinstance(link, TeamsRegistrationError)
    return RemoteRegistration(
        outcome,
        link if isinstance(link, str) else None,
        registration.id,
        link_pending=outcome is Outcome.ENROLLED and not isinstance(link, str),
        error=f"registered, but the link cannot be read: {getattr(link, 'reason', link)}" if is_refused else None,
    )
