"""Decide which people get a mail now, from the earlier mails in the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from airflow_provider_teams_registration.core.mail import MailKind, MailRecord, MailState, message_key
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.ledger.base import link_key
from airflow_provider_teams_registration.mail.recipient import Recipient

CLAIM_LASTS = 900.0
"""Seconds for which another task's claim holds. Handing over one mail takes far less, so the task was killed."""


class Skip(str, Enum):
    """Why a person gets no mail now."""

    ALREADY_MAILED = "already_mailed"
    CHANGED = "changed_since_mailed"
    """Mailed already; link or time changed since."""
    UNKNOWN = "mail_unknown"
    """An earlier attempt handed a mail over, and nobody knows whether the mail server accepted it."""
    UNKNOWN_EARLIER = "mail_unknown_in_an_earlier_run"
    """The same, and it was an earlier run."""
    CLAIMED_ELSEWHERE = "claimed_by_another_task"
    NEVER_MAILED = "never_mailed"
    """Taken off the event, and never mailed about it."""
    OF_AN_EARLIER_RUN = "enrolled_by_an_earlier_run"
    """Enrolled by an earlier run, and no ledger says whether that run mailed them."""
    NOT_ASKED_FOR = "not_asked_for"
    """On the waitlist, and the task has no template for that."""


@dataclass(frozen=True)
class Policy:
    """
    What decides who gets a mail.

    :param event: the event's id.
    :param event_start: when the event begins, in UTC and ISO 8601; None if that is not known.
    :param fingerprints: a hash of the templates of each kind of mail that the task sends.
    :param message_domain: the domain of ``Message-ID``.
    :param run_key: the task of this DAG run.
    :param is_shared: whether the ledger knows the mails of other runs.
    :param again: which people are mailed again: None, ``"changed"`` or ``"all"``.
    """

    event: str
    event_start: str | None
    fingerprints: dict[MailKind, str]
    message_domain: str
    run_key: str
    is_shared: bool
    again: str | None = None


@dataclass(frozen=True)
class PlannedMail:
    """
    One mail to send.

    :param recipient: the person.
    :param kind: what the mail tells.
    :param claim: the record to write before the mail.
    :param before: what the ledger holds so far, to return to if the mail server asks to wait.
    :param is_update: whether an earlier mail of the same kind told another link or another time.
    """

    recipient: Recipient
    kind: MailKind
    claim: MailRecord
    before: MailRecord
    is_update: bool = field(default=False)


def plan(recipient: Recipient, record: MailRecord | None, policy: Policy) -> PlannedMail | Skip:
    """
    Decide whether a person gets a mail now.

    :param recipient: the person, whose kind of mail is known.
    :param record: the newest mail to them, as the ledger has it.
    :param policy: what decides.
    """
    kind = recipient.kind
    assert kind is not None
    before = record or MailRecord(recipient.key)
    if kind not in policy.fingerprints:
        return Skip.NOT_ASKED_FOR
    if not policy.is_shared and recipient.outcome is Outcome.ALREADY_ENROLLED and policy.again != "all":
        return Skip.OF_AN_EARLIER_RUN
    if before.state is MailState.MAILING:
        return _after_a_claim(recipient, kind, before, policy)
    if kind is MailKind.CANCELLED and policy.is_shared and not _was_told(before):
        return Skip.NEVER_MAILED
    if before.state in (None, MailState.REFUSED):
        # Nothing reached the reader under this number.
        number = before.number if before.state is MailState.REFUSED and before.kind is kind else before.number + 1
        return _planned(recipient, kind, before, policy, number)
    if before.kind is not kind:
        return _planned(recipient, kind, before, policy, before.number + 1)
    skip = _skip(recipient, before, policy)
    if skip is not None:
        return skip
    return _planned(
        recipient, kind, before, policy, before.number + 1, is_update=_is_changed(recipient, before, policy)
    )


def _after_a_claim(recipient: Recipient, kind: MailKind, before: MailRecord, policy: Policy) -> PlannedMail | Skip:
    if before.run_key != policy.run_key and before.age < CLAIM_LASTS:
        return Skip.CLAIMED_ELSEWHERE
    # The task that claimed the person was killed, and may have mailed them. The same number gives the same Message-ID.
    number = before.number if before.kind is kind else before.number + 1
    return _planned(recipient, kind, before, policy, number)


def _skip(recipient: Recipient, before: MailRecord, policy: Policy) -> Skip | None:
    is_changed = _is_changed(recipient, before, policy)
    # A retry of this very task must not begin anew.
    is_all = policy.again == "all" and before.run_key != policy.run_key
    if is_all or (policy.again is not None and is_changed):
        return None
    if before.state is MailState.UNKNOWN:
        return Skip.UNKNOWN if before.run_key == policy.run_key else Skip.UNKNOWN_EARLIER
    return Skip.CHANGED if is_changed else Skip.ALREADY_MAILED


def _is_changed(recipient: Recipient, before: MailRecord, policy: Policy) -> bool:
    if recipient.kind is MailKind.CANCELLED:
        return False
    is_moved = policy.event_start is not None and before.event_start not in (None, policy.event_start)
    return is_moved or _link_key(recipient) != before.link_key


def _was_told(before: MailRecord) -> bool:
    # Only people who were told before are mailed about being taken off.
    return before.state in (MailState.MAILED, MailState.UNKNOWN) or before.kind is MailKind.CANCELLED


def _link_key(recipient: Recipient) -> str | None:
    is_told = recipient.kind is MailKind.JOIN and recipient.join_web_url
    return link_key(recipient.join_web_url) if is_told and recipient.join_web_url else None


def _planned(
    recipient: Recipient, kind: MailKind, before: MailRecord, policy: Policy, number: int, *, is_update: bool = False
) -> PlannedMail:
    # Runs that do not know of each other's mails must not give two mails one Message-ID.
    salt = "" if policy.is_shared else policy.run_key
    key = message_key(policy.event, recipient.key, kind, number, salt)
    claim = MailRecord(
        registrant=recipient.key,
        state=MailState.MAILING,
        kind=kind,
        number=number,
        message_id=f"<{key}@{policy.message_domain}>",
        fingerprint=policy.fingerprints[kind],
        link_key=_link_key(recipient),
        event_start=policy.event_start,
        version=before.version,
    )
    return PlannedMail(recipient, kind, claim, replace(before, registrant=recipient.key), is_update)
