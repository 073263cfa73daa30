"""What a value looks like, and how an error names the arguments that led to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from airflow_provider_teams_registration.exceptions import NotFound

_GUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_NOTHING = frozenset({"none", "null", "nan", "undefined"})
_HOST = r"(?:[a-z][a-z0-9+.-]*://[^/\s]*|[a-z0-9-]+(?:\.[a-z0-9-]+)+)"
_LOOKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\s*{_HOST}/(?:\S*/)?(?:meetup-join|meet|join)/.*", re.IGNORECASE | re.DOTALL), "a join URL"),
    (re.compile(rf"\s*{_HOST}/.*|\s*[a-z][a-z0-9+.-]*://.*", re.IGNORECASE | re.DOTALL), "a link"),
    (re.compile(rf"{_GUID}@{_GUID}", re.IGNORECASE), "a webinar's id"),
    (re.compile(_GUID, re.IGNORECASE), "a GUID"),
    # Base64 of '1*', a GUID and more.
    (re.compile(r"MS[op][\w+/-]{40,}={0,2}", re.ASCII), "an online meeting's id"),
    (re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"), "an e-mail address"),
    (re.compile(r"\s*\d[\d\s]*"), "a number"),
)
_HOLDS_A_LINK = re.compile(r"://|/meetup-join/|/meet/\d", re.IGNORECASE)
LINKS = ("a join URL", "a link", "a text with a link")
"""What :func:`looks_like` says about values that hold a link, which may be a credential."""


def looks_like(value: str) -> str:
    """
    Return what a value looks like, such as ``a join URL``. The words never hold a part of the value.

    :param value: the value of an argument.
    """
    whole, value = value, unquote(value[:4_000])
    if not value.strip():
        return "empty"
    if value.strip().lower() in _NOTHING:
        return "the word for no value"
    kind = next((kind for pattern, kind in _LOOKS if pattern.fullmatch(value)), "an id")
    # Programs that forward a link encode it once more each time.
    if kind in ("an id", "an e-mail address") and _HOLDS_A_LINK.search(unquote(unquote(unquote(whole)))):
        return "a text with a link"
    return f"{kind} with white space" if kind == "an id" and re.search(r"\s", value) else kind


def name_arguments(error: NotFound, arguments: Mapping[str, str | None]) -> NotFound:
    """
    Add to a 404 which arguments led to it, and what their values look like.

    :param error: the error. It keeps the advice that it has.
    :param arguments: the arguments' values, by name. None is an argument that was not given.
    :return: the error.
    """
    named = [f"{name} (it looks like {_kind(name, value)})" for name, value in arguments.items() if value is not None]
    advice = " ".join([f"Check {' and '.join(named)}.", *_advice(arguments)]) if named else ""
    if advice not in error.advice:
        error.advise(" ".join(filter(None, [error.advice, advice])))
    return error


def _advice(arguments: Mapping[str, str | None]) -> list[str]:
    """Return what to do about each value that cannot be what its argument takes."""
    kinds = {name: looks_like(value) for name, value in arguments.items() if value is not None}
    advice = []
    if kinds.get("meeting_id") in (*LINKS, "a number"):
        advice.append("meeting_id takes the id in Graph, which FindEventOperator finds by a join URL or a number.")
    if kinds.get("organizer_id", "a GUID") != "a GUID":
        advice.append("organizer_id takes the organizer's object id, which is a GUID.")
    return advice


def _kind(name: str, value: str) -> str:
    kind = looks_like(value)
    return "a name" if name.endswith("_name") and kind.startswith("an id") else kind
