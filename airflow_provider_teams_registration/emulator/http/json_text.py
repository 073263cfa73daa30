"""JSON as it arrives. Text that the emulator could not send again is refused."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 64
"""How deeply arrays and objects may be nested."""


class UnreadableJson(ValueError):
    """The text is not usable JSON. The message says why, and quotes nothing but a name."""


def read_json(body: bytes, *, allows_half_surrogates: bool = False, called: str = "The body") -> Any:
    """
    Read the JSON text of a body or a file.

    :param body: its bytes.
    :param allows_half_surrogates: whether text may contain half of a surrogate pair, which UTF-8 cannot encode.
    :param called: the name of the text in messages.
    :raises UnreadableJson: the text is not UTF-8 or not JSON, is nested too deeply, or contains NaN, an infinite number
        or half of a surrogate pair.
    """
    try:
        read = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableJson(f"{called} is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise UnreadableJson(f"{called} is not JSON from character {error.pos + 1} on.") from None
    except RecursionError:
        raise _too_deep(called) from None
    except ValueError:
        raise UnreadableJson(f"{called} holds a number with too many digits.") from None
    _refuse_unservable(read, called, allows_half_surrogates=allows_half_surrogates)
    return read


def _too_deep(called: str) -> UnreadableJson:
    return UnreadableJson(f"{called} is nested more than {MAX_DEPTH} levels deep.")


def _refuse_unservable(read: Any, called: str, *, allows_half_surrogates: bool) -> None:
    # Level by level, because a recursive walk would fail on the deeply nested bodies that it has to refuse.
    level, depth = [(called, read)], 0
    while level:
        for place, value in level:
            if isinstance(value, float) and not math.isfinite(value):
                raise UnreadableJson(f"{place} is not a finite number.")
            if not allows_half_surrogates and isinstance(value, str) and not _is_unicode(value):
                raise UnreadableJson(f"{place} holds half of a surrogate pair.")
        level = [inner for place, value in level for inner in _inside(place, value)]
        depth += any(isinstance(value, dict | list) for _, value in level)
        if depth >= MAX_DEPTH:
            raise _too_deep(called)


def _inside(place: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        names = [("A name", name) for name in value]
        return [*names, *((name if _is_unicode(name) else place, inner) for name, inner in value.items())]
    return [(place, inner) for inner in value] if isinstance(value, list) else []


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
