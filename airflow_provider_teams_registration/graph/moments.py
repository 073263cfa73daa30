"""Times as Graph writes them, and time zones by either name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone, tzinfo
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_teams_registration.core.event_facts import FIRST_YEAR, LAST_YEAR

UTC = "UTC"
_FRACTION = re.compile(r"\.\d+")


def moment_or_none(value: Any) -> datetime | None:
    """
    Return a time of Graph, in UTC; None where the value is no time, or its zone is not known. A time that nobody has
    set, which .NET writes as the first moment of the year 1, is no time.

    Service page: https://learn.microsoft.com/graph/api/resources/datetimetimezone

    :param value: a ``dateTimeTimeZone``, which is a wall time and a zone, or an ISO 8601 text.
    """
    if isinstance(value, Mapping):
        text, name = value.get("dateTime"), value.get("timeZone")
    else:
        text, name = value, None
    if not isinstance(text, str) or len(text) > 64:
        return None
    try:
        # Graph writes seven digits of a second, of which Python 3.10 takes six.
        moment = datetime.fromisoformat(_FRACTION.sub("", text).replace("Z", "+00:00"))
        if moment.tzinfo is None:
            iana = iana_name(name if isinstance(name, str) else None)
            moment = moment.replace(tzinfo=zone_of(iana)) if iana else moment
        return moment.astimezone(timezone.utc) if moment.tzinfo and FIRST_YEAR <= moment.year <= LAST_YEAR else None
    except (ValueError, OverflowError):
        # In the first and the last year not every time can be converted.
        return None


def zone_or_none(value: Any) -> str | None:
    """Return the name of the time zone of a ``dateTimeTimeZone``, if it is known."""
    name = value.get("timeZone") if isinstance(value, Mapping) else None
    return iana_name(name) if isinstance(name, str) else None


@cache
def iana_name(name: str | None) -> str | None:
    """
    Return the IANA name of a time zone; None if there is no such zone.

    :param name: an IANA name such as ``Europe/Rome``, or a Windows name, in whatever case.
    """
    if not name:
        return None
    folded = name.strip().lower()
    return iana_names().get(_windows_names().get(folded, folded).lower())


@cache
def zone_of(iana: str) -> tzinfo:
    """
    Return a time zone.

    :param iana: its IANA name, as :func:`iana_name` returns it.
    """
    if iana == UTC:
        return timezone.utc
    # Not the machine's own files: every worker must read the same.
    with resources.files("tzdata").joinpath("zoneinfo", *iana.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, iana)


@cache
def _windows_names() -> Mapping[str, str]:
    from tzlocal.windows_tz import win_tz

    return {name.lower(): str(iana) for name, iana in win_tz.items()}


@cache
def iana_names() -> Mapping[str, str]:
    """Return the IANA names of all time zones, by their name in lower case."""
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return {name.lower(): name for name in names}
