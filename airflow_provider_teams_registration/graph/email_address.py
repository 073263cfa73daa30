"""E-mail addresses: one mailbox has one spelling, whatever an export or a service makes of it."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from airflow_provider_teams_registration.graph.characters import IMPOSSIBLE, without_unseen

_PLAIN = re.compile(r"[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@[a-z0-9-]+(\.[a-z0-9-]+)+")
_MAILTO = "mailto:"
# Straight and typographic quotes, and angle brackets, as they open and close around a text.
_PAIRS = frozenset(['""', "''", "``", "<>", "«»", "»«", "\u2039\u203a"])
_PAIRS |= {"\u201c\u201d", "\u201e\u201c", "\u201d\u201d", "\u2018\u2019", "\u201a\u2018", "\u2019\u2019"}
# Longer than any address with all that surrounds it.
_LONGEST = 1000


def read_email(text: str) -> str | None:
    """
    Return an address in the one spelling of its mailbox, or None where the text is no address.

    What exports add is removed: quotes and angle brackets around the address, ``mailto:``, surrounding space and
    invisible characters. The local part is in lower case and in Unicode normal form C. The domain is in lower case and
    in Unicode letters, also where it was given in punycode.

    :param text: the address as somebody wrote it.
    """
    if len(text) > _LONGEST or IMPOSSIBLE.search(text):
        return None
    from email_validator import EmailNotValidError, validate_email

    bare = _bare(_halfwidth(text))
    if IMPOSSIBLE.search(bare) or "\ufffd" in bare:
        # What a percent sign in mailto: stood for is no text.
        return None
    local, at, domain = bare.rpartition("@")
    # In a domain of such a script a joiner tells one name from another, so the library decides about it.
    address = f"{without_unseen(local)}{at}{without_unseen(domain, keep_spelling=True)}"
    try:
        valid = validate_email(address, check_deliverability=False)
        address = unicodedata.normalize("NFC", f"{valid.local_part.lower()}@{valid.domain}")
        if not address.isascii():
            # The lower case of a letter may be two characters, which make the address too long.
            validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return None
    return address


def mailbox(text: str) -> str:
    """
    Return an address as it tells one mailbox from another, for addresses that the service names.

    :param text: an address, or whatever stands in its place, which stays as it is but for its case.
    """
    lowered = text.strip().lower()
    if _PLAIN.fullmatch(lowered) and "xn--" not in lowered:
        return lowered
    return read_email(text) or lowered


def _halfwidth(text: str) -> str:
    """Replace the wide letters of East Asian keyboards. Other compatibility characters are letters of their own."""
    if text.isascii():
        return text
    return "".join(
        unicodedata.normalize("NFKC", one) if unicodedata.decomposition(one).startswith(("<wide>", "<narrow>")) else one
        for one in text
    )


def _bare(text: str) -> str:
    while True:
        # At the ends nothing invisible belongs to an address.
        bare = re.sub(r"^\W+|\W+$", lambda edge: without_unseen(edge.group()), text).strip()
        if len(bare) > 1 and bare[0] + bare[-1] in _PAIRS:
            bare = bare[1:-1]
        elif bare[: len(_MAILTO)].lower() == _MAILTO:
            bare = unquote(bare[len(_MAILTO) :].partition("?")[0])
        if bare == text:
            return bare
        text = bare
