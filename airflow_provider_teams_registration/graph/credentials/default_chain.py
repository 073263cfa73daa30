"""
Whatever way to sign in a machine offers, by azure-identity: environment, workload identity, managed identity, tools.

Service page: https://learn.microsoft.com/python/api/azure-identity/azure.identity.defaultazurecredential
"""

from __future__ import annotations

import re
import time
from typing import Any

import requests

from airflow_provider_teams_registration.exceptions import SettingsError, SignInError, Stopped, TeamsRegistrationError
from airflow_provider_teams_registration.graph.credentials.refusal import refused
from airflow_provider_teams_registration.graph.entra import Answer, EntraAnswer, ask_entra, problem_of
from airflow_provider_teams_registration.graph.settings import GLOBAL_AUTHORITY, GraphSettings
from airflow_provider_teams_registration.graph.transport import HttpSession


def token_of_default_chain(settings: GraphSettings, http: HttpSession) -> EntraAnswer:
    """
    Ask azure-identity's chain of credentials for a token.

    :param settings: the connection's settings; a client id chooses among the machine's identities.
    :param http: the session to reach Entra with.
    :raises SettingsError: azure-identity is not installed.
    :raises SignInError: no credential of the chain gave a token.
    :raises ServiceUnreachable: Entra could not be reached.
    """
    return EntraAnswer(ask_entra(settings, lambda: _asked(settings, http)).fields())


def _asked(settings: GraphSettings, http: HttpSession) -> dict[str, Any]:
    try:
        from azure.core.exceptions import AzureError
        from azure.core.pipeline.transport import RequestsTransport
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise SettingsError(
            "auth is default, which needs: pip install 'airflow-provider-teams-registration[azure]'"
        ) from None
    checked = _CheckedHttp(http)
    options: dict[str, Any] = {
        "transport": RequestsTransport(session=checked, session_owner=False),
        "disable_instance_discovery": settings.disable_instance_discovery,
        # Its own ten retries take minutes; a task has retries of its own.
        "retry_total": 2,
        # These read, and write, what other programs keep on the disk.
        "exclude_shared_token_cache_credential": True,
        "exclude_visual_studio_code_credential": True,
    }
    if settings.authority != GLOBAL_AUTHORITY:
        # Otherwise AZURE_AUTHORITY_HOST holds.
        options["authority"] = settings.authority
    if settings.client_id:
        options["managed_identity_client_id"] = settings.client_id
        options["workload_identity_client_id"] = settings.client_id
    failure: TeamsRegistrationError
    try:
        with DefaultAzureCredential(**options) as credential:
            token = credential.get_token(*settings.token_scopes)
        return {"access_token": token.token, "expires_in": max(0, int(token.expires_on - time.time()))}
    except AzureError as error:
        failure = Stopped() if http.stop.is_set() else _failure(error, is_failing=checked.is_failing)
    except requests.RequestException:
        raise
    except (OSError, ValueError) as error:
        # Its text may hold a path, or what stands in a file.
        failure = SettingsError(
            "The default chain cannot use what the environment variables of azure-identity hold "
            f"({type(error).__name__}). Correct those that begin with AZURE_, such as AZURE_TENANT_ID, "
            "AZURE_CLIENT_CERTIFICATE_PATH and AZURE_TOKEN_CREDENTIALS."
        )
    raise failure


class _CheckedHttp:
    """
    The HTTP client of azure-identity, which logs the answers that it cannot read: those may hold half a token.

    :param http: the session.
    :ivar is_failing: whether Entra could not be reached, or an endpoint that was there gave no readable answer.
    """

    def __init__(self, http: HttpSession) -> None:
        self._http = http
        self.is_failing = False

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """
        Make a request.

        :raises requests.ConnectionError: the answer cannot be read.
        """
        try:
            response = self._http.request(method, url, **{**kwargs, "stream": False})
        except requests.RequestException:
            # Entra is asked by POST. The endpoint of a machine may well not be there.
            self.is_failing |= method == "POST"
            raise
        status = response.status_code
        is_unreadable = status == requests.codes.ok and problem_of(
            Answer(status, response.headers, response.content.decode(errors="replace"))
        )
        if status >= 500 or status == requests.codes.too_many_requests or is_unreadable:
            self.is_failing = True
        if is_unreadable:
            raise requests.ConnectionError("The answer is something else than a token.")
        return response

    def close(self) -> None:
        """Leave the session open: it is everybody's."""


def _failure(error: Exception, *, is_failing: bool) -> SignInError:
    text = str(error)
    # The rest of the text names tenant, app and trace ids.
    code = re.search(r"AADSTS\d{1,10}\b", text)
    if code:
        return refused(code.group())
    if is_failing:
        return SignInError("default chain", "Entra, or an endpoint of this machine, is failing.", transient=True)
    tried = ", ".join(dict.fromkeys(re.findall(r"\b\w+Credential(?=:)", text)))
    return SignInError(
        "default chain",
        "No credential of the default chain gave a token"
        + (f"; tried: {tried}" if tried else "")
        + ". Set the environment variables of one of them, or name a way to sign in in the connection's auth.",
    )
