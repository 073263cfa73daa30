"""The access tokens of this process, in memory only: all sessions of one connection use one token."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from dataclasses import dataclass, field, fields
from typing import Any

from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.graph.credentials.token import Token
from airflow_provider_teams_registration.graph.secret import Secret
from airflow_provider_teams_registration.graph.settings import GraphSettings


@dataclass(frozen=True)
class TokenKey:
    """
    Everything that makes the tokens of two connections differ.

    :param auth: the way to sign in.
    :param tenant_id: the tenant, in lower case.
    :param client_id: the application, in lower case.
    :param authority: the Entra host.
    :param scopes: the scopes that are asked for.
    :param digest: hash of the credential, and of how Entra is reached.
    """

    auth: str
    tenant_id: str
    client_id: str
    authority: str
    scopes: tuple[str, ...]
    digest: str = field(repr=False)


@dataclass(eq=False)
class SharedToken:
    """
    One token and those who wait for it.

    :ivar lock: held while the token is read, fetched or replaced.
    :ivar token: the token; None until one was fetched.
    :ivar is_forbidden: whether Graph has refused it a permission. A permission that was granted since shows in the next
        token only, so a session that begins later fetches one.
    :ivar refresh_token: the newest refresh token that Entra returned; None if it returned none.
    :ivar failures: how many times fetching it has failed. The threads that waited meanwhile get the same failure.
    :ivar failure: the last one.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: Token | None = None
    is_forbidden: bool = False
    refresh_token: Secret | None = None
    failures: int = 0
    failure: TeamsRegistrationError | None = None


_HIDDEN = tuple(one.name for one in fields(GraphSettings) if not one.repr and one.name != "proxies")
_lock = threading.Lock()
_shared: dict[TokenKey, SharedToken] = {}


def shared_token(settings: GraphSettings) -> SharedToken:
    """
    Return what all sessions with such settings share.

    :param settings: the connection's settings.
    """
    key = _key(settings)
    with _lock:
        if key not in _shared:
            _forget_expired()
            _shared[key] = SharedToken()
        return _shared[key]


def forget_tokens() -> None:
    """Forget all tokens of this process. Sessions that are open keep theirs."""
    with _lock:
        _shared.clear()


def _forget_expired() -> None:
    now = time.time()
    for key, shared in list(_shared.items()):
        # A rotated refresh token is kept: the connection may hold one that is no longer good.
        if shared.token is not None and shared.token.renew_at < now and shared.refresh_token is None:
            del _shared[key]


def _secrets(settings: GraphSettings) -> list[Any]:
    """Return the credential in any form, which is what no text shows, and how Entra is reached."""
    return [*(getattr(settings, name) for name in _HIDDEN), settings.verify, dict(settings.proxies or {})]


def _key(settings: GraphSettings) -> TokenKey:
    return TokenKey(
        auth=settings.auth,
        tenant_id=settings.tenant_id.lower(),
        client_id=settings.client_id.lower(),
        authority=settings.authority,
        scopes=tuple(settings.token_scopes),
        # No local variable holds the secrets: a time limit may strike here.
        digest=hashlib.sha256(json.dumps(_secrets(settings), sort_keys=True, default=str).encode()).hexdigest(),
    )


def _begin_anew() -> None:
    """Forget what the parent process had: its locks may be held by threads that a fork does not copy."""
    global _lock
    _lock = threading.Lock()
    _shared.clear()


os.register_at_fork(after_in_child=_begin_anew)
