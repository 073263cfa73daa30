"""The one table of the connection's fields: the form, its help and its examples are made from it."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_teams_registration.graph.settings import (
    DEFAULT_TIMEOUT,
    DEFAULT_WRITE_LIMIT,
    DEFAULT_WRITE_WINDOW,
    GLOBAL_AUTHORITY,
    GLOBAL_BASE_URL,
)
from airflow_provider_teams_registration.hooks.form_field import ConnectionField, StandardField
from airflow_provider_teams_registration.hooks.sign_in_fields import SIGN_IN_FORM

HIDDEN_FIELDS = ("host", "port", "extra")
STANDARD_FIELDS: Mapping[str, StandardField] = {
    "schema": StandardField("Tenant ID", "Directory (tenant) id or domain, such as contoso.onmicrosoft.com"),
    "login": StandardField("Client ID", "Application (client) id, such as 8f3c1a52-6f0e-4c55-9d0b-2f9f3c0f6a11"),
    "password": StandardField(
        "Client secret or passphrase", "The secret's value, not its id; or what the certificate's key is encrypted with"
    ),
}
RELABELING = {name: field.label for name, field in STANDARD_FIELDS.items()}
PLACEHOLDERS = {name: field.placeholder for name, field in STANDARD_FIELDS.items()}

CONNECTION_FIELDS: Mapping[str, ConnectionField] = {
    **SIGN_IN_FORM,
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
