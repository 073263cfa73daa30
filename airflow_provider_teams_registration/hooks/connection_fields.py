"""The one table of the connection's fields: the form, its help and its examples are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_teams_registration.graph.settings import (
    AUTH_CHOICES,
    DEFAULT_TIMEOUT,
    DEFAULT_WRITE_LIMIT,
    DEFAULT_WRITE_WINDOW,
    GLOBAL_AUTHORITY,
    GLOBAL_BASE_URL,
)

SET_UP_PAGE = "docs/sign-in.md"
"""Where the ways to sign in are described, in the provider's repository and source package."""


@dataclass(frozen=True)
class ConnectionField:
    """
    One extra of the connection, as the form shows it.

    :param label: what stands beside it.
    :param description: help below it.
    :param kind: its JSON schema type.
    :param default: what holds when it is left empty, where the form should show it.
    :param choices: the values to choose from; none means free text.
    :param is_secret: whether it is typed blind and masked. Airflow masks it where its name says so, too.
    :param examples: values that the form suggests.
    """

    label: str
    description: str
    kind: str = "string"
    default: Any = None
    choices: tuple[str, ...] = ()
    is_secret: bool = False
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True)
class StandardField:
    """
    A field that every Airflow connection has, as this form names it.

    :param label: what stands beside it.
    :param placeholder: what stands in it while it is empty.
    """

    label: str
    placeholder: str


HIDDEN_FIELDS = ("host", "port", "extra")
STANDARD_FIELDS: Mapping[str, StandardField] = {
    "schema": StandardField("Tenant ID", "Directory (tenant) id or domain, such as contoso.onmicrosoft.com"),
    "login": StandardField("Client ID", "Application (client) id, such as 8f3c1a52-6f0e-4c55-9d0b-2f9f3c0f6a11"),
    "password": StandardField(
        "Client secret or passphrase", "The secret's value, not its id; or what the certificate's key is encrypted with"
    ),
}

CONNECTION_FIELDS: Mapping[str, ConnectionField] = {
    "auth": ConnectionField(
        "Sign in by",
        "client_secret, certificate, workload_identity, managed_identity and default sign in as the application; "
        f"refresh_token as the organizer who signed in once. Each is described in {SET_UP_PAGE}.",
        default="client_secret",
        choices=AUTH_CHOICES,
    ),
    "certificate_path": ConnectionField(
        "Certificate file",
        "For certificate: a .pem file of the private key and the certificate, or a .pfx file, on every worker and "
        "triggerer.",
        examples=("/run/secrets/teams-registration.pem",),
    ),
    "private_key": ConnectionField(
        "Certificate text",
        "For certificate, instead of a file: the private key and the certificate as PEM text (-----BEGIN ...), or a "
        ".pfx file in base64.",
        is_secret=True,
    ),
    "federated_token_file": ConnectionField(
        "Federated token file",
        "For workload_identity. Default: what AZURE_FEDERATED_TOKEN_FILE names.",
        examples=("/var/run/secrets/azure/tokens/azure-identity-token",),
    ),
    "refresh_token": ConnectionField(
        "Refresh token", "For refresh_token; 'teams-registration refresh-token' gets one.", is_secret=True
    ),
    "authority": ConnectionField(
        "Authority", f"Address of the Entra host. Default: {GLOBAL_AUTHORITY}", examples=(GLOBAL_AUTHORITY,)
    ),
    "base_url": ConnectionField(
        "Base URL", f"Address of the Graph host. Default: {GLOBAL_BASE_URL}", examples=(GLOBAL_BASE_URL,)
    ),
    "scopes": ConnectionField(
        "Scopes",
        "Scopes to ask for, separated by commas. Default: .default of the Graph host.",
        examples=(f"{GLOBAL_BASE_URL}/.default",),
    ),
    "verify": ConnectionField(
        "Verify",
        "true, false, or the path of a CA file; wins over REQUESTS_CA_BUNDLE. Empty leaves it to the environment.",
        examples=("true", "/etc/ssl/certs/company-ca.pem"),
    ),
    "proxies": ConnectionField(
        "Proxies",
        'JSON such as {"https": "http://proxy:3128", "no_proxy": "localhost"}; wins over the environment.',
        is_secret=True,
    ),
    "timeout": ConnectionField(
        "Timeout",
        "Seconds for one call: connection, request and answer together.",
        kind="number",
        default=DEFAULT_TIMEOUT,
        examples=(DEFAULT_TIMEOUT,),
    ),
    "write_limit": ConnectionField(
        "Write limit",
        "How many writes to webinars Graph takes from the app in one write window.",
        kind="number",
        default=DEFAULT_WRITE_LIMIT,
        examples=(DEFAULT_WRITE_LIMIT,),
    ),
    "write_window": ConnectionField(
        "Write window",
        "Seconds of the write window.",
        kind="number",
        default=DEFAULT_WRITE_WINDOW,
        examples=(DEFAULT_WRITE_WINDOW,),
    ),
    "disable_instance_discovery": ConnectionField(
        "Disable instance discovery",
        "Do not ask the global Entra host about the authority; for hosts it does not know.",
        kind="boolean",
        default=False,
    ),
}
