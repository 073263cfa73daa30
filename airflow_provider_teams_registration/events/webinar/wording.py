"""Compare the wordings of questions and choices as people read them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from airflow_provider_teams_registration.graph.characters import without_unseen

_SIGNS = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2039\u203a\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}
_TRANSLATED = str.maketrans(_SIGNS)


def as_written(text: str) -> str:
    """Return a wording without its case and the space around it."""
    return text.strip().lower()


@lru_cache(maxsize=4096)
def as_read(text: str) -> str:
    """
    Return a wording in a form in which two wordings are equal if people read the same.

    The form ignores case (also of ``ß`` and of the Turkish letter i), the kind of quotes, dashes and space, the normal
    form, and invisible characters.
    """
    folded = unicodedata.normalize("NFKC", text.translate(_TRANSLATED)).casefold()
    folded = folded.replace("i\u0307", "i").replace("\u0131", "i")
    return " ".join(without_unseen(unicodedata.normalize("NFKC", folded).translate(_TRANSLATED)).split())
