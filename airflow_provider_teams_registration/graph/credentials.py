"""Tokens from Microsoft Entra, by msal."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msal
import requests

from airflow_provider_teams_registration.graph.errors import ServiceUnreachable, SettingsError, SignInError
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.graph.transport import HttpSession, connection_failure

log = logging.getLogger(__name__)

_RENEW_BEFORE_EXPIRY = 300.0
_NAMES = ("upn", "preferred_username", "unique_name")

_ADVICE = {
    "AADSTS7000215": "The client secret is wrong: the connection's password must be the secret's value, not its id.",
    "AADSTS7000222": "The client secret has expired: make a new one in the app registration.",
    "AADSTS700016": "The tenant knows no such application: check the login (client id) and tenant_id.",
    "AADSTS90002": "There is no such tenant: check tenant_id.",
    "AADSTS700082": "The refresh token has expired: sign in again with 'teams-registration refresh-token'.",
    "AADSTS70000": "The refresh token is no longer good: sign in again with 'teams-registration refresh-token'.",
    "AADSTS50173": "The refresh token was revoked: sign in again with 'teams-registration refresh-token'.",
    "AADSTS65001": "Nobody has consented to the permissions: grant them in the app registration.",
    "AADSTS7000218": "The app registration wants a client secret: put it into the connection's password.",
}
_ADVICE_BY_ERROR = {
    "invalid_client": "Entra does not accept the client secret (password of the connection).",
    "invalid_grant": "The refresh token is not accepted: sign in again with 'teams-registration refresh-token'.",
    "invalid_scope": "Check the connection's scopes; leave them empty for the default.",
}


@dataclass(frozen=True)
class Token:
    """
    An access token and what it says of itself. The claims are only read to explain; Graph alone checks them.

    :param value: the token, a secret.
    :param renew_at: when to fetch another, in seconds since the epoch.
    :param roles: permissions of the application itself.
    :param scopes: permissions of the signed-in user's token.
    :param user_id: the signed-in user's object id; None where it is not said.
    :param user_names: what the user signs in with, in lower case; empty where it is not said.
    """

    value: str = field(repr=False)
    renew_at: float
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    user_id: str | None = None
    user_names: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def is_delegated(self) -> bool:
        """Whether a user is signed in; only then is there a ``/me``."""
        return bool(self.scopes)


class Credential:
    """
    Gets and keeps one connection's access token. Safe to share between threads.

    Service page: https://learn.microsoft.com/entra/msal/python/

    :param settings: the connection's settings.
    :param http: the session to reach Entra with.
    :param on_new_refresh_token: called with a rotated refresh token whenever Entra hands one out.
    """

    def __init__(
        self,
        settings: GraphSettings,
        http: HttpSession,
        on_new_refresh_token: Callable[[str], None] | None = None,
    ) -> None:
        if settings.auth not in _GRANTS:
            raise SettingsError(f"auth is {settings.auth!r}; it must be one of {', '.join(sorted(_GRANTS))}.")
        self._settings = settings
        self._http = http
        self._on_new_refresh_token = on_new_refresh_token
        self._refresh_token = settings.refresh_token
        self._grant = _GRANTS[settings.auth]
        self._app: Any = None
        self._token: Token | None = None
        self._lock = threading.Lock()

    def token(self, *, instead_of: Token | None = None) -> Token:
        """
        Return a token that is good for some minutes yet.

        :param instead_of: a token that Graph has refused; a fresh one is fetched unless another thread already did.
        :raises SettingsError: the tenant or authority cannot work.
        :raises SignInError: Entra refused.
        :raises ServiceUnreachable: Entra could not be reached.
        """
        with self._lock:
            refused = self._token is not None and self._token is instead_of
            if self._token is None or refused or self._token.renew_at < time.time():
                self._token = self._acquire(fresh=refused)
            return self._token

    def _acquire(self, *, fresh: bool) -> Token:
        with answering(self._settings):
            if self._app is None:
                self._app = self._make_app()
            answer = self._grant(self, fresh)
        if "access_token" not in answer:
            raise refusal(answer)
        return _read_token(answer)

    def _make_app(self) -> Any:
        settings = self._settings
        kind = msal.ConfidentialClientApplication if settings.client_secret else msal.PublicClientApplication
        secret = {"client_credential": settings.client_secret} if settings.client_secret else {}
        return kind(
            settings.client_id,
            authority=f"{settings.authority}/{settings.tenant_id}",
            instance_discovery=False if settings.disable_instance_discovery else None,
            http_client=self._http,
            **secret,
        )

    def _by_client_secret(self, fresh: bool) -> dict[str, Any]:
        if fresh:
            self._app.remove_tokens_for_client()
        answer: dict[str, Any] = self._app.acquire_token_for_client(self._settings.token_scopes)
        return answer

    def _by_refresh_token(self, fresh: bool) -> dict[str, Any]:
        answer: dict[str, Any] = self._app.acquire_token_by_refresh_token(
            self._refresh_token, self._settings.token_scopes
        )
        rotated = answer.get("refresh_token")
        if rotated and rotated != self._refresh_token:
            self._refresh_token = rotated
            if self._on_new_refresh_token is not None:
                self._on_new_refresh_token(rotated)
        return answer


# Another way to sign in is one more method above and one more line here.
_GRANTS: dict[str, Callable[[Credential, bool], dict[str, Any]]] = {
    "client_secret": Credential._by_client_secret,
    "refresh_token": Credential._by_refresh_token,
}


@contextmanager
def answering(settings: GraphSettings) -> Iterator[None]:
    """
    Turn what msal raises while it talks to Entra into our own errors.

    :param settings: the connection's settings, for the sentences.
    :raises SettingsError: the tenant or authority cannot work.
    :raises SignInError: Entra is in trouble.
    :raises ServiceUnreachable: Entra could not be reached.
    """
    authority = settings.authority
    try:
        yield
    except requests.RequestException as error:
        # A token request may be repeated, so a broken answer is no worse than none.
        raise connection_failure(authority, error) or ServiceUnreachable(
            f"{authority} broke off its answer ({type(error).__name__})."
        ) from None
    except json.JSONDecodeError:
        raise ServiceUnreachable(f"{authority} answered with something else than JSON.") from None
    except ValueError as error:
        if not authority.lower().startswith("https://"):
            raise SettingsError(f"authority is {authority!r}; it must begin with https://.") from None
        raise SettingsError(
            f"Entra at {authority} knows no tenant {settings.tenant_id!r} ({type(error).__name__}). "
            "Check tenant_id and authority."
        ) from None
    except msal.exceptions.MsalServiceError:
        raise SignInError("server error", "Entra is in trouble; try again later.", transient=True) from None


def refusal(answer: dict[str, Any]) -> SignInError:
    """Return the error for an answer of msal that holds no token."""
    description = str(answer.get("error_description") or "")
    # The description also names tenant, app and trace ids; its leading code is all that is needed.
    code = description.split(":", 1)[0] if description.startswith("AADSTS") else str(answer.get("error") or "unknown")
    advice = (
        _ADVICE.get(code)
        or _ADVICE_BY_ERROR.get(str(answer.get("error")))
        or "Look the code up at https://login.microsoftonline.com/error."
    )
    return SignInError(code, advice, transient=answer.get("error") in ("temporarily_unavailable", "server_error"))


def _read_token(answer: dict[str, Any]) -> Token:
    value = str(answer["access_token"])
    claims = _claims(value)
    lifetime = float(answer.get("expires_in", 0))
    return Token(
        value=value,
        renew_at=time.time() + max(lifetime - _RENEW_BEFORE_EXPIRY, lifetime / 2),
        roles=tuple(str(role) for role in claims.get("roles") or ()),
        scopes=tuple(str(claims.get("scp") or "").split()),
        user_id=str(claims["oid"]) if claims.get("oid") else None,
        user_names=frozenset(str(claims[name]).strip().lower() for name in _NAMES if claims.get(name)),
    )


def _claims(token: str) -> dict[str, Any]:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
