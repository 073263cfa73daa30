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
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import jwt

from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.entra.scopes import GRAPH, foreign_resource, wants_id_token
from airflow_provider_teams_registration.emulator.http.messages import Caller
from airflow_provider_teams_registration.emulator.store.client_assertions import ClientAssertions
from airflow_provider_teams_registration.emulator.store.device_code import DeviceCode
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore
from airflow_provider_teams_registration.emulator.store.seeded import (
    CLIENT_ID,
    CLIENT_SECRET,
    ORGANIZER_EMAIL,
    ORGANIZER_ID,
    TENANT_DOMAIN,
    TENANT_ID,
)

# Microsoft's library for Node sends the short spelling.
DEVICE_CODE_GRANTS = ("urn:ietf:params:oauth:grant-type:device_code", "device_code")
# Not the switch token_lifetime, which is for access tokens: msal objects to an id token that has expired.
ID_TOKEN_LIFETIME = 3600
_REFUSALS: Mapping[int, tuple[int, str, str]] = {
    7000215: (401, "invalid_client", "Invalid client secret provided."),
    700016: (400, "unauthorized_client", "Application was not found in the directory."),
    90002: (400, "invalid_tenant", "Tenant not found."),
    700082: (400, "invalid_grant", "The refresh token has expired or is not known."),
    70000: (400, "invalid_grant", "The device code is not known or was used already."),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    500011: (400, "invalid_resource", "The resource principal was not found in the tenant."),
    1002012: (400, "invalid_scope", "The scope must end in /.default for client credentials."),
    70016: (400, "authorization_pending", "The user has not signed in yet."),
    700027: (401, "invalid_client", "Client assertion failed signature validation: no such key is registered."),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range."),
    1000502: (401, "invalid_client", "The provided certificate is not within its specified validity period."),
    50027: (401, "invalid_client", "JWT token is invalid or malformed."),
    70021: (400, "invalid_request", "No matching federated identity record found for presented assertion issuer."),
    700213: (400, "invalid_request", "No matching federated identity record found for presented assertion subject."),
    7002131: (400, "invalid_request", "No matching federated identity record found for presented assertion audience."),
    7000218: (401, "invalid_client", "The request body must contain client_secret."),
}

_TENANTS = (TENANT_ID, TENANT_DOMAIN)

Answer = tuple[int, dict[str, Any]]


class BadToken(Exception):
    """The access token is missing, expired or not from this emulator. The message is Graph's."""


class Entra:
    """
    One tenant with one app and one organizer.

    :param store: the data, which holds refresh tokens and device codes.
    :param switches: returns the present switches.
    :param assertions: what the app registration trusts in place of a secret.
    """

    def __init__(self, store: MeetingStore, switches: Callable[[], Switches], assertions: ClientAssertions) -> None:
        self._store = store
        self._switches = switches
        self._assertions = assertions

    def discovery(self, tenant: str, root: str) -> Answer:
        """Answer ``/.well-known/openid-configuration``."""
        if tenant.lower() not in _TENANTS:
            return _refusal(90002)
        return 200, {
            "issuer": f"{root}/{tenant}/v2.0",
            "authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}/{tenant}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{root}/{tenant}/discovery/v2.0/keys",
        }

    def device_code(self, tenant: str, form: Mapping[str, str], root: str) -> Answer:
        """Start a sign-in on another device. The second poll for its tokens finds it finished."""
        if tenant.lower() not in _TENANTS:
            return _refusal(90002)
        if form.get("client_id") != CLIENT_ID:
            return _refusal(700016)
        if foreign_resource(form.get("scope", "")) is not None:
            return _refusal(500011)
        code = secrets.token_hex(8)
        self._store.device_codes[code] = DeviceCode(form.get("scope", ""))
        return 200, {
            "device_code": code,
            "user_code": "EMULATOR",
            "verification_uri": f"{root}/",
            "expires_in": 900,
            "interval": 1,
            "message": f"To sign in, open {root}/ and enter the code EMULATOR.",
        }

    def token(self, tenant: str, form: Mapping[str, str], root: str) -> Answer:
        """Answer the token endpoint."""
        if tenant.lower() not in _TENANTS:
            return _refusal(90002)
        if form.get("client_id") != CLIENT_ID:
            return _refusal(700016)
        grant = form.get("grant_type")
        if grant == "client_credentials":
            return self._application(form, f"{root}/{tenant}/oauth2/v2.0/token")
        if form.get("client_secret") not in (None, CLIENT_SECRET):
            return _refusal(7000215)
        if grant == "refresh_token":
            return self._refresh(form, root)
        return self._device(form, root) if grant in DEVICE_CODE_GRANTS else _refusal(70003)

    def caller(self, authorization: str | None) -> Caller:
        """
        Read a bearer token.

        :raises BadToken: it is missing, expired or not from this emulator.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise BadToken("Access token is empty.")
        try:
            claims = jwt.decode(token, self._store.signing_key, algorithms=["HS256"], audience=GRAPH)
        except jwt.ExpiredSignatureError:
            raise BadToken("Lifetime validation failed, the token is expired.") from None
        except jwt.InvalidAudienceError:
            raise BadToken("Access token validation failure. Invalid audience.") from None
        except (jwt.InvalidTokenError, RecursionError):
            raise BadToken("Access token validation failure.") from None
        permissions = claims.get("roles") or str(claims.get("scp", "")).split()
        return Caller(claims["appid"], claims.get("oid"), frozenset(permissions))

    def identity_token(self, client_id: str, resource: str) -> dict[str, Any] | None:
        """
        Return a token of a managed identity; None where there is no such resource.

        :param client_id: the identity's client id.
        :param resource: the service that the token is for.
        """
        if foreign_resource(f"{resource.rstrip('/')}/.default") is not None:
            return None
        return self._access({"appid": client_id, "roles": self._switches().roles.split(), "idtyp": "app"})

    def _application(self, form: Mapping[str, str], token_endpoint: str) -> Answer:
        if "client_assertion" in form:
            number = self._assertions.refusal(form, token_endpoint)
            if number is not None:
                return _refusal(number)
        elif form.get("client_secret") is None:
            return _refusal(7000218)
        elif form["client_secret"] != CLIENT_SECRET:
            return _refusal(7000215)
        scope = form.get("scope", "")
        if not scope.endswith("/.default"):
            return _refusal(1002012)
        if foreign_resource(scope) is not None:
            return _refusal(500011)
        return 200, self._access({"roles": self._switches().roles.split(), "idtyp": "app"})

    def _refresh(self, form: Mapping[str, str], root: str) -> Answer:
        given, scope = form.get("refresh_token", ""), form.get("scope", "")
        if given not in self._store.refresh_tokens:
            return _refusal(700082)
        if foreign_resource(scope) is not None:
            return _refusal(500011)
        rotation = self._switches().rotate_refresh_tokens
        if rotation == "old_one_dies":
            self._store.refresh_tokens.discard(given)
        return 200, self._delegated(given if rotation == "off" else self._new_refresh_token(), scope, root)

    def _device(self, form: Mapping[str, str], root: str) -> Answer:
        code = form.get("device_code", "")
        begun = self._store.device_codes.get(code)
        if begun is None:
            return _refusal(70000)
        if not begun.is_asked_about:
            self._store.device_codes[code] = replace(begun, is_asked_about=True)
            return _refusal(70016)
        del self._store.device_codes[code]
        return 200, self._delegated(self._new_refresh_token(), begun.scope, root)

    def _new_refresh_token(self) -> str:
        # It does not begin with the first token, because a client that masks only that one would seem to mask this one.
        token = f"emulator-rotated-token-{secrets.token_hex(8)}"
        self._store.refresh_tokens.add(token)
        return token

    def _delegated(self, refresh_token: str, scope: str, root: str) -> dict[str, Any]:
        user = json.dumps({"uid": ORGANIZER_ID, "utid": TENANT_ID}).encode()
        names = {"upn": ORGANIZER_EMAIL, "unique_name": ORGANIZER_EMAIL} if self._switches().token_names_user else {}
        id_token = {"id_token": self._id_token(root)} if wants_id_token(scope) else {}
        return {
            **id_token,
            **self._access({"scp": self._switches().scopes, "oid": ORGANIZER_ID, **names}),
            "refresh_token": refresh_token,
            "scope": " ".join(f"https://graph.microsoft.com/{scope}" for scope in self._switches().scopes.split()),
            "client_info": base64.urlsafe_b64encode(user).decode().rstrip("="),
        }

    def _id_token(self, root: str) -> str:
        """Service page: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference"""
        now = int(time.time())
        names = {"preferred_username": ORGANIZER_EMAIL} if self._switches().token_names_user else {}
        claims = {
            "aud": CLIENT_ID,
            "iss": f"{root}/{TENANT_ID}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + ID_TOKEN_LIFETIME,
            "name": "Organizer",
            "oid": ORGANIZER_ID,
            "sub": ORGANIZER_ID,
            "tid": TENANT_ID,
            "ver": "2.0",
            **names,
        }
        return jwt.encode(claims, self._store.signing_key, algorithm="HS256")

    def _access(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        now, lifetime = int(time.time()), self._switches().token_lifetime
        payload = {
            "aud": GRAPH,
            "tid": TENANT_ID,
            "appid": CLIENT_ID,
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "jti": str(uuid.uuid4()),
            **claims,
        }
        token = jwt.encode(payload, self._store.signing_key, algorithm="HS256")
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
