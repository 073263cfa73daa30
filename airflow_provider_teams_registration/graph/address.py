"""Addresses of services, and values inside an address."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, urlsplit

from airflow_provider_teams_registration.exceptions import SettingsError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_IPV6_HOST = re.compile(r"[0-9a-f:.]+:[0-9a-f:.]*")
_PATH = re.compile(r"(/[A-Za-z0-9_~!$&'()*+,;=:-][A-Za-z0-9_.~!$&'()*+,;=:-]*)*")


def service_address(text: str, default_port: int | None = None) -> str:
    """
    Return the one spelling of a service's address: https, host in lower case, no default port, no slash at the end.

    :param text: an address, or a host with or without a port. Space around it is ignored.
    :param default_port: the port if the text names none. By default that of https.
    :raises ValueError: it is no such address. The text of the error completes "authority ..." and quotes no value.
    """
    text = text.strip()
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("holds a space, a control character or another sign that no address has")
    has_scheme = "://" in text
    try:
        parts = urlsplit(text if has_scheme else f"https://{text}")
        port = default_port if parts.port is None else parts.port
    except ValueError:
        raise ValueError("is no address: its host or port cannot be read") from None
    problem = _problem(text, parts, port, has_scheme=has_scheme)
    if problem:
        raise ValueError(problem)
    host = _host(parts)
    shown = f"[{host}]" if ":" in host else host
    place = shown if port in (None, _DEFAULT_PORTS["https"]) else f"{shown}:{port}"
    return f"https://{place}{parts.path.rstrip('/')}"


def _problem(text: str, parts: SplitResult, port: int | None, *, has_scheme: bool) -> str | None:
    if "@" in parts.netloc:
        return "holds user info (the sign @), which no address of this service has"
    if "?" in text or "#" in text:
        return "holds a query or a fragment (? or #), which no address of this service has"
    if parts.scheme.lower() != "https":
        return "must begin with https://, because secrets and tokens go there"
    host = _host(parts)
    is_named = has_scheme or "." in host or port is not None or host == "localhost"
    is_host = _IPV6_HOST.fullmatch(host) if ":" in host else _HOST.fullmatch(host)
    if not is_host or not is_named or port == 0:
        return "is no address such as https://graph.microsoft.com: its host or port cannot be right"
    if not _PATH.fullmatch(parts.path.rstrip("/")):
        return "has a path that cannot be right"
    return None


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").removesuffix(".")


def same_origin(one: str, other: str) -> bool:
    """
    Return whether two addresses have the same scheme, host and port, so that a token may go to either.

    The default port counts as given. An address with a bad port, without a host, or with user info is the same as none.

    :param one: an address with its scheme.
    :param other: another one.
    """
    origin = _origin(one)
    return origin is not None and origin == _origin(other)


def _origin(address: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    host = _host(parts)
    # urlsplit takes line breaks out of an address without a word.
    if not host or "@" in parts.netloc or port == 0 or not address.isprintable():
        return None
    return parts.scheme, host, port or _DEFAULT_PORTS.get(parts.scheme)


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
