"""The emulator's page for people who would rather look: events, those who are on them, the journal."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from airflow_provider_teams_registration.emulator.faults import Fault
from airflow_provider_teams_registration.emulator.registration import PENDING_APPROVAL, REGISTERED, WAITLISTED
from airflow_provider_teams_registration.emulator.switches import Switches

if TYPE_CHECKING:
    from airflow_provider_teams_registration.emulator.server import Emulator

_JOURNAL_SHOWN = 100
_SEGMENT_SHOWN = 32
# What the organizer can do about a registration, by its status.
_ACTIONS = {
    PENDING_APPROVAL: ("approve", "reject"),
    WAITLISTED: ("promote", "cancel"),
    REGISTERED: ("cancel",),
}
_PAGES = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True)


def render_page(emulator: Emulator) -> str:
    """Return the page as HTML."""
    return _PAGES.get_template("page.html").render(**_contents(emulator))


def _contents(emulator: Emulator) -> dict[str, Any]:
    books, now = emulator.books, time.monotonic()
    with books.lock:
        requests = sorted([*books.journal, *books.sign_ins], key=lambda entry: entry.at, reverse=True)
        return {
            "url": emulator.url,
            "meetings": [(meeting, books.registrants(meeting.id)) for meeting in books.meetings()],
            "webinars": [(webinar, books.webinars.registrations(webinar.id)) for webinar in books.webinars.all()],
            "actions": _ACTIONS,
            "journal": [(entry, _short(entry.path), now - entry.at) for entry in requests[:_JOURNAL_SHOWN]],
            "requests": len(requests),
            "switches": _switches(emulator),
            "faults": [_fault_words(fault) for fault in emulator.faults.in_force()],
        }


def _short(path: str) -> str:
    """Cut the ids in the middle of a path, so that its end, which tells requests apart, stays in sight."""
    segments = path.split("/")
    return "/".join(f"{segment[:6]}…" if len(segment) > _SEGMENT_SHOWN else segment for segment in segments)


def _switches(emulator: Emulator) -> list[tuple[str, Any, bool]]:
    usual = asdict(Switches())
    return [(name, value, value != usual[name]) for name, value in asdict(emulator.switches).items()]


def _fault_words(fault: Fault) -> dict[str, str]:
    """Say in words what a rule strikes, when, and what it does."""
    does = [
        f"answers {fault.status}" if fault.status is not None else "",
        f"Retry-After {fault.retry_after}" if fault.retry_after is not None else "",
        "empty plain text" if fault.is_plain_text else "",
        "drops the connection" if fault.drop else "",
        "breaks off half-way" if fault.half else "",
        "leaves the answer out" if fault.omit else "",
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
