"""How a failure of our own is told: where it broke down, and nothing of what was sent."""

from __future__ import annotations

import traceback


def redacted_traceback(error: BaseException) -> str:
    """Return an error's type and places. Its own text may hold what was sent."""
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__)))
    return f"{type(error).__name__} at {places}"
