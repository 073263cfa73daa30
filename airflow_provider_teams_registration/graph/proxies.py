"""
Which proxy a request goes through, read from the ``proxies`` of a connection.

The spellings are those of Airflow's ``msgraph`` hook (https://www.python-httpx.org/advanced/proxies/) and those of
requests. The most specific rule decides, as in httpx.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_teams_registration.exceptions import SettingsError

_SCHEMES = ("http", "https", "all")
_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_EXCEPTIONS = ("no", "no_proxy")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+.-]{0,19}(://[A-Za-z0-9_.*:-]{0,80})?")
_HOST = re.compile(r"\*?[a-z0-9_.:-]*")

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class _Rule:
    """
    A rule for requests.

    :param scheme: the scheme of the requests that it is for, or ``all``.
    :param host: their host; empty for every host.
    :param port: their port; None for every port.
    :param is_host: whether it is for the host itself.
    :param is_below: whether it is for the names below the host.
    :param network: the addresses that it is for, in place of a host.
    :param proxy: address of the proxy, which may hold a password; None sends directly.
    """

    scheme: str
    host: str = ""
    port: int | None = None
    is_host: bool = True
    is_below: bool = False
    network: _Network | None = None
    proxy: str | None = field(default=None, repr=False)

    def fits(self, scheme: str, host: str, port: int | None) -> bool:
        """Return whether it is for a request to this place."""
        if self.scheme not in ("all", scheme) or self.port not in (None, port):
            return False
        if self.network is not None:
            address = _address(host)
            return address is not None and address in self.network
        is_there = self.is_host and host == self.host
        return not self.host or is_there or (self.is_below and host.endswith(f".{self.host}"))

    @property
    def precedence(self) -> tuple[bool, int, int, bool]:
        """The sort key: port, longer host, scheme, and at last "directly" come first."""
        length = len(self.host) if self.network is None else len(str(self.network))
        return self.port is None, -length, -len(self.scheme.removeprefix("all")), self.proxy is not None


@dataclass(frozen=True)
class ProxyRules:
    """
    The rules of one connection.

    :param rules: the rules, the most specific one first.
    :param is_all_direct: whether every request is an exception.
    """

    rules: tuple[_Rule, ...] = field(default=(), repr=False)
    is_all_direct: bool = False

    def proxies_for(self, url: str, environment: Mapping[str, str]) -> dict[str, str]:
        """
        Return the proxies for one request as requests takes them.

        :param url: where the request goes.
        :param environment: the proxies for it that the environment names. They hold if the connection names no proxy,
            only exceptions, and the request is none of them.
        """
        if self.is_all_direct:
            return {}
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port or _DEFAULT_PORTS.get(parts.scheme)
        for rule in self.rules:
            if rule.fits(parts.scheme, host, port):
                return {} if rule.proxy is None else {"all": rule.proxy}
        names_only_exceptions = bool(self.rules) and all(rule.proxy is None for rule in self.rules)
        return dict(environment) if names_only_exceptions else {}


def read_proxies(proxies: Mapping[Any, Any]) -> ProxyRules:
    """
    Read the ``proxies`` of a connection.

    Keys are ``http``, ``https`` or ``all``, each with or without ``://``, or with ``://`` and a host, in any case. The
    value is the address of the proxy. Empty or None sends directly. The exceptions are a list or a text with commas
    under ``no`` or ``no_proxy``. ``host`` means the host itself under ``no``, as for the ``msgraph`` hook, and also
    the names below it under ``no_proxy``, as in the environment. ``*.host`` means the names below the host.

    :param proxies: the proxies by key.
    :raises SettingsError: a key or its value is not understood. The sentence names the key and no value.
    """
    failure: SettingsError
    try:
        return _read(proxies)
    except SettingsError as error:
        failure = error
    # The frames that it came through hold passwords of proxies.
    del proxies
    raise failure.with_traceback(None)


def _read(proxies: Mapping[Any, Any]) -> ProxyRules:
    exceptions: list[_Rule] = []
    rules: dict[_Rule, _Rule] = {}
    is_all_direct = False
    for key, value in proxies.items():
        name = str(key).strip().lower()
        if name in _EXCEPTIONS:
            entries = list(_exceptions(key, value))
            is_all_direct = is_all_direct or "*" in entries
            exceptions += [_exception(key, entry, has_names_below=name == "no_proxy") for entry in entries]
            continue
        place = _place(f"{name}://" if name in _SCHEMES else name)
        if place is None:
            raise _refusal(key, "is not understood; keys are http, https, all, no, no_proxy, or a scheme with ://host")
        rule = replace(place, proxy=_proxy(key, value))
        if rules.setdefault(place, rule) != rule:
            raise _refusal(key, "contradicts another key, which means the same requests")
    ordered = sorted([*exceptions, *rules.values()], key=lambda rule: rule.precedence)
    return ProxyRules(tuple(ordered), is_all_direct)


def _exceptions(key: Any, value: Any) -> Iterator[str]:
    entries = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(entries, Sequence) or not all(isinstance(entry, str) for entry in entries):
        raise _refusal(key, "must be a text with commas or a list of texts")
    for entry in entries:
        yield from (part.lower() for part in re.split(r"[,\s]+", entry) if part)


def _exception(key: Any, entry: str, *, has_names_below: bool) -> _Rule:
    is_suffix = entry.startswith(".")
    rule = _place(f"all://{entry.removeprefix('.')}" if "://" not in entry else entry)
    if rule is None:
        raise _refusal(key, "has an entry that is not understood; entries are hosts such as *.example.com")
    if not rule.is_below and rule.network is None and "://" not in entry and (is_suffix or has_names_below):
        return _Rule(rule.scheme, rule.host, rule.port, is_below=True)
    return rule


def _place(pattern: str) -> _Rule | None:
    """Return the rule for ``scheme://host``, which sends directly; None if it cannot be read."""
    scheme, is_pattern, rest = pattern.partition("://")
    if scheme not in _SCHEMES or not is_pattern:
        return None
    network = _network(rest)
    if network is not None:
        return _Rule(scheme, network=network)
    try:
        parts = urlsplit(f"//{rest}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    # httpx ignores a path.
    if "@" in rest or parts.query or parts.fragment or port == 0 or not _HOST.fullmatch(host):
        return None
    if host in ("", "*"):
        return _Rule(scheme, port=port)
    address = _network(host)
    if address is not None:
        return _Rule(scheme, port=port, network=address)
    name = host.removeprefix("*").removeprefix(".")
    return _Rule(scheme, name, port, is_host=not host.startswith("*."), is_below=host.startswith("*"))


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _proxy(key: Any, value: Any) -> str | None:
    """Return the address of a proxy; None for none."""
    if value is None or value == "":
        return None
    problem = _problem(value)
    if problem:
        raise _refusal(key, problem)
    address = str(value).strip()
    return address if "://" in address else f"http://{address}"


def _problem(value: Any) -> str | None:
    if not isinstance(value, str):
        return "must have a text as its value: the address of a proxy"
    address = value.strip()
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        is_address = bool(parts.hostname) and parts.port != 0 and address.isprintable() and " " not in address
    except ValueError:
        is_address = False
    if not is_address or parts.path not in ("", "/") or parts.query or parts.fragment:
        return (
            "has a value that is no address such as http://proxy:3128; "
            "the signs /, ?, # and @ in a password must be percent-encoded"
        )
    if parts.scheme.lower() not in _PROXY_SCHEMES:
        return f"has the address of a proxy whose scheme is none of {', '.join(_PROXY_SCHEMES)}"
    if parts.scheme.lower().startswith("socks") and find_spec("socks") is None:
        return "has the address of a SOCKS proxy, for which the package PySocks must be installed"
    return None


def _refusal(key: Any, what: str) -> SettingsError:
    # A value in the place of a key may be a secret.
    is_name = isinstance(key, str) and _NAME.fullmatch(key)
    return SettingsError(f"proxies: {f'the key {key!r}' if is_name else 'a key'} {what}.")
