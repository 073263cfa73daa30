"""Deliberate bugs. A proof that stays green with one of them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow_provider_teams_registration.enrollment.books import Books, Finished, Foreign
from airflow_provider_teams_registration.enrollment.ledger import utc_now
from airflow_provider_teams_registration.enrollment.person import Person
from airflow_provider_teams_registration.enrollment.settling import Settling, Step
from airflow_provider_teams_registration.enrollment.sql_ledger import SqlLedger
from airflow_provider_teams_registration.enrollment.state_store_ledger import StateStoreLedger


def plant(name: str | None) -> None:
    """Put a bug into this process; None puts none."""
    if name is not None:
        BUGS[name]()


def _send_again_instead_of_settling() -> None:
    def settle(*_: Any) -> Step:
        return Step.SEND

    Settling.settle = settle  # type: ignore[method-assign, assignment]


def _write_the_ledger_only_after_the_answer() -> None:
    write_all = Books.write

    def write(
        books: Books, finished: Sequence[Finished], people: Sequence[Person] = ()
    ) -> tuple[list[Person], Foreign]:
        _, foreign = write_all(books, finished)
        for person in people:
            # Whoever sends looks how old the ledger's word is.
            person.entry = replace(person.entry or person.entry_in_flight(), last_seen=utc_now())
        return list(people), foreign

    Books.write = write  # type: ignore[method-assign, assignment]


def _remove_the_fence() -> None:
    SqlLedger._hold_fence = lambda *_: None  # type: ignore[method-assign]
    StateStoreLedger._hold_fence = lambda *_: None  # type: ignore[method-assign]


BUGS: Mapping[str, Callable[[], None]] = {
    "send again instead of settling": _send_again_instead_of_settling,
    "write the ledger only after the answer": _write_the_ledger_only_after_the_answer,
    "remove the fence": _remove_the_fence,
}
