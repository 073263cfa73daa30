"""
The managed identity of an Azure machine, by msal.

Service page: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msal
import requests

from airflow_provider_teams_registration.exceptions import ServiceUnreachable, SignInError
from airflow_provider_teams_registration.graph.entra import Answer, EntraAnswer, ask_identity, problem_of
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.graph.transport import HttpSession

# The endpoint is on the machine itself, or one hop away.
_LONGEST_WAIT = 10.0
_BUSY = (404, 410, 429)
_NONE_HERE = (
    "This machine has no managed identity that can be reached. Managed identities exist on Azure machines, "
    "App Service, Container Apps and Azure Arc; elsewhere, sign in another way"
)
_NO_SUCH_IDENTITY = (
    "Assign a managed identity to this machine. If it has several, or a user-assigned one, put that one's client id "
    "into the connection's login"
)


def token_of_managed_identity(settings: GraphSettings, stop: threading.Event) -> EntraAnswer:
    """
    Ask the machine for a token of its identity: the one whose client id the settings name, or the system-assigned one.

    :param settings: the connection's settings.
    :param stop: once it is set, nothing is sent any more.
    :raises SignInError: the machine has no such identity, or its endpoint is failing.
    :raises ServiceUnreachable: there is no managed identity, or it cannot be reached. It is known within 10 seconds.
    """
    identity = (
        msal.UserAssignedManagedIdentity(client_id=settings.client_id)
        if settings.client_id
        else msal.SystemAssignedManagedIdentity()
    )
    # Neither a proxy nor what the environment says of proxies: the machine's own secret would go there.
    local = replace(settings, proxies=None, timeout=min(settings.timeout, _LONGEST_WAIT))
    http = HttpSession(local, stop)
    http.trust_env = False
    try:
        return ask_identity(lambda: _asked(identity, http, settings), _NONE_HERE)
    finally:
        http.close()


def _asked(identity: Any, http: HttpSession, settings: GraphSettings) -> EntraAnswer:
    client = msal.ManagedIdentityClient(identity, http_client=_IdentityHttp(http))
    answer: Mapping[str, Any] = client.acquire_token_for_client(resource=settings.token_resource)
    if not answer.get("access_token"):
        raise SignInError("managed identity", f"{_NO_SUCH_IDENTITY}.")
    return EntraAnswer(answer)


class _IdentityHttp:
    """
    The HTTP client of msal, which would take anything for an answer of the machine's endpoint.

    :param http: the session.
    """

    def __init__(self, http: HttpSession) -> None:
        self._http = http

    def get(self, url: str, **kwargs: Any) -> Answer:
        """
        Ask the endpoint.

        :raises SignInError: the endpoint is failing.
        :raises ServiceUnreachable: the answer is not one that the endpoint gives.
        """
        response: requests.Response = self._http.get(url, **kwargs)
        status = response.status_code
        if status >= 500 or status in _BUSY:
            raise SignInError(
                f"managed identity endpoint answered {status}",
                "The identity endpoint of this machine is busy or not ready; try again later.",
                transient=True,
            )
        answer = Answer(status, response.headers, response.content.decode(errors="replace"))
        if status == requests.codes.unauthorized and "www-authenticate" in response.headers:
            # Azure Arc names the file that proves where we run.
            return answer
        if 300 <= status < 400 or problem_of(answer):
            raise ServiceUnreachable(f"{_NONE_HERE}.")
        return answer

    def close(self) -> None:
        """Leave the session open: its owner closes it."""
