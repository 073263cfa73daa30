"""Checks of the sign-in: the identity and its permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_teams_registration.doctor.examination import Examination
from airflow_provider_teams_registration.doctor.finding import Finding, cannot_be_told, fine, interrupted, missing
from airflow_provider_teams_registration.doctor.permissions import ENROLL, READ_WEBINAR, REGISTER
from airflow_provider_teams_registration.exceptions import SignInError, TeamsRegistrationError

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession

_CHECK_CONNECTION = "Correct the connection: docs/sign-in.md lists its fields."


def check_cloud(session: GraphSession) -> Finding:
    """
    Check that the connection's cloud has the API.

    :param session: the session.
    """
    from airflow_provider_teams_registration.graph.clouds import cloud_problem

    problem = cloud_problem(session.settings)
    if problem is not None:
        return missing("connection", problem, _CHECK_CONNECTION)
    return fine("connection", f"It can be read; it signs in by {session.settings.auth}.")


def check_sign_in(session: GraphSession) -> tuple[Finding, Examination | None]:
    """
    Sign in anew: an older token does not show what was granted since.

    :param session: the session.
    :return: the finding, and the examination that the other checks take part in; None where there is no token.
    """
    try:
        token = session.token(fresh=True)
    except TeamsRegistrationError as error:
        if error.transient:
            return interrupted("sign-in", str(error)), None
        said, advice = str(error), _CHECK_CONNECTION
        if isinstance(error, SignInError):
            said, _, advice = said.partition(". ")
            said += "."
        return missing("sign-in", said, advice), None
    return fine("sign-in", f"Entra at {session.settings.authority} gave a token."), Examination(session, token)


def check_identity(examination: Examination) -> Finding:
    """
    Say who signed in.

    :param examination: the examination.
    """
    token = examination.token
    if not token.is_readable:
        return cannot_be_told("identity", "Signed in. As whom cannot be told, because the token cannot be read.")
    who = "a user (delegated token)" if examination.is_delegated else "the application (application token)"
    app, tenant = token.client_id or "not named", token.tenant_id or "not named"
    return fine("identity", f"Signed in as {who}. Client id: {app}. Tenant: {tenant}.")


def check_permissions(examination: Examination, *, is_event_named: bool) -> list[Finding]:
    """
    List the token's permissions, and say what no event could be enrolled for without.

    :param examination: the examination.
    :param is_event_named: whether an event is checked as well, which tells which permissions it takes.
    """
    if not examination.token.is_readable:
        sentence = "Which permissions the token has cannot be told, because it cannot be read."
        return [cannot_be_told("permissions", sentence)]
    kind = "Scopes" if examination.is_delegated else "Roles"
    listed = fine("permissions", f"{kind}: {', '.join(sorted(examination.granted)) or 'none'}.")
    if is_event_named:
        return [listed]
    if examination.lacks(ENROLL) and examination.lacks(REGISTER):
        return [listed, _nobody(examination)]
    if examination.is_granted(REGISTER) and examination.lacks(READ_WEBINAR):
        permission = READ_WEBINAR.enough(is_delegated=examination.is_delegated)[0]
        sentence = f"{permission} is missing: without it, a webinar and its questions cannot be read."
        return [
            listed,
            missing("reading webinars", sentence, examination.remedies.grant(permission), is_required=False),
        ]
    return [listed]


def _nobody(examination: Examination) -> Finding:
    meetings, webinars = (one.enough(is_delegated=examination.is_delegated)[0] for one in (ENROLL, REGISTER))
    kind = "delegated" if examination.is_delegated else "application"
    of_user = ", which it registers the signed-in user for and nobody else" if examination.is_delegated else ""
    ending = (
        "" if examination.is_delegated else " Consent for one event does not show in a token; with it, ignore this."
    )
    sentence = (
        f"No permission that could enroll anybody is there: grant the {kind} permission {meetings} for online meetings "
        f"or {webinars} for webinars{of_user}.{ending}"
    )
    return missing("enrolling", sentence, examination.remedies.grant(webinars))
