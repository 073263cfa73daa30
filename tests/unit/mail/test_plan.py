"""The plan of a mail task: which people get a mail now, and which do not."""

from __future__ import annotations

import pytest

from airflow_provider_teams_registration.core.mail import MailKind, MailRecord, MailState
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.ledger.base import link_key
from airflow_provider_teams_registration.mail.plan import CLAIM_LASTS, PlannedMail, Policy, Skip, plan
from airflow_provider_teams_registration.mail.recipient import Recipient

LINK = "https://teams.microsoft.com/l/meetup-join/1"


def recipient(outcome=Outcome.ENROLLED, link=LINK):
    return Recipient(1, {}, "ada@example.org", "ada@example.org", "Ada", outcome, link)


def policy(**changes):
    fields = {
        "event": "w",
        "event_start": "2026-12-01T09:00:00Z",
        "fingerprints": dict.fromkeys(MailKind, "f"),
        "message_domain": "example.com",
        "run_key": "ours",
        "is_shared": True,
    }
    return Policy(**{**fields, **changes})


def record(state=MailState.MAILED, **changes):
    fields = {
        "state": state,
        "kind": MailKind.JOIN,
        "number": 1,
        "message_id": "<m@example.com>",
        "link_key": link_key(LINK),
        "event_start": "2026-12-01T09:00:00Z",
        "run_key": "others",
        "version": 2,
    }
    return MailRecord("ada@example.org", **{**fields, **changes})


@pytest.mark.parametrize(
    ("before", "changes", "decided"),
    [
        (None, {}, 1),
        (record(), {}, Skip.ALREADY_MAILED),
        (record(), {"again": "changed"}, Skip.ALREADY_MAILED),
        (record(), {"again": "all"}, 2),
        (record(run_key="ours"), {"again": "all"}, Skip.ALREADY_MAILED),
        (record(link_key="x"), {}, Skip.CHANGED),
        (record(link_key="x"), {"again": "changed"}, 2),
        (record(event_start="2026-12-02T09:00:00Z"), {"again": "changed"}, 2),
        (record(event_start=None), {"again": "changed"}, Skip.ALREADY_MAILED),
        (record(), {"again": "changed", "event_start": None}, Skip.ALREADY_MAILED),
        (record(kind=MailKind.WAITLIST, link_key=None), {}, 2),
        (record(MailState.REFUSED), {}, 1),
        (record(MailState.UNKNOWN), {}, Skip.UNKNOWN_EARLIER),
        (record(MailState.UNKNOWN, run_key="ours"), {"again": "all"}, Skip.UNKNOWN),
        (record(MailState.UNKNOWN), {"again": "all"}, 2),
        (record(MailState.MAILING, age=1.0), {}, Skip.CLAIMED_ELSEWHERE),
        (record(MailState.MAILING, age=1.0), {"again": "all"}, Skip.CLAIMED_ELSEWHERE),
        (record(MailState.MAILING, age=CLAIM_LASTS), {}, 1),
        (record(MailState.MAILING, run_key="ours"), {}, 1),
        (record(MailState.MAILING, run_key="ours", number=3), {}, 3),
    ],
)
def test_the_ledger_decides_who_gets_a_mail_and_which_number_it_has(before, changes, decided):
    found = plan(recipient(), before, policy(**changes))
    assert (found.claim.number if isinstance(found, PlannedMail) else found) == decided


def test_a_mail_that_is_sent_again_after_a_kill_has_the_same_message_id_and_another_mail_has_not():
    first = plan(recipient(), None, policy()).claim
    killed = record(MailState.MAILING, run_key="ours", message_id=first.message_id)
    again = plan(recipient(), killed, policy()).claim
    later = plan(recipient(), record(link_key="x"), policy(again="changed")).claim
    assert again.message_id == first.message_id != later.message_id


def test_runs_that_do_not_know_of_each_other_give_different_message_ids():
    ids = {plan(recipient(), None, policy(is_shared=False, run_key=key)).claim.message_id for key in ("one", "two")}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("before", "decided"),
    [
        (None, Skip.NEVER_MAILED),
        (record(MailState.REFUSED), Skip.NEVER_MAILED),
        (record(), 2),
        (record(MailState.UNKNOWN), 2),
        (record(MailState.REFUSED, kind=MailKind.CANCELLED, number=2), 2),
        (record(kind=MailKind.CANCELLED, link_key=None), Skip.ALREADY_MAILED),
    ],
)
def test_only_people_who_were_told_of_the_event_are_told_that_they_were_taken_off(before, decided):
    found = plan(recipient(Outcome.CANCELLED, None), before, policy())
    assert (found.claim.number if isinstance(found, PlannedMail) else found) == decided


def test_people_on_the_waitlist_are_mailed_only_with_a_template_for_them():
    waiting = recipient(Outcome.WAITLISTED, None)
    assert plan(waiting, None, policy(fingerprints={MailKind.JOIN: "f"})) is Skip.NOT_ASKED_FOR
