"""Rows read as people to mail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_teams_registration.core.mail import MailKind
from airflow_provider_teams_registration.core.outcome import MAY_JOIN, NOT_ON_THE_EVENT, Outcome
from airflow_provider_teams_registration.core.record import PENDING, RecordState, RegistrationRecord
from airflow_provider_teams_registration.core.service_text import one_line
from airflow_provider_teams_registration.events.base import InvalidRow
from airflow_provider_teams_registration.events.cells import NotText, as_text, says_nothing
from airflow_provider_teams_registration.events.registrant_id import read_id
from airflow_provider_teams_registration.graph.email_address import read_email

_LONGEST_NAME = 120
_WAITING = frozenset({Outcome.WAITLISTED, Outcome.PENDING_APPROVAL})
_LINK_COLUMN = "join_web_url"


@dataclass(frozen=True)
class Columns:
    """
    Which columns of a row say whom to mail.

    :param email: the column with the address.
    :param name: the columns with the name, in the order in which they are written.
    """

    email: str = "email"
    name: Sequence[str] = ("first_name", "last_name")


@dataclass(frozen=True)
class Recipient:
    """
    One person of the rows.

    :param position: the row's place in the input, counted from 1.
    :param row: the row.
    :param key: what identifies the person on the event.
    :param address: the person's address.
    :param name: the person's name, in one line; empty if the row has none.
    :param outcome: what became of the person on the event.
    :param join_web_url: the person's link, a credential.
    """

    position: int
    row: Mapping[str, Any] = field(repr=False)
    key: str = field(repr=False)
    address: str = field(repr=False)
    name: str = field(repr=False)
    outcome: Outcome | None = None
    join_web_url: str | None = field(default=None, repr=False)

    @property
    def kind(self) -> MailKind | None:
        """What a mail to this person tells; None if there is nothing to tell."""
        if self.outcome in MAY_JOIN:
            return MailKind.JOIN
        if self.outcome in _WAITING:
            return MailKind.WAITLIST
        return MailKind.CANCELLED if self.outcome is Outcome.CANCELLED else None


@dataclass(frozen=True)
class LeftOut:
    """
    One row whose person gets no mail.

    :param position: the row's place in the input, counted from 1.
    :param reason: why, without personal data.
    :param is_expected: whether this is as it should be, and nobody has to act.
    """

    position: int
    reason: str
    is_expected: bool = False


def read_recipients(
    rows: Iterable[Any], columns: Columns, read_key: Callable[[Mapping[str, Any], str], str]
) -> tuple[list[Recipient], list[LeftOut]]:
    """
    Read rows as people to mail. A row that repeats an earlier one is left out.

    :param rows: dicts of column and value.
    :param columns: which columns say whom to mail.
    :param read_key: returns what identifies the person of a row and an address on the event.
    """
    recipients: list[Recipient] = []
    left_out: list[LeftOut] = []
    seen: dict[str, int] = {}
    for position, row in enumerate(rows, start=1):
        found = _read(position, row, columns, read_key)
        if isinstance(found, LeftOut):
            left_out.append(found)
        elif found.key in seen and _is_same(found, recipients[seen[found.key]]):
            left_out.append(LeftOut(position, "the row repeats an earlier one", is_expected=True))
        else:
            seen.setdefault(found.key, len(recipients))
            recipients.append(found)
    return recipients, left_out


def mailbox_key(row: Mapping[str, Any], address: str) -> str:
    """Return what identifies a person on a webinar: the mailbox they are registered with."""
    registered = row.get("email")
    return (read_email(registered) if isinstance(registered, str) else None) or address


def id_key(row: Mapping[str, Any], address: str) -> str:
    """
    Return what identifies a person on an online meeting: the caller's own id.

    :raises InvalidRow: the row has none.
    """
    return read_id(row)


def with_ledger(recipient: Recipient, record: RegistrationRecord | None) -> Recipient | LeftOut:
    """
    Return a person as the ledger and the row together describe them.

    The ledger has the last word on who is on the event, and completes a row that came before the outcome.

    :param recipient: the person of the row.
    :param record: the person's registration in the ledger, if it holds one.
    """
    if record is None:
        return recipient
    reason = _outdated(recipient.outcome, record)
    if reason is not None:
        is_back = recipient.outcome is Outcome.CANCELLED
        return LeftOut(recipient.position, f"{reason}, as the ledger has it", is_expected=is_back)
    is_settled = record.state not in PENDING
    is_row_behind = recipient.outcome not in (*MAY_JOIN, Outcome.CANCELLED) and record.outcome in MAY_JOIN
    if is_settled and (recipient.outcome is None or is_row_behind):
        recipient = replace(recipient, outcome=record.outcome)
    if recipient.outcome in MAY_JOIN and recipient.join_web_url is None:
        recipient = replace(recipient, join_web_url=record.join_web_url)
    return recipient


def _outdated(outcome: Outcome | None, record: RegistrationRecord) -> str | None:
    """Return what happened to a person after the row was written; None if the row holds."""
    if record.state in PENDING:
        # A new enrollment may end the link that the row holds.
        return "being enrolled anew" if outcome in MAY_JOIN or outcome is Outcome.CANCELLED else None
    if outcome in MAY_JOIN and record.outcome is Outcome.CANCELLED:
        return "taken off the event since"
    if outcome in MAY_JOIN and record.outcome in NOT_ON_THE_EVENT:
        return f"not on the event since ({record.outcome.value})"
    is_leaving = record.state is RecordState.CANCELLING and record.outcome in MAY_JOIN
    if is_leaving and outcome is not Outcome.CANCELLED:
        return "being taken off the event"
    is_on = record.outcome in MAY_JOIN or record.outcome in _WAITING
    if outcome is Outcome.CANCELLED and is_on and record.state is not RecordState.CANCELLING:
        return "on the event again since"
    return None


def _read(
    position: int, row: Any, columns: Columns, read_key: Callable[[Mapping[str, Any], str], str]
) -> Recipient | LeftOut:
    if not isinstance(row, Mapping):
        return LeftOut(position, "the row is no dict of column and value")
    outcome = _outcome(row)
    if isinstance(outcome, Outcome) and outcome in (Outcome.INVALID, Outcome.REJECTED, Outcome.DECLINED):
        # Such a row may lack anything, an address too.
        return LeftOut(position, f"not on the event ({outcome.value})", is_expected=outcome is Outcome.DECLINED)
    address = _address(row.get(columns.email), columns.email)
    if isinstance(outcome, str) and not isinstance(outcome, Outcome):
        return LeftOut(position, outcome)
    if address.why is not None:
        return LeftOut(position, address.why)
    try:
        key = read_key(row, address.text)
    except InvalidRow as error:
        return LeftOut(position, str(error))
    link = row.get(_LINK_COLUMN)
    name = " ".join(_name(row.get(column)) for column in columns.name)
    return Recipient(
        position=position,
        row=row,
        key=key,
        address=address.text,
        name=one_line(name)[:_LONGEST_NAME].strip(),
        outcome=outcome if isinstance(outcome, Outcome) else None,
        join_web_url=None if says_nothing(link) else str(link),
    )


def _outcome(row: Mapping[str, Any]) -> Outcome | str | None:
    """Return a row's outcome, None if it has none yet, or why it cannot be one."""
    given = row.get("outcome")
    if says_nothing(given):
        return None
    try:
        return Outcome(given)
    except ValueError:
        return "its column 'outcome' holds what no task that enrolls returns"


def _name(value: Any) -> str:
    """Return a part of a name. A data frame fills gaps with NaN, which is nobody's name."""
    try:
        return "" if says_nothing(value) else as_text(value)
    except NotText:
        return ""


@dataclass(frozen=True)
class _Address:
    text: str = field(default="", repr=False)
    why: str | None = None


def _address(value: Any, column: str) -> _Address:
    if says_nothing(value):
        return _Address(why=f"no address in its column {column!r}")
    if not isinstance(value, str):
        return _Address(why=f"its column {column!r} holds a {type(value).__name__} and no address")
    found = read_email(value)
    if found is not None:
        return _Address(found)
    if value.count("@") > 1:
        return _Address(why=f"its column {column!r} holds several addresses; give one")
    return _Address(why=f"its column {column!r} holds no address that can be right")


def _is_same(one: Recipient, other: Recipient) -> bool:
    return (one.address, one.join_web_url, one.outcome) == (other.address, other.join_web_url, other.outcome)
