"""The extras of an Airflow connection, read one by one."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.graph.settings import DEFAULT_WRITE_LIMIT

_YES_AND_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LONGEST_TIME = 86_400.0


@dataclass(frozen=True)
class Extras:
    """
    Reads the extras of one connection. An error names the field and the connection, and quotes no value.

    :param conn_id: the connection.
    :param extras: its extras.
    """

    conn_id: str
    extras: Mapping[str, Any] = field(repr=False)

    def error(self, name: str, what: str) -> SettingsError:
        """Return the error of a field."""
        return SettingsError(f"Connection {self.conn_id!r}: {name} {what}.")

    def text(self, *names: str) -> str | None:
        """Return the first of the extras that is not empty."""
        return next((text for name in names if (text := str(self.extras.get(name) or "").strip())), None)

    def address(self, name: str) -> str | None:
        """Return the address of a service; None where the extra is empty."""
        text = self.text(name)
        return None if text is None else self.service_address(name, text)

    def service_address(self, name: str, text: str, default_port: int | None = None) -> str:
        """Return the one spelling of an address."""
        from airflow_provider_teams_registration.graph.address import service_address

        try:
            return service_address(text, default_port)
        except ValueError as error:
            raise self.error(name, str(error)) from None

    def port(self, value: Any) -> int | None:
        """Read a port. Airflow's form saves 0 where it was left empty."""
        digits = str(value).strip()
        if value in (None, "") or digits == "0":
            return None
        if not digits.isascii() or not digits.isdigit() or not 0 < int(digits[:6]) < 65_536:
            raise self.error(
                "port", f"is {kind_of(value)} that is no port; leave it empty, or give one from 1 to 65535"
            )
        return int(digits)

    def yes_or_no(self, name: str) -> bool | None:
        """Read true or false; None where the extra is empty."""
        value = self.extras.get(name)
        if value is None or value == "" or isinstance(value, bool):
            return value if isinstance(value, bool) else None
        if str(value).strip().lower() not in _YES_AND_NO:
            raise self.error(name, "must be true or false")
        return _YES_AND_NO[str(value).strip().lower()]

    def verify(self) -> bool | str | None:
        """Read what certificates of the services are checked against."""
        text = self.text("verify")
        if self.extras.get("verify") in (None, "", True, False) or str(text).lower() in _YES_AND_NO:
            return self.yes_or_no("verify")
        if not _is_there(str(text)):
            raise self.error(
                "verify",
                "is neither true nor false nor the path of a CA file: there is no such file on this machine",
            )
        return text

    def proxies(self) -> dict[str, Any] | None:
        """Read the proxies; None leaves them to the environment."""
        value = self.extras.get("proxies")
        if isinstance(value, str) and value.strip():
            value = _parsed(value)
            if not isinstance(value, dict):
                raise self.error("proxies", "must be a JSON object of scheme and proxy address")
        if not value:
            return None
        if not isinstance(value, Mapping):
            raise self.error("proxies", "must be a JSON object of scheme and proxy address")
        from airflow_provider_teams_registration.graph.proxies import read_proxies

        try:
            read_proxies(value)
        except SettingsError as error:
            raise SettingsError(f"Connection {self.conn_id!r}: {error}") from None
        return {str(key): proxy for key, proxy in value.items()}

    def seconds(self, name: str, default: float) -> float:
        """Read a number of seconds."""
        value = self.extras.get(name)
        try:
            seconds = default if value in (None, "") else float(str(value))
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= _LONGEST_TIME:
            raise self.error(
                name,
                f"is {kind_of(value)} that cannot be right; "
                f"it must be a number of seconds above 0, and {_LONGEST_TIME:.0f} at most",
            )
        return seconds

    def write_limit(self) -> int:
        """Read how many writes are allowed in a window."""
        value = self.extras.get("write_limit")
        if value in (None, ""):
            return DEFAULT_WRITE_LIMIT
        number = float(value) if str(value).replace(".", "", 1).isdecimal() else 0.0
        if not 1 <= number <= sys.maxsize or number != int(number):
            raise self.error(
                "write_limit", f"is {kind_of(value)} that cannot be right; it must be a whole number from 1"
            )
        return int(number)

    def scopes(self) -> tuple[str, ...]:
        """Read the scopes to ask for."""
        value = self.extras.get("scopes")
        parts = value if isinstance(value, list | tuple) else re.split(r"[,\s]+", str(value or ""))
        return tuple(str(part).strip() for part in parts if str(part).strip())


def kind_of(value: Any) -> str:
    """
    Say what sort of value was given, and not which: a secret may have been pasted into the wrong field.

    :param value: the value.
    """
    if isinstance(value, bool):
        return "a boolean"
    kinds = ((str, "a string"), (int | float, "a number"), (list | tuple, "a list"), (Mapping, "an object"))
    return next((word for kind, word in kinds if isinstance(value, kind)), f"a value of type {type(value).__name__}")


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        # Too long for a path, or with a NUL.
        return False


def _parsed(text: str) -> Any:
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None
