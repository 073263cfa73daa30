"""The fields of a connection that say how to sign in: the form, and how they are read and checked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_teams_registration.graph.settings import AUTH_CHOICES, GLOBAL_AUTHORITY
from airflow_provider_teams_registration.hooks.extras import Extras, kind_of
from airflow_provider_teams_registration.hooks.form_field import ConnectionField

_TENANT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_SHARED_TENANTS = ("common", "organizations", "consumers")
_WITHOUT_TENANT = ("managed_identity", "default")
_SCHEMES = ("http", "https")
# The form calls it private_key, because Airflow masks what is called so. Airflow's msgraph connection has another name.
_CERTIFICATE_TEXT = ("private_key", "certificate_data")

SET_UP_PAGE = "docs/sign-in.md"
"""Where the ways to sign in are described, in the provider's repository and source package."""

SIGN_IN_FORM: Mapping[str, ConnectionField] = {
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
}
"""The part of the connection form that says how to sign in."""


@dataclass(frozen=True)
class SignInFields:
    """How to sign in, and with what; the fields are those of :class:`.settings.GraphSettings`."""

    auth: str
    tenant_id: str = ""
    client_id: str = ""
    authority: str = ""
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    certificate_path: str | None = field(default=None, repr=False)
    certificate_data: str | None = field(default=None, repr=False)
    certificate_passphrase: str | None = field(default=None, repr=False)
    federated_token_file: str | None = field(default=None, repr=False)


def read_sign_in(reader: Extras, connection: Any) -> SignInFields:
    """
    Read how to sign in.

    :param reader: the connection's extras.
    :param connection: the connection.
    :raises SettingsError: a field is missing or cannot be right.
    """
    auth = _auth(reader)
    is_certificate = auth == "certificate"
    fields = SignInFields(
        auth=auth,
        tenant_id=_tenant(reader, connection, auth),
        client_id=(connection.login or "").strip(),
        authority=reader.address("authority") or "",
        client_secret=None if is_certificate else connection.password or None,
        refresh_token=reader.text("refresh_token"),
        certificate_path=reader.text("certificate_path") if is_certificate else None,
        certificate_data=reader.text(*_CERTIFICATE_TEXT) if is_certificate else None,
        certificate_passphrase=connection.password or None if is_certificate else None,
        federated_token_file=reader.text("federated_token_file"),
    )
    if auth == "workload_identity":
        fields = _with_environment(reader, fields)
    fields = replace(fields, authority=fields.authority or GLOBAL_AUTHORITY)
    if auth in _WITHOUT_TENANT:
        return replace(fields, client_id=reader.text("managed_identity_client_id") or fields.client_id)
    _refuse_what_is_missing(reader, fields)
    return fields


def _auth(reader: Extras) -> str:
    has_certificate = reader.text("certificate_path", *_CERTIFICATE_TEXT) is not None
    text = reader.text("auth")
    if text is None:
        return "certificate" if has_certificate else "client_secret"
    if text not in AUTH_CHOICES:
        given = kind_of(reader.extras.get("auth"))
        raise reader.error("auth", f"is {given} that is none of {', '.join(AUTH_CHOICES)}")
    if text == "client_secret" and has_certificate:
        raise reader.error("auth", "is client_secret, and a certificate is given; set it to certificate")
    return text


def _tenant(reader: Extras, connection: Any, auth: str) -> str:
    extra = reader.text("tenant_id", "tenantId") or ""
    # Airflow's msgraph connection keeps the scheme of an address in it.
    standard = "" if connection.conn_type == "msgraph" else str(connection.schema or "").strip()
    standard = "" if standard.lower() in _SCHEMES else standard
    if extra and standard and extra.lower() != standard.lower():
        raise reader.error("tenant_id", "is not the tenant that the field Tenant ID (schema) names; keep one of them")
    text = extra or standard
    if text and not _TENANT.fullmatch(text) and text not in _SHARED_TENANTS:
        raise reader.error("tenant_id", "is neither the id (a GUID) nor a domain of a directory (tenant)")
    if text in _SHARED_TENANTS and auth != "refresh_token":
        raise reader.error("tenant_id", f"is {text}, which is no single tenant; an application signs in to one")
    return text


def _with_environment(reader: Extras, fields: SignInFields) -> SignInFields:
    """Take from the environment, where Kubernetes puts it, what the connection leaves empty."""
    host = os.environ.get("AZURE_AUTHORITY_HOST")
    return replace(
        fields,
        tenant_id=fields.tenant_id or os.environ.get("AZURE_TENANT_ID", ""),
        client_id=fields.client_id or os.environ.get("AZURE_CLIENT_ID", ""),
        federated_token_file=fields.federated_token_file or os.environ.get("AZURE_FEDERATED_TOKEN_FILE"),
        authority=fields.authority or (reader.service_address("AZURE_AUTHORITY_HOST", host) if host else ""),
    )


def _refuse_what_is_missing(reader: Extras, fields: SignInFields) -> None:
    if not fields.client_id:
        raise reader.error("login", "is empty; it must hold the application (client) id")
    if not fields.tenant_id:
        raise reader.error(
            "tenant_id",
            "is missing; the field Tenant ID (schema), or the extra tenant_id, must hold the directory (tenant) id",
        )
    if fields.auth == "client_secret" and not fields.client_secret:
        raise reader.error("password", "is empty; it must hold the client secret's value")
    if fields.auth == "refresh_token" and not fields.refresh_token:
        raise reader.error("refresh_token", "is missing from the extras; 'teams-registration refresh-token' gets one")
    if fields.auth == "workload_identity" and not fields.federated_token_file:
        raise reader.error(
            "federated_token_file", "is missing from the extras, and AZURE_FEDERATED_TOKEN_FILE is not set"
        )
    if fields.auth == "certificate":
        _refuse_certificates(reader, fields)


def _refuse_certificates(reader: Extras, fields: SignInFields) -> None:
    if not fields.certificate_path and not fields.certificate_data:
        raise reader.error(
            "certificate_path", "is missing from the extras; name a .pem or .pfx file, or put its text into private_key"
        )
    if fields.certificate_path and fields.certificate_data:
        raise reader.error("certificate_path", "and the text of a certificate are both given; keep one of them")
