"""One connection's access token, by whatever way it signs in."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from airflow_provider_teams_registration.exceptions import SettingsError, SignInError, Stopped, TeamsRegistrationError
from airflow_provider_teams_registration.graph.credentials.refusal import refusal
from airflow_provider_teams_registration.graph.credentials.shared_tokens import shared_token
from airflow_provider_teams_registration.graph.credentials.token import Token, read_token
from airflow_provider_teams_registration.graph.entra import EntraAnswer, ask_entra, client_application
from airflow_provider_teams_registration.graph.secret import Secret, bare
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.graph.transport import HttpSession

_FITS_HEADER = re.compile(r"[\x21-\x7e]+")


class Credential:
    """
    Gives one connection's access token. Safe to share between threads.

    All credentials of this process with the same settings share one token and fetch it once.

    Service page: https://learn.microsoft.com/entra/msal/python/

    :param settings: the connection's settings.
    :param http: the session to reach Entra with.
    :param on_new_refresh_token: called with a rotated refresh token whenever Entra has handed one out to this process.
    :raises SettingsError: there is no such way to sign in.
    """

    def __init__(
        self,
        settings: GraphSettings,
        http: HttpSession,
        on_new_refresh_token: Callable[[str], None] | None = None,
    ) -> None:
        if settings.auth not in _WAYS:
            raise SettingsError(f"auth is {settings.auth!r}; it must be one of {', '.join(_WAYS)}.")
        self._settings = settings
        self._http = http
        self._on_new_refresh_token = on_new_refresh_token
        self._ask = _WAYS[settings.auth]
        self._app: Any = None
        self._shared = shared_token(settings)
        self._told: Secret | None = None
        self._has_begun = False

    def token(self, *, instead_of: Token | None = None, fresh: bool = False) -> Token:
        """
        Return a token that is good for some minutes yet.

        :param instead_of: a token that Graph has refused; a fresh one is fetched unless another thread already did.
        :param fresh: whether to sign in anew in any case. Default False.
        :raises SettingsError: the tenant, the authority or the credential cannot work.
        :raises SignInError: Entra refused.
        :raises ServiceUnreachable: Entra could not be reached.
        """
        shared = self._shared
        seen = shared.failures
        with shared.lock:
            if shared.failure is not None and shared.failures != seen:
                # Another thread tried while this one waited: what it was told holds for all of them.
                raise _once_more(shared.failure)
            token = shared.token
            is_outdated = shared.is_forbidden and not self._has_begun
            if fresh or is_outdated or token is None or token is instead_of or token.renew_at < time.time():
                token = shared.token = self._acquire()
                shared.is_forbidden = False
            self._has_begun = True
            self._tell()
            return token

    def note_forbidden(self, token: Token) -> None:
        """
        Let sessions that begin from now on fetch another token: an administrator may grant what this one lacks.

        :param token: the token that Graph refused a permission.
        """
        if self._shared.token is token:
            self._shared.is_forbidden = True

    def _acquire(self) -> Token:
        failure: TeamsRegistrationError
        try:
            return self._acquired()
        except Stopped:
            raise
        except TeamsRegistrationError as error:
            failure = bare(error)
            self._shared.failure = failure
            self._shared.failures += 1
        raise _once_more(failure)

    def _acquired(self) -> Token:
        answer = self._ask(self)
        token = answer.secret("access_token")
        if token is None:
            raise refusal(answer)
        if not _FITS_HEADER.fullmatch(token):
            # Whatever goes wrong with a header quotes it.
            advice = "The answer holds no usable token. Check authority and the proxies."
            raise SignInError("unreadable token", advice, transient=True)
        rotated = answer.secret("refresh_token")
        if rotated is not None and rotated != self._refresh_token():
            self._shared.refresh_token = rotated
        return read_token(token, answer.seconds("expires_in"))

    def _refresh_token(self) -> str:
        return str(self._shared.refresh_token or self._settings.refresh_token or "")

    def _tell(self) -> None:
        newest = self._shared.refresh_token
        if newest is not None and newest != self._told:
            self._told = newest
            if self._on_new_refresh_token is not None:
                self._on_new_refresh_token(newest)

    def _by_client_secret(self) -> EntraAnswer:
        return self._by_application(self._secret)

    def _secret(self) -> str | None:
        return self._settings.client_secret

    def _by_certificate(self) -> EntraAnswer:
        from airflow_provider_teams_registration.graph.credentials.certificate import read_certificate

        # Read each time: the file may have been renewed.
        self._app = None
        return self._by_application(lambda: read_certificate(self._settings).for_msal())

    def _by_workload_identity(self) -> EntraAnswer:
        from airflow_provider_teams_registration.graph.credentials.federated_token import read_federated_token

        # msal asks for the token each time: the platform renews it. Plain text, as msal serializes it.
        file = self._settings.federated_token_file or ""
        return self._by_application(lambda: {"client_assertion": lambda: str(read_federated_token(file))})

    def _by_application(self, credential: Callable[[], Any]) -> EntraAnswer:
        if self._app is None:
            self._app = client_application(self._settings, self._http, credential)
        return ask_entra(self._settings, lambda: self._app.acquire_token_for_client(self._settings.token_scopes))

    def _by_refresh_token(self) -> EntraAnswer:
        if self._app is None:
            is_public = not self._settings.client_secret
            self._app = client_application(self._settings, self._http, None if is_public else self._secret)
        return ask_entra(
            self._settings,
            lambda: self._app.acquire_token_by_refresh_token(
                # Plain text: msal tells requests apart by the repr of what they send.
                self._refresh_token(),
                self._settings.token_scopes,
            ),
        )

    def _by_managed_identity(self) -> EntraAnswer:
        from airflow_provider_teams_registration.graph.credentials.managed_identity import token_of_managed_identity

        return token_of_managed_identity(self._settings, self._http.stop)

    def _by_default_chain(self) -> EntraAnswer:
        from airflow_provider_teams_registration.graph.credentials.default_chain import token_of_default_chain

        return token_of_default_chain(self._settings, self._http)


# docs/architecture.md lists what another way to sign in changes.
_WAYS: dict[str, Callable[[Credential], EntraAnswer]] = {
    "client_secret": Credential._by_client_secret,
    "certificate": Credential._by_certificate,
    "workload_identity": Credential._by_workload_identity,
    "managed_identity": Credential._by_managed_identity,
    "default": Credential._by_default_chain,
    "refresh_token": Credential._by_refresh_token,
}


def _once_more(error: TeamsRegistrationError) -> TeamsRegistrationError:
    """Return an error of the same text, for another thread to raise: raised twice, one mixes up its frames."""
    twin = type(error).__new__(type(error))
    twin.args = error.args
    vars(twin).update(vars(error))
    return twin
