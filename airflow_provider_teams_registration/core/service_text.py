"""What the service says, made fit to be stored, logged and shown. Everything that it says goes through here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

LONGEST_CODE = 128
LONGEST_WORDING = 4_000
_LONGEST_SHOWN = 500
_CUT = "…"

_UNSTORABLE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# Each alternative begins where no other match of it can begin earlier, so that no text is read once per character.
_PERSONAL = re.compile(
    r"https?://\S+"  # links
    r"|(?<![^\s@'\"<>])[^\s@'\"<>]+(?:'[^\s@'\"<>]+)*@[^\s@'\"<>]+\.[^\s@'\"<>]+"  # e-mail addresses, o'hara's too
    r"|eyJ[\w-]+\.[\w-]+\.?[\w-]*"  # tokens
)
_LONG = 4


def storable(value: Any, at_most: int = LONGEST_CODE) -> str:
    """
    Return a value of the service's as text that every database, XCom and log can hold.

    :param value: whatever stood in the answer. Text and whole numbers are taken; anything else is no text.
    :param at_most: characters to keep. Longer text is cut, and ends in ``…``. Default 128.
    :return: the text, empty for a value that is none. It holds no control character, no line break and no half of a
        surrogate pair.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = value if isinstance(value, str) else _digits(value)
    text = text if len(text) <= at_most else text[: at_most - 1] + _CUT
    return _CONTROL.sub(" ", _UNSTORABLE.sub("\ufffd", text))


def blank_personal(text: str, values: Iterable[str | None] = ()) -> str:
    """
    Return text, percent-decoded and in short, without links, e-mail addresses, tokens and the given values.

    Text beyond 4,000 characters is cut off first, and the result beyond 500: the work is bounded whatever comes.

    :param text: the service's wording.
    :param values: the personal values that were sent.
    """
    known = {value for value in values if value}
    if len(text) > LONGEST_WORDING:
        text = _without_broken_end(text[:LONGEST_WORDING], known) + _CUT
    known = {value for value in known if len(value) <= LONGEST_WORDING}
    text = _blank(unquote(_blank(text, known)), known | {unquote(value) for value in known})
    return storable(_PERSONAL.sub("…", text), _LONGEST_SHOWN)


def _digits(number: int) -> str:
    # Python refuses to write numbers of more than 4,300 digits.
    return str(number) if number.bit_length() < 4_000 else ""


def _without_broken_end(text: str, values: Iterable[str]) -> str:
    """Drop what the cut went through: a word, or the beginning of a value."""
    for value in values:
        begun = next((n for n in range(min(len(value), len(text)), 0, -1) if _ends_with(text, value[:n])), 0)
        text = text[: len(text) - begun]
    whole = text.rsplit(None, 1)
    return f"{whole[0]} " if len(whole) > 1 else ""


def _ends_with(text: str, part: str) -> bool:
    return text[-len(part) :].lower() == part.lower()


def _blank(text: str, values: Iterable[str]) -> str:
    for value in sorted(values, key=len, reverse=True):
        # A short id stands by chance inside many a word and number.
        word = re.escape(value) if len(value) >= _LONG else rf"(?<!\w){re.escape(value)}(?!\w)"
        text = re.sub(word, "…", text, flags=re.IGNORECASE)
    return text


def one_line(text: str) -> str:
    """Return a text in one line, without control characters, as a header of a mail or a log takes it."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
