"""Which event a task is about: exactly one, of one of the two kinds."""

from __future__ import annotations


def refuse_two_events(meeting_id: str | None, webinar_id: str | None) -> None:
    """
    Refuse an event that is named twice, or not at all.

    :raises ValueError: not exactly one of the two is given.
    """
    if bool(meeting_id) == bool(webinar_id):
        raise ValueError(f"{'Both' if meeting_id else 'Neither'} of meeting_id and webinar_id given; give exactly one.")
