"""Fault rules: the requests they apply to, and what goes wrong with these requests."""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

ANSWERS = ("swap", "rotate", "same", "repeat", "reverse")
"""The ways to rearrange the answers of a batch, which :mod:`.batch_answers` carries out."""
_KINDS: Mapping[str, tuple[type, ...]] = {
    "route": (str,),
    "nth": (int,),
    "times": (int,),
    "when": (str,),
    "code": (str,),
    "message": (str,),
    "is_plain_text": (bool,),
    "drop": (bool,),
    "half": (bool,),
    "omit": (bool,),
    "delay": (int, float),
    "lands_after": (int, float),
    "drip": (int, float),
    "drips_head": (bool,),
    "headers": (dict,),
}
_TEXTS = ("registrant_id", "retry_after", "content_type", "body", "body_base64", "redirect", "answers")
# Timers and sleeps fail for longer times than the platform's clock can hold.
_LARGEST = 10**9
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?! )[ -~]*(?<! )")


@dataclass(frozen=True)
class Fault:
    """
    One rule.

    :param route: method and end of the path, ``*`` allowed: ``"POST registration/registrants"``, ``"POST $batch"``,
        ``"POST token"``, ``"* *"``.
    :param nth: the first matching request that the rule applies to, counted from 1.
    :param times: to how many matching requests in a row it applies; 0 is all that follow.
    :param when: ``before`` or ``after`` the request took effect.
    :param status: status of the answer; None leaves the answer as it is.
    :param code: error code in the body.
    :param message: error message in the body.
    :param retry_after: the ``Retry-After`` header, sent unchanged.
    :param is_plain_text: whether the body is empty ``text/plain``, as a gateway sends it.
    :param drop: whether the connection breaks without an answer; a batch omits this item's answer.
    :param half: whether the connection breaks in the middle of the answer; a batch omits this item's answer.
    :param omit: whether a batch omits this item's answer; a request that was sent alone gets no answer either.
    :param delay: additional seconds until the answer.
    :param registrant_id: the only person that the rule applies to; None is everybody.
    :param lands_after: seconds after which the request takes effect, although it was answered before; ``when`` is then
        ignored. A rule with neither a status nor a break answers 504. 0 does not delay the effect.
    :param headers: headers of the answer; they replace the emulator's own.
    :param content_type: the answer's ``Content-Type``.
    :param body: the answer's body, sent unchanged. Inside a batch it is the item's ``body``, as JSON if it is JSON.
    :param body_base64: the answer's body as bytes, in base64.
    :param redirect: the ``Location`` of a redirect; its status is 307 unless ``status`` is another one.
    :param drip: seconds between two single bytes of the body; 0 sends the body at once. If an item of a batch drips,
        the answer to the batch drips.
    :param drips_head: whether the status line and the headers drip as well.
    :param answers: how a batch rearranges its answers: ``swap`` the bodies of the first two, ``rotate`` all bodies,
        give every item the ``same`` body, ``repeat`` every id with the body of another item, or ``reverse`` the order.
        The items take effect. Such a rule applies to batches only.
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
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    body: str | None = None
    body_base64: str | None = None
    redirect: str | None = None
    drip: float = 0.0
    drips_head: bool = False
    answers: str | None = None

    def __post_init__(self) -> None:
        _refuse_other_kinds(self)
        if self.when not in ("before", "after"):
            raise ValueError(f"when is {self.when!r}; it must be before or after.")
        if len(self.route.split(" ")) != 2 or not self.route.isprintable():
            raise ValueError(f"route is {self.route!r}; it must be a method, a space and the end of a path.")
        if self.nth < 1 or min(self.times, self.delay, self.lands_after, self.drip) < 0:
            raise ValueError("nth counts from 1; times, delay, lands_after and drip cannot be negative.")
        if self.status is not None and (not isinstance(self.status, int) or not 200 <= self.status <= 599):
            raise ValueError(f"status is {self.status!r}; it must be a number from 200 to 599.")
        _refuse_contradictions(self)
        _refuse_impossible_headers(self)
        _ = self.raw_body

    @property
    def raw_body(self) -> bytes | None:
        """The bytes that replace the body; None leaves the body as it is."""
        if self.body is not None:
            return self.body.encode("utf-8", "surrogatepass")
        if self.body_base64 is None:
            return None
        try:
            return base64.b64decode(self.body_base64, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("body_base64 is no base64.") from None

    @property
    def answers_raw(self) -> bool:
        """Whether the rule replaces the whole answer."""
        return self.body is not None or self.body_base64 is not None or self.redirect is not None

    @property
    def prevents(self) -> bool:
        """Whether the request never takes effect."""
        return (
            self.when == "before"
            and not self.lands_after
            and (self.status is not None or self.is_unanswered or self.half or self.answers_raw)
        )

    @property
    def is_unanswered(self) -> bool:
        """Whether a request that was sent alone gets no answer."""
        return self.drop or self.omit

    def matches(self, method: str, path: str, people: Collection[str]) -> bool:
        """Whether the rule matches this request, regardless of ``nth`` and ``times``."""
        wanted_method, wanted_path = self.route.split(" ")
        return (
            wanted_method in ("*", method)
            and fnmatchcase(path.rstrip("/"), f"*{wanted_path}")
            and (self.answers is None or _is_batch(path))
            and (self.registrant_id is None or (self.registrant_id in people and self._is_for_one_person(path)))
        )

    def _is_for_one_person(self, path: str) -> bool:
        """Whether one matching person is enough. For a whole batch, the rule must name batches."""
        return not _is_batch(path) or self.route.endswith("$batch")


def read_fault(rule: Mapping[str, Any]) -> Fault:
    """
    Read a rule that came as JSON.

    :param rule: the arguments of :class:`Fault`, by name.
    :raises ValueError: the rule is not valid; the message says why.
    """
    known = [each.name for each in fields(Fault)]
    unknown = [name for name in rule if name not in known]
    if unknown:
        raise ValueError(f"A rule has no {unknown[0]!a}; it has {', '.join(known)}.")
    if "route" not in rule:
        raise ValueError("route is missing; it must be a method, a space and the end of a path.")
    return Fault(**rule)


def _is_batch(path: str) -> bool:
    return path.rstrip("/").endswith("$batch")


def _refuse_other_kinds(fault: Fault) -> None:
    for name, kinds in _KINDS.items():
        value = getattr(fault, name)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{name} is a {type(value).__name__}; it must be a {kinds[-1].__name__}.")
        # A comparison with NaN is false, so NaN is refused here too.
        if isinstance(value, int | float) and not -_LARGEST <= value <= _LARGEST:
            raise ValueError(f"{name} is not a number up to {_LARGEST}.")
    for name in _TEXTS:
        text = getattr(fault, name)
        if not isinstance(text, str | None):
            said = "the header's text, such as '2'" if name == "retry_after" else "text"
            raise ValueError(f"{name} is a {type(text).__name__}; it must be {said}.")


def _refuse_contradictions(fault: Fault) -> None:
    if fault.body is not None and fault.body_base64 is not None:
        raise ValueError("body and body_base64 are two bodies; name one of them.")
    if fault.redirect is not None and (not fault.redirect or not 300 <= (fault.status or 307) <= 399):
        raise ValueError("redirect needs an address, and a status from 300 to 399 where the rule names one.")
    if fault.answers is None:
        return
    if fault.answers not in ANSWERS:
        raise ValueError(f"answers is {fault.answers!r}; it must be one of {', '.join(ANSWERS)}.")
    if fault.status is not None or fault.answers_raw or fault.lands_after:
        raise ValueError("answers disarranges what the items got; it excludes status, body, redirect and lands_after.")
    if not fnmatchcase("/$batch", f"*{fault.route.split(' ')[1]}"):
        raise ValueError("answers is for batches: the route must match $batch, as 'POST $batch' does.")


def _refuse_impossible_headers(fault: Fault) -> None:
    for name, value in fault.headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"headers has the name {name!r}; it must be letters, digits and hyphens.")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError(
                f"headers has {name} with a value that is not printable ASCII text without spaces around it."
            )
    for argument in ("retry_after", "content_type", "redirect"):
        if not _HEADER_VALUE.fullmatch(getattr(fault, argument) or ""):
            raise ValueError(f"{argument} must be printable ASCII text without spaces around it.")


class Faults:
    """The present fault rules, and how many requests matched each of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Add a rule."""
        with self._lock:
            self._rules.append((fault, [0]))

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._rules.clear()

    @property
    def is_any_for_one_person(self) -> bool:
        """Whether any rule applies to one person only. If none does, the people in a request need not be looked up."""
        return any(fault.registrant_id is not None for fault in self.in_force())

    def in_force(self) -> list[Fault]:
        """Return the rules, in the order they were added."""
        return [fault for fault, _ in self._rules]

    def match(self, method: str, path: str, people: Collection[str] = ()) -> Fault | None:
        """
        Return the rule that applies to a request, and count the request for every rule that matches it.

        :param method: HTTP method.
        :param path: path of the request.
        :param people: the ids and addresses of the people in the request.
        :return: the first rule that is due; None if no rule is.
        """
        due = None
        with self._lock:
            for fault, hits in self._rules:
                if fault.matches(method, path, people):
                    hits[0] += 1
                    is_due = hits[0] >= fault.nth and (fault.times == 0 or hits[0] < fault.nth + fault.times)
                    due = due or (fault if is_due else None)
        return due
