"""An access token, and what it says of itself."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.auth import AuthBase

from airflow_provider_teams_registration.core.service_text import storable
from airflow_provider_teams_registration.graph.secret import Secret

_RENEW_BEFORE_EXPIRY = 300.0
_LONGEST_CLAIM = 4_000
_NAMES = ("upn", "preferred_username", "unique_name")


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
    :param client_id: the client id of the app or the identity; None where it is not said.
    :param tenant_id: the tenant that the token is of; None where it is not said.
    :param is_readable: whether the token has claims. Where not, empty ``roles`` and ``scopes`` prove nothing.
    """

    value: str = field(repr=False)
    renew_at: float
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    user_id: str | None = None
    user_names: frozenset[str] = field(default=frozenset(), repr=False)
    client_id: str | None = None
    tenant_id: str | None = None
    is_readable: bool = True

    @property
    def is_delegated(self) -> bool:
        """Whether a user is signed in; only then is there a ``/me``."""
        return bool(self.scopes)


class BearerToken(AuthBase):
    """
    Puts a token into a request's header, so that nobody else has to hold it.

    :param token: the token.
    """

    def __init__(self, token: Token) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the header."""
        request.headers["Authorization"] = Secret(f"Bearer {self._token.value}")
        return request


def read_token(value: Secret, lifetime: float) -> Token:
    """
    Return a token with its claims.

    :param value: the token.
    :param lifetime: seconds for which it is good.
    """
    claims = claims_of(value)
    user_id = storable(claims.get("oid"))
    names = [storable(claims.get(name), _LONGEST_CLAIM).strip().lower() for name in _NAMES]
    return Token(
        value=value,
        renew_at=time.time() + max(lifetime - _RENEW_BEFORE_EXPIRY, lifetime / 2),
        roles=_words(claims.get("roles")),
        scopes=_words(storable(claims.get("scp"), _LONGEST_CLAIM).split()),
        user_id=user_id or None,
        user_names=frozenset(filter(None, names)),
        client_id=storable(claims.get("appid") or claims.get("azp")) or None,
        tenant_id=storable(claims.get("tid")) or None,
        is_readable=bool(claims),
    )


def _words(listed: Any) -> tuple[str, ...]:
    return tuple(filter(None, map(storable, listed))) if isinstance(listed, list) else ()


def claims_of(token: Secret) -> dict[str, Any]:
    """
    Read a token's claims, which are nobody's secret without its signature. The signature is not checked.

    :param token: the token.
    :return: the claims; none where the token is no JWT.
    """
    parts = token.split(".", 2)[1:2]
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (LookupError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
