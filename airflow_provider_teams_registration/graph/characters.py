"""Characters that nobody sees, and those that no database and no service can hold."""

from __future__ import annotations

import re
import unicodedata

IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
"""A NUL, or half of a surrogate pair."""

_JOINERS = "\u200c\u200d"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
# Control characters, and what Unicode calls Default_Ignorable_Code_Point.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
# Persian and the scripts of India spell with joiners, and Japanese names with variation selectors. Latin, Greek,
# Cyrillic and Armenian, which end before U+0590, need neither.
_AFTER_SUCH_A_LETTER = re.compile(f"(?<=[\u0590-\U0010ffff])(?:[{_SELECTORS}]|[{_JOINERS}])")
_VIRAMA = 9
"""The combining class of the sign that takes a consonant's vowel, in the scripts of India."""
_BREAKS = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029]")


def without_unseen(text: str, *, keep_spelling: bool = False) -> str:
    """
    Return a text without control characters and invisible ones. A line break or a tab becomes a space.

    :param text: the text.
    :param keep_spelling: whether invisible characters stay where a script needs them to spell a word.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _BREAKS.sub(" ", text)
    if not keep_spelling:
        return _UNSEEN.sub("", text)
    needed = {found.start() for found in _AFTER_SUCH_A_LETTER.finditer(text) if _spells(text, found.start())}
    return _UNSEEN.sub(lambda found: found.group() if found.start() in needed else "", text)


def _spells(text: str, place: int) -> bool:
    """Whether an invisible character after a letter of such a script does something: a joiner does not at the end."""
    if text[place] not in _JOINERS or unicodedata.combining(text[place - 1]) == _VIRAMA:
        return True
    return text[place + 1 : place + 2] >= "\u0590" and not _UNSEEN.match(text, place + 1)
