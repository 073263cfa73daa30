"""Values inside an address."""

from __future__ import annotations

from urllib.parse import quote

from airflow_provider_teams_registration.graph.errors import SettingsError


def segment(name: str, value: str) -> str:
    """
    Encode one segment of a path. HTTP libraries and servers fold dots away, so that another thing is addressed.

    :param name: what the value is called, for the error.
    :param value: the segment.
    :raises SettingsError: it cannot stand in an address.
    """
    if value in ("", ".", ".."):
        raise SettingsError(f"{name} is {value!r}, which cannot stand in an address.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise SettingsError(f"{name} holds half a character (a lone surrogate), which no address can.") from None


def odata_string(value: str) -> str:
    """Encode a string as OData wants it in an address: quoted, and its quotes doubled."""
    doubled = value.replace("'", "''")
    return f"'{quote(doubled, safe='')}'"
