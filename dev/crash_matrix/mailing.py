"""
Cells of the task that mails: kills between the mail server and the ledger, and mail servers and rows that lie.

The judge is the mail server: who has which mail.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RegistrationRecord, TaskRun
from airflow_provider_teams_registration.ledger.sql.ledger import SqlLedger
from airflow_provider_teams_registration.operators.enrolling import DEFAULT_LEDGER_TABLE
from dev.crash_matrix.attempt import Attempt
from dev.crash_matrix.fixture import breakpoints, empty_folder, run_in_process
from dev.crash_matrix.mail_sink import MailSink, Trouble

LEDGERS = ("sql", "state store")
KILL = "kill"
SWAPPED = "swapped links"
_WEBINAR = "00000000-0000-4000-8000-00000000000a@00000000-0000-4000-8000-00000000000b"
_EVENT = {"title": "Launch", "start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}
_LOST = "person-2@example.org"


@dataclass(frozen=True)
class _Case:
    """What a cell without a kill plays."""

    people: int = 3
    trouble: Mapping[str, Any] = field(default_factory=dict)
    ledgers: Sequence[str] = LEDGERS


TROUBLES: Mapping[str, _Case] = {
    # A task state store holds no links to compare with.
    SWAPPED: _Case(ledgers=("sql",)),
    "drops every 50 mails": _Case(people=120, trouble={"drops_every": 50}),
    "251 for each recipient": _Case(trouble={"rcpt_answer": "251 User not local; will forward"}),
    "greylisting": _Case(trouble={"later": 1}),
    "an answer lost": _Case(trouble={"lost": frozenset({_LOST})}),
}


@dataclass(frozen=True)
class MailCell:
    """
    One case.

    :param ledger: ``sql`` or ``state store``.
    :param trouble: ``kill``, or what is wrong with the rows or the mail server.
    :param point: where the first attempt is killed, and which time it passes that point; None without a kill.
    """

    ledger: str
    trouble: str
    point: tuple[str, int] | None = None

    def __str__(self) -> str:
        return f"mail, {self.ledger}: {self.trouble}{f' {self.point}' if self.point else ''}"


def mail_cells(ledger: str) -> list[MailCell]:
    """Let one attempt mail unharmed, and return a cell for every point that it passed and for every trouble."""
    with empty_folder() as folder, _mail_server(Trouble()) as sink:
        desk = _Desk(folder, ledger, sink, 3)
        attempt = desk.attempt(desk.rows)
        said = run_in_process(attempt)
        wrong = desk.judge(most_twice=0)
        if said != "success" or wrong:
            raise AssertionError(f"{ledger}: not even the mailing that nobody harmed is right: {said} {wrong}")
        passed = breakpoints(attempt)
    points = [(point, passed[: place + 1].count(point)) for place, point in enumerate(passed)]
    kills = [MailCell(ledger, KILL, point) for point in points]
    return kills + [MailCell(ledger, name) for name, case in TROUBLES.items() if ledger in case.ledgers]


def try_mail_cell(cell: MailCell) -> list[str]:
    """Play one case; return what is wrong, nothing if it is green."""
    case = TROUBLES.get(cell.trouble, _Case())
    with empty_folder() as folder, _mail_server(Trouble(**case.trouble)) as sink:
        desk = _Desk(folder, cell.ledger, sink, case.people)
        if cell.trouble == KILL:
            run_in_process(desk.attempt(desk.rows, inject_at=cell.point))
            said = run_in_process(desk.attempt(desk.rows))
            return [*desk.judge(most_twice=1), *_unless(said, "success")]
        if cell.trouble == SWAPPED:
            said = run_in_process(desk.attempt(_swapped(desk.rows)))
            return [*_unless(said, "Nobody was mailed"), *(["somebody was mailed"] if sink.mails() else [])]
        # The mail server may have the mail whose answer was lost, so no attempt succeeds, and none mails it again.
        expected = "answer was lost" if case.trouble.get("lost") else "success"
        both = [run_in_process(desk.attempt(desk.rows)) for _ in range(2)]
        return [*desk.judge(most_twice=0), *(wrong for one in both for wrong in _unless(one, expected))]


class _Desk:
    """One list of people, one ledger, and attempts at mailing them."""

    def __init__(self, folder: Path, ledger: str, sink: MailSink, people: int) -> None:
        self.rows = [_row(number) for number in range(1, people + 1)]
        self._folder, self._ledger, self._sink = folder, ledger, sink
        self._attempts = 0
        if ledger == "sql":
            self._enroll()

    def attempt(self, rows: Sequence[Mapping[str, Any]], inject_at: tuple[str, int] | None = None) -> Attempt:
        """Describe an attempt at mailing rows."""
        self._attempts += 1
        arguments = {"webinar_id": _WEBINAR, "event": _EVENT, "port": self._sink.port}
        return Attempt(
            folder=self._folder,
            name=f"attempt-{self._attempts}",
            connection={"conn_type": "teams_registration"},
            arguments=arguments,
            rows=rows,
            ledger=self._ledger,
            inject_at=inject_at,
            action="mail",
        )

    def judge(self, *, most_twice: int) -> list[str]:
        """
        Compare the mails with the rows; return what is wrong.

        :param most_twice: how many people at most may have the same mail twice.
        """
        ids: dict[str, set[str]] = {}
        mails = [(mail["To"].addresses[0].addr_spec, mail) for mail in self._sink.mails()]
        links = {row["email"]: row["join_web_url"] for row in self.rows}
        wrong = [f"{address} has no mail" for address in sorted(set(links) - {to for to, _ in mails})]
        for to, mail in mails:
            body = mail.get_body(("plain",))
            words = body.get_content().split() if body else []
            told = [address for address, link in links.items() if link in words]
            if told != [to]:
                wrong.append(f"{to} was told the links of {told}")
            ids.setdefault(to, set()).add(mail["Message-ID"])
        wrong += [f"{to} has mails with {len(some)} Message-IDs" for to, some in ids.items() if len(some) > 1]
        if len(mails) > len(ids) + most_twice:
            wrong.append(f"{len(mails)} mails reached {len(ids)} people")
        return wrong

    def _enroll(self) -> None:
        """Put the people into the ledger, as the task that enrolls does."""
        engine = sa.create_engine(f"sqlite:///{self._folder / 'ledger.db'}")
        ledger = SqlLedger(engine, DEFAULT_LEDGER_TABLE, run=TaskRun("crash_matrix", "scheduled", "enroll"))
        ledger.start_attempt(_WEBINAR)
        ledger.write(
            [
                RegistrationRecord(row["email"], "f", Outcome.ENROLLED, join_web_url=row["join_web_url"])
                for row in self.rows
            ]
        )
        ledger.close()


@contextmanager
def _mail_server(trouble: Trouble) -> Iterator[MailSink]:
    with MailSink(trouble) as sink:
        threading.Thread(target=sink.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield sink
        sink.shutdown()


def _row(number: int) -> dict[str, Any]:
    link = f"https://teams.microsoft.com/l/meetup-join/event?person={number}"
    return {"email": f"person-{number}@example.org", "outcome": "enrolled", "join_web_url": link, "error": None}


def _swapped(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    first, second, *others = (dict(row) for row in rows)
    first["join_web_url"], second["join_web_url"] = second["join_web_url"], first["join_web_url"]
    return [first, second, *others]


def _unless(said: str | None, expected: str) -> list[str]:
    return [] if expected in (said or "") else [f"the attempt ended with {(said or 'a kill')[:300]}"]
