"""
The token of a platform, such as Kubernetes or GitHub, that Entra trusts in place of a secret of our own.

Service page: https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path

from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.graph.credentials.token import claims_of
from airflow_provider_teams_registration.graph.secret import Secret

_LONGEST_TOKEN = 100_000


def read_federated_token(path: str) -> Secret:
    """
    Read the token from the file that the platform keeps up to date. It is read each time that Entra is asked.

    :param path: the file.
    :raises SettingsError: the file is missing or empty, or its token is no JWT or has expired. The frames of the error
        hold the token: :func:`.bare` it before anybody sees it.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            token = Secret(file.read(_LONGEST_TOKEN).strip())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise _error(
            f'cannot be read ({reason}). On Kubernetes, label the pod azure.workload.identity/use: "true"; '
            "elsewhere, write the token before the task runs"
        ) from None
    if not token:
        raise _error("is empty. The platform has not written a token")
    claims = claims_of(token)
    if not claims:
        raise _error("holds something else than a token (a JWT)")
    expires = claims.get("exp")
    if isinstance(expires, int | float) and not isinstance(expires, bool) and 0 < expires < time.time():
        ended = datetime.fromtimestamp(min(expires, time.time()), timezone.utc)
        raise _error(f"holds a token that expired at {ended:%Y-%m-%d %H:%M} UTC. The platform must renew it")
    return token


def _error(what: str) -> SettingsError:
    return SettingsError(f"The federated token file (federated_token_file, or AZURE_FEDERATED_TOKEN_FILE) {what}.")
