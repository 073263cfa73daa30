"""Faults by rule: which request, which hit, before or after it took effect, and what goes wrong."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Fault:
    """
    One rule.

    :param route: method and end of the path, ``*`` allowed: ``"POST registration/registrants"``, ``"POST $batch"``,
        ``"POST token"``, ``"* *"``.
    :param nth: the hit that it starts with, counted from 1 over the requests that match.
    :param times: how many hits in a row it strikes; 0 is all that follow.
    :param when: ``before`` or ``after`` the request took effect.
    :param status: status to answer with; None answers as if nothing had happened.
    :param code: Graph's error code.
    :param message: Graph's wording.
    :param retry_after: the ``Retry-After`` header, as it stands.
    :param is_plain_text: whether the body is empty ``text/plain``, as a gateway sends it.
    :param drop: whether the connection breaks without an answer; a batch leaves this item's answer out.
    :param half: whether it breaks in the middle of the answer; a batch leaves this item's answer out.
    :param omit: whether a batch leaves this item's answer out; a request of its own gets none either.
    :param delay: seconds the answer takes longer.
    :param registrant_id: strike only for this person.
    :param lands_after: seconds after which the request takes effect, long answered by then; ``when`` has no say.
        A rule that names neither a status nor a break answers 504. 0 is no late landing.
    """

    route: str
    nth: int = 1
    times: int = 1
    when: str = "before"
    status: int | None = None
    code: str = ""
    message: str = ""
    retry_after: str | None = None
    is_plain_text: bool = False
    drop: bool = False
    half: bool = False
    omit: bool = False
    delay: float = 0.0
    registrant_id: str | None = None
    lands_after: float = 0.0

    def __post_init__(self) -> None:
        if self.when not in ("before", "after"):
            raise ValueError(f"when is {self.when!r}; it must be before or after.")
        if not isinstance(self.route, str) or len(self.route.split(" ")) != 2:
            raise ValueError(f"route is {self.route!r}; it must be a method, a space and the end of a path.")
        if self.nth < 1 or min(self.times, self.delay, self.lands_after) < 0:
            raise ValueError("nth counts from 1; times, delay and lands_after cannot be negative.")
        if self.status is not None and (not isinstance(self.status, int) or not 200 <= self.status <= 599):
            raise ValueError(f"status is {self.status!r}; it must be a number from 200 to 599.")
        if not isinstance(self.retry_after, str | None):
            raise ValueError(f"retry_after is {self.retry_after!r}; it must be the header's text, such as '2'.")

    @property
    def prevents(self) -> bool:
        """Whether the request takes no effect, ever."""
        return (
            self.when == "before"
            and not self.lands_after
            and (self.status is not None or self.is_unanswered or self.half)
        )

    @property
    def is_unanswered(self) -> bool:
        """Whether a request of its own gets no answer at all."""
        return self.drop or self.omit

    def matches(self, method: str, path: str, registrant_id: str | None) -> bool:
        """Whether the rule is about this request, whichever hit it is."""
        wanted_method, wanted_path = self.route.split(" ")
        return (
            wanted_method in ("*", method)
            and fnmatchcase(path.rstrip("/"), f"*{wanted_path}")
            and self.registrant_id in (None, registrant_id)
        )


class Faults:
    """The rules in force and how often each was hit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Put a rule in force."""
        with self._lock:
            self._rules.append((fault, [0]))

    def clear(self) -> None:
        """Drop all rules."""
        with self._lock:
            self._rules.clear()

    def in_force(self) -> list[Fault]:
        """The rules."""
        return [fault for fault, _ in self._rules]

    def strike(self, method: str, path: str, registrant_id: str | None = None) -> Fault | None:
        """Count a request as a hit of every rule that is about it; return the first that strikes now."""
        striking = None
        with self._lock:
            for fault, hits in self._rules:
                if fault.matches(method, path, registrant_id):
                    hits[0] += 1
                    is_due = hits[0] >= fault.nth and (fault.times == 0 or hits[0] < fault.nth + fault.times)
                    striking = striking or (fault if is_due else None)
        return striking
