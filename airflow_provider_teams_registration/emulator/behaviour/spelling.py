"""The ways in which reads may spell an id or an address differently from how it was sent."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as_sent": lambda text: text,
    "upper": str.upper,
    "lower": str.lower,
    "nfc": lambda text: unicodedata.normalize("NFC", text),
    "nfd": lambda text: unicodedata.normalize("NFD", text),
    "padded": lambda text: f" {text} ",
}
"""By the value of the switch ``listed_as``."""


def listed(text: str, how: str) -> str:
    """
    Return a text as reads spell it.

    :param text: the text as it was sent.
    :param how: a key of :data:`SPELLINGS`.
    """
    return SPELLINGS[how](text)
