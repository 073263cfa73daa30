"""
The emulated Microsoft Entra: discovery, tokens and AADSTS errors.

Service page: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

import jwt

from airflow_provider_teams_registration.emulator.books import Books
from airflow_provider_teams_registration.emulator.exchange import Caller
from airflow_provider_teams_registration.emulator.seeded import (
    CLIENT_ID,
    CLIENT_SECRET,
    ORGANIZER_EMAIL,
    ORGANIZER_ID,
    TENANT_ID,
)
from airflow_provider_teams_registration.emulator.switches import Switches

DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_REFUSALS: Mapping[int, tuple[int, str, str]] = {
    7000215: (401, "invalid_client", "Invalid client secret provided."),
    700016: (400, "unauthorized_client", "Application was not found in the directory."),
    90002: (400, "invalid_tenant", "Tenant not found."),
    700082: (400, "invalid_grant", "The refresh token has expired or is not known."),
    70000: (400, "invalid_grant", "The device code is not known or was used already."),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    1002012: (400, "invalid_scope", "The scope must end in /.default for client credentials."),
    70016: (400, "authorization_pending", "The user has not signed in yet."),
    7000218: (401, "invalid_client", "The request body must contain client_secret."),
}

Answer = tuple[int, dict[str, Any]]


class BadToken(Exception):
    """The access token is missing, expired or not ours; the text is what Graph says of it."""


class Entra:
    """
    One tenant with one app and one organizer.

    :param books: the state: refresh tokens and device codes.
    :param switches: the switches in force.
    """

    def __init__(self, books: Books, switches: Callable[[], Switches]) -> None:
        self._books = books
        self._switches = switches
        self._key = secrets.token_hex(32)

    def discovery(self, tenant: str, root: str) -> Answer:
        """Answer ``/.well-known/openid-configuration``."""
        if tenant != TENANT_ID:
            return _refusal(90002)
        return 200, {
            "issuer": f"{root}/{tenant}/v2.0",
            "authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}/{tenant}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{root}/{tenant}/discovery/v2.0/keys",
        }

    def device_code(self, tenant: str, form: Mapping[str, str], root: str) -> Answer:
        """Begin a sign-in on another device; it counts as done when it is asked about the second time."""
        if tenant != TENANT_ID:
            return _refusal(90002)
        if form.get("client_id") != CLIENT_ID:
            return _refusal(700016)
        code = secrets.token_hex(8)
        self._books.device_codes[code] = 0
        return 200, {
            "device_code": code,
            "user_code": "EMULATOR",
            "verification_uri": f"{root}/",
            "expires_in": 900,
            "interval": 1,
            "message": f"To sign in, open {root}/ and enter the code EMULATOR.",
        }

    def token(self, tenant: str, form: Mapping[str, str]) -> Answer:
        """Answer the token endpoint."""
        if tenant != TENANT_ID:
            return _refusal(90002)
        if form.get("client_id") != CLIENT_ID:
            return _refusal(700016)
        grant = form.get("grant_type")
        if grant == "client_credentials":
            return self._application(form)
        if form.get("client_secret") not in (None, CLIENT_SECRET):
            return _refusal(7000215)
        if grant == "refresh_token":
            return self._refresh(form)
        return self._device(form) if grant == DEVICE_CODE_GRANT else _refusal(70003)

    def caller(self, authorization: str | None) -> Caller:
        """
        Read a bearer token.

        :raises BadToken: it is missing, expired or not ours.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise BadToken("Access token is empty.")
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"], options={"verify_aud": False})
        except jwt.ExpiredSignatureError:
            raise BadToken("Lifetime validation failed, the token is expired.") from None
        except jwt.InvalidTokenError:
            raise BadToken("Access token validation failure.") from None
        permissions = claims.get("roles") or str(claims.get("scp", "")).split()
        return Caller(claims["appid"], claims.get("oid"), frozenset(permissions))

    def _application(self, form: Mapping[str, str]) -> Answer:
        if form.get("client_secret") is None:
            return _refusal(7000218)
        if form["client_secret"] != CLIENT_SECRET:
            return _refusal(7000215)
        if not form.get("scope", "").endswith("/.default"):
            return _refusal(1002012)
        return 200, self._access({"roles": self._switches().roles.split(), "idtyp": "app"})

    def _refresh(self, form: Mapping[str, str]) -> Answer:
        given = form.get("refresh_token", "")
        if given not in self._books.refresh_tokens:
            return _refusal(700082)
        rotation = self._switches().rotate_refresh_tokens
        if rotation == "old_one_dies":
            self._books.refresh_tokens.discard(given)
        return 200, self._delegated(given if rotation == "off" else self._new_refresh_token())

    def _device(self, form: Mapping[str, str]) -> Answer:
        code = form.get("device_code", "")
        asked = self._books.device_codes.get(code)
        if asked is None:
            return _refusal(70000)
        if asked == 0:
            self._books.device_codes[code] = 1
            return _refusal(70016)
        del self._books.device_codes[code]
        return 200, self._delegated(self._new_refresh_token())

    def _new_refresh_token(self) -> str:
        token = f"emulator-refresh-token-{secrets.token_hex(8)}"
        self._books.refresh_tokens.add(token)
        return token

    def _delegated(self, refresh_token: str) -> dict[str, Any]:
        user = json.dumps({"uid": ORGANIZER_ID, "utid": TENANT_ID}).encode()
        names = {"upn": ORGANIZER_EMAIL, "unique_name": ORGANIZER_EMAIL} if self._switches().token_names_user else {}
        return {
            **self._access({"scp": self._switches().scopes, "oid": ORGANIZER_ID, **names}),
            "refresh_token": refresh_token,
            "scope": " ".join(f"https://graph.microsoft.com/{scope}" for scope in self._switches().scopes.split()),
            "client_info": base64.urlsafe_b64encode(user).decode().rstrip("="),
        }

    def _access(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        now, lifetime = int(time.time()), self._switches().token_lifetime
        payload = {
            "aud": "https://graph.microsoft.com",
            "tid": TENANT_ID,
            "appid": CLIENT_ID,
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "jti": str(uuid.uuid4()),
            **claims,
        }
        token = jwt.encode(payload, self._key, algorithm="HS256")
        return {"token_type": "Bearer", "expires_in": lifetime, "access_token": token}


def _refusal(number: int) -> Answer:
    status, error, description = _REFUSALS[number]
    trace = str(uuid.uuid4())
    return status, {
        "error": error,
        "error_description": f"AADSTS{number}: {description} Trace ID: {trace}",
        "error_codes": [number],
        "timestamp": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ"),
        "trace_id": trace,
        "correlation_id": str(uuid.uuid4()),
    }
