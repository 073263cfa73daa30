"""A line of the journal: one request that was made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JournalEntry:
    """
    One request that was made, alone or as an item of a batch.

    :param number: counted from 1.
    :param at: monotonic seconds when it came in.
    :param method: HTTP method.
    :param path: path as it was sent, still encoded.
    :param status: status of the answer; None where none was given.
    :param request_id: the service's id of it.
    :param client_request_id: the caller's id of it.
    :param batch: request id of the batch it came in.
    :param registrant_id: whom it was about.
    :param effect: what it changed: ``enrolled``, ``renewed`` (a new link), ``cancelled``, ``opened``, ``closed``,
        ``created`` (a meeting or a webinar), ``changed``, ``published``; None where nothing, or nothing yet.
    :param fault: route of the rule that struck it.
    """

    number: int
    at: float
    method: str
    path: str
    status: int | None
    request_id: str
    client_request_id: str | None = None
    batch: str | None = None
    registrant_id: str | None = None
    effect: str | None = None
    fault: str | None = None
