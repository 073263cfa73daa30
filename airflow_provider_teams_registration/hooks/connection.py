"""The one place that reads an Airflow connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.graph.settings import (
    DEFAULT_TIMEOUT,
    DEFAULT_WRITE_WINDOW,
    GLOBAL_BASE_URL,
    GraphSettings,
)
from airflow_provider_teams_registration.hooks.extras import Extras
from airflow_provider_teams_registration.hooks.sign_in_fields import read_sign_in

_MASKED = "***"


def read_connection(connection: Any) -> GraphSettings:
    """
    Read an Airflow connection: one of type ``teams_registration``, or Airflow's own ``msgraph`` as it is.

    :param connection: the connection; ``login`` is the client id, ``password`` the client secret or the passphrase of
        the certificate's key, ``schema`` the tenant, the rest are extras.
    :raises SettingsError: a field is missing or cannot be right. The sentence names the field and the connection, and
        quotes nothing that was typed into a field.
    """
    failure: SettingsError
    try:
        return _settings(connection)
    except SettingsError as error:
        failure = error
    # Error trackers record local variables: those of the frames that the error came through hold secrets.
    del connection
    failure.__context__ = None
    raise failure.with_traceback(None)


def _settings(connection: Any) -> GraphSettings:
    extras = connection.extra_dejson
    if not isinstance(extras, Mapping):
        raise SettingsError(f"Connection {connection.conn_id!r}: extra must be a JSON object of names and values.")
    reader = Extras(connection.conn_id, extras)
    _refuse_what_is_masked(reader, connection.password)
    return GraphSettings(
        **vars(read_sign_in(reader, connection)),
        base_url=_base_url(reader, connection) or GLOBAL_BASE_URL,
        verify=reader.verify(),
        proxies=reader.proxies(),
        timeout=reader.seconds("timeout", DEFAULT_TIMEOUT),
        write_limit=reader.write_limit(),
        write_window=reader.seconds("write_window", DEFAULT_WRITE_WINDOW),
        scopes=reader.scopes(),
        disable_instance_discovery=bool(reader.yes_or_no("disable_instance_discovery")),
    )


def _refuse_what_is_masked(reader: Extras, password: str | None) -> None:
    """Airflow's form tests a changed connection with the mask in place of the secrets that were not typed again."""
    masked = [name for name, value in {**reader.extras, "password": password}.items() if value == _MASKED]
    if masked:
        raise reader.error(
            masked[0],
            "is '***', which Airflow shows in place of a secret. Save the connection first, then test it with: "
            "airflow connections test CONN_ID",
        )


def _base_url(reader: Extras, connection: Any) -> str | None:
    """Return Graph's address without a version: Airflow's msgraph connection may name one; here each call does."""
    address = reader.address("base_url")
    host = str(connection.host or "").strip()
    if address is None and host:
        address = reader.service_address("host", host, reader.port(connection.port))
    return address and re.sub(r"/(v1\.0|beta)$", "", address, flags=re.IGNORECASE)
