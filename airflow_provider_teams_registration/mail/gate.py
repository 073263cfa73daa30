"""The check of the whole list before the first mail: is each link the right person's?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from airflow_provider_teams_registration.core.mail import MailKind
from airflow_provider_teams_registration.core.record import RegistrationRecord
from airflow_provider_teams_registration.graph.join_url import is_join_url
from airflow_provider_teams_registration.mail.recipient import LeftOut, Recipient

_NAMED = 10


@dataclass(frozen=True)
class _Verb:
    """The verb of a sentence about one row, and of one about several rows."""

    of_one: str
    of_several: str


_HOLDS = _Verb("holds", "hold")


@dataclass(frozen=True)
class Gate:
    """
    The result of the check.

    :param passed: the people who may be mailed. Nobody may be if there is a problem.
    :param left_out: the people who get no mail, though nothing is wrong with the others.
    :param problems: what is wrong with the list, in sentences that name positions and no person.
    """

    passed: Sequence[Recipient]
    left_out: Sequence[LeftOut]
    problems: Sequence[str]


def check(
    recipients: Sequence[Recipient],
    registrations: Mapping[str, RegistrationRecord] | None,
    shown: Mapping[str, str | None] | None = None,
) -> Gate:
    """
    Check that each link is the right person's.

    :param recipients: the people of the rows.
    :param registrations: what the ledger holds of them, by key; None if no ledger holds the registrations.
    :param shown: the links that the service shows now, by key, with None for a person whose link it does not show; None
        if the service was not asked.
    """
    joining = [one for one in recipients if one.kind is MailKind.JOIN]
    linked = [one for one in joining if one.join_web_url is not None]
    problems = [
        *_no_link(linked),
        *_shared(linked),
        *_twice(joining),
        *(_unknown_to(recipients, registrations) if registrations is not None else ()),
        *(_differing(linked, registrations) if registrations is not None else ()),
        *(_shown_otherwise(linked, shown) if shown is not None else ()),
    ]
    reasons = {one.position: "no link" for one in joining if one.join_web_url is None}
    if shown is not None:
        unseen = (one for one in linked if shown.get(one.key) is None)
        reasons |= {one.position: "the service does not show the link, so it cannot be verified" for one in unseen}
    return Gate(
        passed=[] if problems else [one for one in recipients if one.position not in reasons],
        left_out=[LeftOut(position, reason) for position, reason in reasons.items()],
        problems=problems,
    )


def _no_link(linked: Iterable[Recipient]) -> Iterable[str]:
    yield from _said(
        _HOLDS,
        "what is no link to join on https",
        (one for one in linked if not is_join_url(one.join_web_url)),
    )


def _shared(linked: Sequence[Recipient]) -> Iterable[str]:
    holders: dict[str | None, set[str]] = {}
    for one in linked:
        holders.setdefault(one.join_web_url, set()).add(one.key)
    yield from _said(
        _Verb("shares", "share"),
        "a link with another person",
        (one for one in linked if len(holders[one.join_web_url]) > 1),
    )


def _twice(joining: Sequence[Recipient]) -> Iterable[str]:
    counts: dict[str, int] = {}
    for one in joining:
        counts[one.key] = counts.get(one.key, 0) + 1
    yield from _said(
        _Verb("names", "name"),
        "one registrant with different links or addresses",
        (one for one in joining if counts[one.key] > 1),
    )


def _unknown_to(recipients: Iterable[Recipient], registrations: Mapping[str, RegistrationRecord]) -> Iterable[str]:
    # A person who was taken off may never have been in the ledger.
    yield from _said(
        _Verb("names a person who is", "name people who are"),
        "not in the ledger for this event: the rows are those of another event, or "
        "ledger_conn_id and ledger_table are not those of the task that enrolled them",
        (one for one in recipients if one.kind is not MailKind.CANCELLED and one.key not in registrations),
    )


def _differing(linked: Iterable[Recipient], registrations: Mapping[str, RegistrationRecord]) -> Iterable[str]:
    def differs(one: Recipient) -> bool:
        record = registrations.get(one.key)
        # A ledger with store_join_urls=False holds no links to compare.
        return record is not None and record.join_web_url not in (None, one.join_web_url)

    yield from _said(_HOLDS, "another link than the ledger has for the same person", filter(differs, linked))


def _shown_otherwise(linked: Iterable[Recipient], shown: Mapping[str, str | None]) -> Iterable[str]:
    yield from _said(
        _HOLDS,
        "another link than the service shows for the same person",
        (one for one in linked if shown.get(one.key) not in (None, one.join_web_url)),
    )


def _said(verb: _Verb, what: str, recipients: Iterable[Recipient]) -> Iterable[str]:
    positions = [one.position for one in recipients]
    if positions:
        yield f"{positions_in_words(positions)} {verb.of_one if len(positions) == 1 else verb.of_several} {what}."


def positions_in_words(positions: Sequence[int]) -> str:
    """Return ``Row 3``, or ``Rows 1, 2, 3, … (57 rows)``."""
    named = ", ".join(str(position) for position in sorted(positions)[:_NAMED])
    if len(positions) == 1:
        return f"Row {named}"
    return f"Rows {named}" if len(positions) <= _NAMED else f"Rows {named}, … ({len(positions):,} rows)"
