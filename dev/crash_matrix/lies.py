"""The lies of the proof: answers that are not what was asked for, while an answer to a write is lost as well."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from airflow_provider_teams_registration.emulator.server import Emulator
from dev.crash_matrix.fixture import Fixture, empty_folder
from dev.crash_matrix.matrix import DUPLICATES, FAULTS, OF_OTHERS, PEOPLE

LEDGERS = ("sql", "state store", "memory")
KINDS = ("meeting", "webinar")
RETRIES = 3
_ELSEWHERE = "elsewhere"
"""Stands for the address of another host in a rule's ``redirect``."""
_BODIES: Mapping[str, str] = {
    "HTML": "<html><body>Sign in to the network</body></html>",
    "nothing": "",
    "an empty object": "{}",
    "null": '{"value": null}',
    "an object": '{"value": {}}',
    "null items": '{"value": [null]}',
    "half a text": '{"value": [{"id": "person 1"',
    "base64": "eyJ2YWx1ZSI6IFtdfQ==",
}
_FIRST_READ = ("HTML", "nothing", "null")
"""Bodies of the read before anybody is sent: for the others see the read after a lost answer."""
_LISTS = {"meeting": "GET registration/registrants", "webinar": "GET registrations"}
_WRITES = {"meeting": "POST registration/registrants", "webinar": "POST registrations"}
_FAULTY = "person 7"
_PASSER_BY = "passer by"
"""A person who is on the event, in no input, and is taken off meanwhile."""
SOMEBODY_LEAVES = "somebody is taken off between two pages"


@dataclass(frozen=True)
class Lie:
    """
    What the service answers instead of the truth.

    :param name: what the proof calls it.
    :param rules: the emulator's fault rules.
    :param switches: the emulator's switches beside the setting's.
    :param refused: people whom the service refuses, and who are not on the event in the end.
    :param arguments: the operator's arguments beside the usual ones.
    :param taken_off_at: number of the read of a page of the list during which somebody else is taken off; 0 is none.
    """

    name: str
    rules: tuple[Mapping[str, Any], ...]
    switches: Mapping[str, Any] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    taken_off_at: int = 0


@dataclass(frozen=True)
class LyingCell:
    """
    One case.

    :param kind: ``meeting`` or ``webinar``.
    :param ledger: ``sql``, ``state store`` or ``memory``.
    :param duplicate: what a second enrollment of the same person does.
    :param lie: the lie.
    """

    kind: str
    ledger: str
    duplicate: str
    lie: Lie

    def __str__(self) -> str:
        return f"{self.kind}, {self.ledger}, {self.duplicate}: {self.lie.name}"


def lying_cells() -> list[LyingCell]:
    """Return every lie in every circumstance."""
    return [
        LyingCell(kind, ledger, duplicate, lie)
        for kind in KINDS
        for ledger in LEDGERS
        for duplicate in DUPLICATES
        for lie in lies(kind)
    ]


def lies(kind: str) -> list[Lie]:
    """Return the lies that make sense for a kind of event."""
    lost = {**(FAULTS["answer lost"] or {})}
    return [
        *(
            Lie(
                f"read {nth} of the list is {name}",
                (lost, {"route": _LISTS[kind], "body": body, "nth": nth, "times": 4}),
            )
            for nth, names in ((1, _FIRST_READ), (2, _BODIES))
            for name, body in ((name, _BODIES[name]) for name in names)
        ),
        Lie(
            "a later page is empty",
            (lost, {"route": _LISTS[kind], "body": "{}", "nth": 2, "times": 4}),
            {"page_size": 9},
        ),
        *(
            Lie(f"the list spells people {how}", (lost,), {"listed_as": how})
            for how in ("upper", "lower", "padded", "nfd")
        ),
        Lie("pages go by offset", (lost,), {"paging": "offset", "page_size": 9}),
        Lie("list redirects", (lost, {"route": _LISTS[kind], "redirect": _ELSEWHERE, "times": 4})),
        Lie("sign-in redirects", (lost, {"route": "POST token", "redirect": _ELSEWHERE, "times": 2})),
        Lie("sign-in is HTML", (lost, {"route": "POST token", "body": "<html>", "times": 2})),
        *(_lies_of_webinars(lost) if kind == "webinar" else _lies_of_meetings(lost)),
        Lie("batch is HTML", ({"route": "POST $batch", "when": "after", "body": "<html>"},)),
        Lie("batch is an empty object", ({"route": "POST $batch", "when": "after", "body": "{}"},)),
        Lie("an item of a batch is HTML", ({"route": _WRITES[kind], "when": "after", "body": "<html>"},)),
        Lie("an item wants a fresh token", (lost, {"route": _WRITES[kind], "status": 401, "nth": 22})),
        *(
            Lie(
                f"a batch is refused with {status} because of one row",
                ({"route": "POST $batch", "registrant_id": _FAULTY, "status": status, "times": 0},),
                refused=frozenset({_FAULTY}),
            )
            for status in (400, 403, 413)
        ),
    ]


def _lies_of_meetings(lost: Mapping[str, Any]) -> list[Lie]:
    link = '{{"joinWebUrl": "{}"}}'.format
    answers = [
        Lie(f"answers of a batch: {how}", ({"route": "POST $batch", "answers": how},))
        for how in ("swap", "rotate", "same", "repeat", "reverse")
    ]
    links = [
        Lie(f"link is {name}", ({"route": _WRITES["meeting"], "when": "after", "body": body, "nth": 3},))
        for name, body in {
            "plain http": link("http://teams.example.com/l/1"),
            "a script": link("javascript:alert(1)"),
            "another person's": '{"id": "person 99", "joinWebUrl": "https://teams.example.com/l/99"}',
        }.items()
    ]
    form = [
        Lie(f"registration is {name}", (lost, {"route": "GET registration", "body": body, "times": 2}))
        for name, body in ((name, _BODIES[name]) for name in ("HTML", "nothing", "null", "half a text"))
    ]
    # The answer of the first page after the lost answer is delayed, so that the next page's offset skips somebody.
    slow_page = {"route": _LISTS["meeting"], "nth": 2, "when": "after", "delay": 0.5}
    shrinking = Lie(
        SOMEBODY_LEAVES,
        (lost, slow_page),
        {"paging": "offset", "page_size": 9},
        arguments={"settle_after": 0.0},
        taken_off_at=2,
    )
    return [*answers, *links, *form, shrinking]


def _lies_of_webinars(lost: Mapping[str, Any]) -> list[Lie]:
    routes = {
        "look-up by address": "GET registrations(*",
        "sessions": "GET sessions",
        "form": "GET questions",
        "webinar": "GET webinars/*",
    }
    return [
        Lie(f"{what} is {name}", (lost, {"route": route, "body": _BODIES[name], "times": 3}))
        for what, route in routes.items()
        for name in ("HTML", "nothing", "an empty object", "null")
    ]


def try_lying_cell(emulator: Emulator, cell: LyingCell, bug: str | None = None) -> list[str]:
    """
    Play one case: an attempt that is lied to, and retries where the ledger lasts.

    :return: what is wrong, nothing where it is green.
    """
    with empty_folder() as folder, _elsewhere() as elsewhere:
        fixture = Fixture(
            emulator, folder, cell.ledger, {"duplicate": cell.duplicate, **cell.lie.switches}, bug, cell.kind
        )
        for rule in cell.lie.rules:
            address = {"redirect": elsewhere.address} if "redirect" in rule else {}
            emulator.add_fault(**{**rule, **address})
        others = [OF_OTHERS]
        if cell.lie.taken_off_at:
            others.append(_PASSER_BY)
            fixture.event.enroll_by_others(_PASSER_BY)
        fixture.event.enroll_by_others(OF_OTHERS)
        rows = [fixture.event.row(person) for person in PEOPLE]
        arguments = {"max_rejected": 1 + len(cell.lie.refused), **cell.lie.arguments}
        with _somebody_leaves(fixture, cell.lie.taken_off_at):
            said = fixture.run(fixture.attempt(rows, arguments=arguments))
        for _ in range(RETRIES if cell.ledger != "memory" else 0):
            if said == "success":
                break
            said = fixture.run(fixture.attempt(rows, arguments=arguments))
        wrong = elsewhere.findings()
        if said == "success":
            return wrong + fixture.judge(rows, others, refused=cell.lie.refused)
        # Without a ledger that lasts an attempt may end honestly: nobody is on twice, and no row is wrong.
        wrong += fixture.judge_honesty(rows, others)
        return wrong if cell.ledger == "memory" else [*wrong, f"the last retry ended with {said}"]


@contextmanager
def _somebody_leaves(fixture: Fixture, at: int) -> Iterator[None]:
    """Take the passer-by off once a page of the list was read that many times; 0 takes nobody off."""
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.01):
            if fixture.event.list_reads() >= at:
                fixture.event.take_off(_PASSER_BY)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    if at:
        watcher.start()
    yield
    is_over.set()
    if at:
        watcher.join()


class _Elsewhere(ThreadingHTTPServer):
    """A host that nobody means to talk to. It notes what it is told, and says that lists are empty."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.told: list[str] = []

    @property
    def address(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}/"

    def findings(self) -> list[str]:
        """Return what is wrong: anything that it was told."""
        return [f"another host was told: {what}" for what in sorted(set(self.told))]


class _Listener(BaseHTTPRequestHandler):
    server: _Elsewhere

    def do_GET(self) -> None:
        """Note a request, and answer as a list that is empty."""
        self.server.told.append(f"{self.command}{' with a token' if 'Authorization' in self.headers else ''}")
        body = json.dumps({"value": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def _elsewhere() -> Iterator[_Elsewhere]:
    with _Elsewhere() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()
