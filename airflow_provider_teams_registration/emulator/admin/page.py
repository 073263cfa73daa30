"""The emulator's page: events, the people on them, faults, the journal, and switches that can be set."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jinja2

from airflow_provider_teams_registration.emulator.behaviour.faults import Fault
from airflow_provider_teams_registration.emulator.behaviour.switches import CHOICES, Switches
from airflow_provider_teams_registration.emulator.store.registration import PENDING_APPROVAL, REGISTERED, WAITLISTED
from airflow_provider_teams_registration.emulator.tenant import EmulatedTenant

_JOURNAL_SHOWN = 100
_SEGMENT_SHOWN = 32
# The organizer's actions on a registration, by its status.
_ACTIONS = {
    PENDING_APPROVAL: ("approve", "reject"),
    WAITLISTED: ("promote", "cancel"),
    REGISTERED: ("cancel",),
}
_PAGES = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True)


@dataclass(frozen=True)
class SwitchRow:
    """
    One switch on the page.

    :param name: its name.
    :param value: its present value, as text.
    :param default: its default, as text.
    :param choices: the values to choose from; empty for a number or text.
    :param step: step of a number, as HTML has it; empty if it is no number.
    """

    name: str
    value: str
    default: str
    choices: tuple[str, ...]
    step: str


def render_page(emulator: EmulatedTenant, url: str, nonce: str) -> str:
    """
    Return the page as HTML.

    :param emulator: the tenant to show.
    :param url: the address at which the browser reached the emulator.
    :param nonce: the nonce of :func:`page_headers`.
    """
    return _PAGES.get_template("page.html").render(url=url, nonce=nonce, **_contents(emulator))


def page_headers(nonce: str) -> dict[str, str]:
    """
    Return the headers of the page. Only the page's own script runs, and no other site can show the page in a frame.

    A framed page could be covered, so that a person clicks its buttons without knowing. A script could come in through
    a join link: a caller may set one that begins with ``javascript:``.

    :param nonce: random text that marks the page's own script.
    """
    policy = {
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce}'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }


def _contents(emulator: EmulatedTenant) -> dict[str, Any]:
    store, now = emulator.store, time.monotonic()
    with store.lock:
        requests = sorted([*store.journal, *store.sign_ins], key=lambda entry: entry.at, reverse=True)
        return {
            "meetings": [(meeting, store.registrants(meeting.id)) for meeting in store.meetings()],
            "webinars": [(webinar, store.webinars.registrations(webinar.id)) for webinar in store.webinars.all()],
            "actions": _ACTIONS,
            "journal": [(entry, _short(entry.path), now - entry.at) for entry in requests[:_JOURNAL_SHOWN]],
            "requests": len(requests),
            "switches": _switch_rows(emulator.switches),
            "faults": [_fault_words(fault) for fault in emulator.faults.in_force()],
        }


def _short(path: str) -> str:
    """Shorten the ids in a path, so that its end, which tells requests apart, stays visible."""
    segments = path.split("/")
    return "/".join(f"{segment[:6]}…" if len(segment) > _SEGMENT_SHOWN else segment for segment in segments)


def _switch_rows(switches: Switches) -> list[SwitchRow]:
    defaults = asdict(Switches())
    return [_switch_row(name, value, defaults[name]) for name, value in asdict(switches).items()]


def _switch_row(name: str, value: Any, default: Any) -> SwitchRow:
    choices = ("True", "False") if isinstance(value, bool) else CHOICES.get(name, ())
    step = {int: "1", float: "any"}.get(type(value), "")
    return SwitchRow(name, str(value), str(default), choices, step)


def _fault_words(fault: Fault) -> dict[str, str]:
    """Return in words which requests a rule applies to, and what it does to them."""
    does = [
        f"answers {fault.status}" if fault.status is not None else "",
        f"Retry-After {fault.retry_after}" if fault.retry_after is not None else "",
        "empty plain text" if fault.is_plain_text else "",
        "drops the connection" if fault.drop else "",
        "breaks off half-way" if fault.half else "",
        "leaves the answer out" if fault.omit else "",
        "sends a body of its own" if fault.raw_body is not None else "",
        f"as {fault.content_type}" if fault.content_type is not None else "",
        f"headers {', '.join(fault.headers)}" if fault.headers else "",
        f"redirects to {fault.redirect}" if fault.redirect is not None else "",
        f"answers of a batch: {fault.answers}" if fault.answers is not None else "",
        f"{fault.drip:g} s between two bytes" if fault.drip else "",
        f"{fault.delay:g} s later" if fault.delay else "",
        f"takes effect after {fault.lands_after:g} s" if fault.lands_after else "",
    ]
    hits = {0: f"from hit {fault.nth} on", 1: f"hit {fault.nth}"}
    return {
        "route": fault.route,
        "who": fault.registrant_id or "",
        "hits": hits.get(fault.times, f"hits {fault.nth} to {fault.nth + fault.times - 1}"),
        "when": "before it takes effect" if fault.lands_after else f"{fault.when} it takes effect",
        "does": ", ".join(word for word in does if word),
    }
