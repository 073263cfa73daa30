"""Waiting for something to be so, but not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooLate(AssertionError):
    """It was not so in time."""


def until(what: str, look: Callable[[], T | None], seconds: float, every: float = 0.2) -> T:
    """
    Look again and again until there is something to see.

    :param what: what is waited for.
    :param look: returns it; None or False while it is not there.
    :param seconds: how long to wait.
    :param every: seconds between two looks.
    :raises TooLate: it did not come in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise TooLate(f"not within {seconds:.0f} s: {what}")
        time.sleep(every)
