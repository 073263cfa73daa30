"""What Entra says where it gives no token, and what to do about it."""

from __future__ import annotations

import re

from airflow_provider_teams_registration.core.service_text import LONGEST_CODE, blank_personal
from airflow_provider_teams_registration.exceptions import SignInError
from airflow_provider_teams_registration.graph.entra import EntraAnswer

_FEDERATION = (
    "No federated credential of the app registration matches the token: compare its issuer, subject and audience "
    "exactly, with upper and lower case. Repositories that GitHub made after July 2026 have numeric ids in the subject."
)
_CERTIFICATE = "Upload the public part of the connection's certificate to the app registration."

_ADVICE = {
    "AADSTS7000215": "The client secret is wrong: the connection's password must be the secret's value, not its id.",
    "AADSTS7000222": "The client secret has expired: make a new one in the app registration.",
    "AADSTS700016": "The tenant knows no such application: check the login (client id) and tenant_id.",
    "AADSTS7000112": "The application is disabled: enable it in Entra's enterprise applications.",
    "AADSTS90002": "There is no such tenant: check tenant_id.",
    "AADSTS900023": "There is no such tenant: check tenant_id.",
    "AADSTS700082": "The refresh token has expired: sign in again with 'teams-registration refresh-token'.",
    "AADSTS70000": "The refresh token is no longer good: sign in again with 'teams-registration refresh-token'.",
    "AADSTS50173": "The refresh token was revoked: sign in again with 'teams-registration refresh-token'.",
    "AADSTS65001": "Nobody has consented to the permissions: grant them in the app registration.",
    "AADSTS500011": "The tenant does not know the service that the connection's scopes name.",
    "AADSTS7000218": "The app registration wants a client secret: put it into the connection's password.",
    "AADSTS700027": f"The app registration does not know this certificate. {_CERTIFICATE}",
    "AADSTS7000214": "The certificate was revoked: make a new one and upload its public part to the app registration.",
    "AADSTS1000502": "The certificate is outside its validity: make a new one and upload its public part to the app "
    "registration.",
    "AADSTS700024": "The assertion is outside its time: check the clock of this machine, and that the federated token "
    "is renewed.",
    "AADSTS50027": "The assertion is malformed or wrongly signed.",
    "AADSTS7000274": "The assertion is malformed or wrongly signed.",
    "AADSTS70021": _FEDERATION,
    "AADSTS700211": _FEDERATION,
    "AADSTS700212": _FEDERATION,
    "AADSTS700213": _FEDERATION,
    "AADSTS7002131": _FEDERATION,
}
_ADVICE_BY_ERROR = {
    "invalid_client": "Entra does not accept what the application proves itself with: the client secret (the "
    "connection's password), the certificate or the federated token.",
    "invalid_grant": "The refresh token is not accepted: sign in again with 'teams-registration refresh-token'.",
    "invalid_scope": "Check the connection's scopes; leave them empty for the default.",
}


def refusal(answer: EntraAnswer) -> SignInError:
    """
    Return the error for an answer of msal that holds no token.

    :param answer: the answer.
    """
    error = blank_personal(answer.text("error", LONGEST_CODE))
    # The description also names tenant, app and trace ids; its leading code is all that is needed.
    leading = re.match(r"AADSTS\d{1,10}\b", answer.text("error_description"))
    code = leading.group() if leading else error or "unknown"
    is_transient = error in ("temporarily_unavailable", "server_error")
    return refused(code, _ADVICE_BY_ERROR.get(error), transient=is_transient)


def refused(code: str, advice: str | None = None, *, transient: bool = False) -> SignInError:
    """
    Return the error for a code of Entra.

    :param code: the code, such as ``AADSTS7000215``.
    :param advice: what to do where the code is not a known one.
    :param transient: whether Entra itself is failing, so that a retry may help.
    """
    known = _ADVICE.get(code) or advice or "Look the code up at https://login.microsoftonline.com/error."
    return SignInError(code, known, transient=transient)
