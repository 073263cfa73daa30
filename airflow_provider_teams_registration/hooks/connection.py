"""The one place that reads an Airflow connection, and the one table of its fields that the form is made from."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_teams_registration.graph.errors import SettingsError
from airflow_provider_teams_registration.graph.settings import (
    DEFAULT_TIMEOUT,
    DEFAULT_WRITE_LIMIT,
    DEFAULT_WRITE_WINDOW,
    GLOBAL_AUTHORITY,
    GLOBAL_BASE_URL,
    GraphSettings,
)

AUTH_CHOICES = ("client_secret", "refresh_token")
_YES_AND_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class ConnectionField:
    """
    One extra of the connection, as the form shows it.

    :param label: what stands beside it.
    :param description: help below it.
    :param kind: its JSON schema type.
    :param default: what holds when it is left empty, where the form should show it.
    :param choices: the values to choose from; none means free text.
    :param is_secret: whether it is typed blind and masked.
    """

    label: str
    description: str
    kind: str = "string"
    default: Any = None
    choices: tuple[str, ...] = ()
    is_secret: bool = False


CONNECTION_FIELDS: Mapping[str, ConnectionField] = {
    "tenant_id": ConnectionField("Tenant ID", "Directory (tenant) id of the organizer's Microsoft Entra tenant."),
    "auth": ConnectionField(
        "Sign in by",
        "client_secret signs in as the application; refresh_token as the organizer who signed in once.",
        default="client_secret",
        choices=AUTH_CHOICES,
    ),
    "refresh_token": ConnectionField(
        "Refresh token", "For auth refresh_token; 'teams-registration refresh-token' gets one.", is_secret=True
    ),
    "authority": ConnectionField("Authority", f"Address of the Entra host. Default: {GLOBAL_AUTHORITY}"),
    "base_url": ConnectionField("Base URL", f"Address of the Graph host. Default: {GLOBAL_BASE_URL}"),
    "scopes": ConnectionField("Scopes", "Scopes to ask for, separated by commas. Default: .default of the Graph host."),
    "verify": ConnectionField(
        "Verify",
        "true, false, or the path of a CA file; wins over REQUESTS_CA_BUNDLE. Empty leaves it to the environment.",
    ),
    "proxies": ConnectionField(
        "Proxies",
        'JSON such as {"https": "http://proxy:3128", "no_proxy": "localhost"}; wins over the environment.',
        is_secret=True,
    ),
    "timeout": ConnectionField(
        "Timeout", "Seconds to wait for a connection, and for each answer.", kind="number", default=DEFAULT_TIMEOUT
    ),
    "write_limit": ConnectionField(
        "Write limit",
        "How many writes to webinars Graph takes from the app in one write window.",
        kind="number",
        default=DEFAULT_WRITE_LIMIT,
    ),
    "write_window": ConnectionField(
        "Write window", "Seconds of the write window.", kind="number", default=DEFAULT_WRITE_WINDOW
    ),
    "disable_instance_discovery": ConnectionField(
        "Disable instance discovery",
        "Do not ask the global Entra host about the authority; for hosts it does not know.",
        kind="boolean",
        default=False,
    ),
}


_CERTIFICATE = ("certificate_path", "certificate_data")


def read_connection(connection: Any) -> GraphSettings:
    """
    Read an Airflow connection: one of type ``teams_registration``, or Airflow's own ``msgraph`` as it is.

    :param connection: the connection; ``login`` is the client id, ``password`` the client secret, the rest are extras.
    :raises SettingsError: a field is missing or cannot be right; the sentence names it and the connection.
    """
    extras = connection.extra_dejson
    if not isinstance(extras, Mapping):
        raise SettingsError(f"Connection {connection.conn_id!r}: extra must be a JSON object of names and values.")
    reader = _Extras(connection.conn_id, extras)
    auth = reader.text("auth") or "client_secret"
    if auth not in AUTH_CHOICES:
        raise reader.error("auth", f"is {auth!r}; it must be one of {', '.join(AUTH_CHOICES)}")
    settings = GraphSettings(
        tenant_id=reader.text("tenant_id", "tenantId") or "",
        client_id=(connection.login or "").strip(),
        client_secret=connection.password or None,
        auth=auth,
        refresh_token=reader.text("refresh_token"),
        authority=_address(reader.text("authority")) or GLOBAL_AUTHORITY,
        base_url=_graph_address(reader.text("base_url") or _host(connection)) or GLOBAL_BASE_URL,
        verify=reader.verify(),
        proxies=reader.proxies(),
        timeout=reader.seconds("timeout", DEFAULT_TIMEOUT),
        write_limit=reader.write_limit(),
        write_window=reader.seconds("write_window", DEFAULT_WRITE_WINDOW),
        scopes=reader.scopes(),
        disable_instance_discovery=bool(reader.yes_or_no("disable_instance_discovery")),
    )
    _refuse_what_is_missing(reader, settings)
    return settings


def _refuse_what_is_missing(reader: _Extras, settings: GraphSettings) -> None:
    if not settings.client_id:
        raise reader.error("login", "is empty; it must hold the application (client) id")
    if not settings.tenant_id:
        raise reader.error("tenant_id", "is missing from the extras; it must hold the directory (tenant) id")
    if not settings.base_url.lower().startswith("https://"):
        raise reader.error("base_url", f"is {settings.base_url!r}; it must begin with https://, for tokens go there")
    certificate = next((name for name in _CERTIFICATE if reader.text(name)), None)
    if settings.auth == "client_secret" and certificate:
        raise reader.error(certificate, "is given, and certificates are not supported; use a client secret (password)")
    if settings.auth == "client_secret" and not settings.client_secret:
        raise reader.error("password", "is empty; it must hold the client secret's value")
    if settings.auth == "refresh_token" and not settings.refresh_token:
        raise reader.error("refresh_token", "is missing from the extras; 'teams-registration refresh-token' gets one")


@dataclass(frozen=True)
class _Extras:
    conn_id: str
    extras: Mapping[str, Any]

    def error(self, field: str, what: str) -> SettingsError:
        return SettingsError(f"Connection {self.conn_id!r}: {field} {what}.")

    def text(self, *names: str) -> str | None:
        """The first of the extras that is not empty."""
        return next((text for name in names if (text := str(self.extras.get(name) or "").strip())), None)

    def yes_or_no(self, name: str) -> bool | None:
        value = self.extras.get(name)
        if value is None or value == "" or isinstance(value, bool):
            return value if isinstance(value, bool) else None
        if str(value).strip().lower() not in _YES_AND_NO:
            raise self.error(name, "must be true or false")
        return _YES_AND_NO[str(value).strip().lower()]

    def verify(self) -> bool | str | None:
        text = self.text("verify")
        if self.extras.get("verify") in (None, "", True, False) or str(text).lower() in _YES_AND_NO:
            return self.yes_or_no("verify")
        if not Path(str(text)).exists():
            raise self.error("verify", f"names the CA file {text!r}, and there is no such file on this machine")
        return text

    def proxies(self) -> dict[str, str] | None:
        value = self.extras.get("proxies")
        if isinstance(value, str) and value.strip():
            value = _parsed(value)
            if not isinstance(value, dict):
                raise self.error("proxies", "must be a JSON object of scheme and proxy address")
        if not value:
            return None
        if not isinstance(value, Mapping):
            raise self.error("proxies", "must be a JSON object of scheme and proxy address")
        # Airflow's msgraph connection spells the exceptions 'no'.
        return {"no_proxy" if scheme == "no" else str(scheme): str(proxy) for scheme, proxy in value.items() if proxy}

    def seconds(self, name: str, default: float) -> float:
        value = self.extras.get(name)
        try:
            seconds = default if value in (None, "") else float(str(value))
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise self.error(name, f"is {value!r}; it must be a number of seconds above 0")
        return seconds

    def write_limit(self) -> int:
        value = self.extras.get("write_limit")
        if value in (None, ""):
            return DEFAULT_WRITE_LIMIT
        number = float(value) if str(value).replace(".", "", 1).isdecimal() else 0.0
        if number < 1 or number != int(number):
            raise self.error("write_limit", f"is {value!r}; it must be a whole number from 1")
        return int(number)

    def scopes(self) -> tuple[str, ...]:
        value = self.extras.get("scopes")
        parts = value if isinstance(value, list | tuple) else re.split(r"[,\s]+", str(value or ""))
        return tuple(str(part).strip() for part in parts if str(part).strip())


def _parsed(text: str) -> Any:
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError):
            continue
    return None


def _host(connection: Any) -> str | None:
    if not connection.host:
        return None
    return str(connection.host) if not connection.port else f"{connection.host}:{connection.port}"


def _address(text: str | None) -> str | None:
    if not text:
        return None
    return (text if "://" in text else f"https://{text}").rstrip("/")


def _graph_address(text: str | None) -> str | None:
    """Airflow's msgraph connection keeps the version in its base URL; here each call names its own."""
    address = _address(text)
    return re.sub(r"/(v1\.0|beta)$", "", address) if address else None
