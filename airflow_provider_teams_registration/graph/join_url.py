"""Whether what an answer gives as a person's link to join can be one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeGuard
from urllib.parse import urlsplit

LONGEST = 32_000
"""Characters of a link. Links of Teams have some hundred, and hold the registrant's id, percent-encoded."""
# Most links are plain: a host without user info and port, and below it no character that needs a closer look.
_PLAIN = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9.-]*(?:[/?#][!-\[\]-~]*)?")


def is_join_url(value: Any) -> TypeGuard[str]:
    """
    Return whether a value of an answer can be a link to join.

    A link leads to a host, on https, without user info. It holds no white space, no control or invisible character and
    no backslash, which browsers take for a slash.

    :param value: what stood in the answer.
    """
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable() or " " in value or "\\" in value:
        return False
    if _PLAIN.fullmatch(value):
        return True
    try:
        parts = urlsplit(value)
        # An impossible port raises only when it is asked for.
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def shared_links(links: Mapping[Any, str | None]) -> set[str]:
    """
    Return the links that several people got. A link is one person's, so it cannot be told whose they are.

    :param links: the links by person; None if the person has none.
    """
    counts = Counter(link for link in links.values() if link is not None)
    return {link for link, people in counts.items() if people > 1}
