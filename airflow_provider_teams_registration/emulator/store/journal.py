"""A line of the journal: one request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JournalEntry:
    """
    One request, sent alone or as an item of a batch.

    :param number: counted from 1.
    :param at: monotonic seconds when it arrived.
    :param method: HTTP method.
    :param path: path as it was sent, still encoded.
    :param status: status of the answer; None if there was no answer.
    :param request_id: the id that the service gave the request.
    :param client_request_id: the id that the caller gave the request.
    :param batch: request id of the batch that contained it; None if it was sent alone.
    :param registrant_id: id of the person in the request.
    :param effect: what it changed: ``enrolled``, ``renewed`` (a new link), ``cancelled``, ``opened``, ``closed``,
        ``created`` (a meeting or a webinar), ``changed``, ``published``; None if it has changed nothing so far.
    :param fault: route of the fault rule that applied to it.
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
