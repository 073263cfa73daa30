"""A task that SIGKILL ends at each boundary between the ledger and the mail server."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter

import pytest
import sqlalchemy as sa

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.ledger.sql.mail import SqlMailLedger
from tests.emulated.mail.conftest import WEBINAR, address, link, row

PEOPLE = (1, 2, 3)


class KillingLedger(SqlMailLedger):
    """Kills its process before or after a write."""

    def __init__(self, *given, at, when, **named):
        super().__init__(*given, **named)
        self._left, self._when = at, when

    def write_mails(self, records):
        self._left -= 1
        if self._left == 0 and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        written = super().write_mails(records)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return written


def mail_until_killed(desk, at, when):
    ledger = KillingLedger(sa.create_engine(desk.url), desk.table, TaskRun("dag", "run", "mail"), at=at, when=when)
    ledger.start_attempt(WEBINAR)
    desk.mail([row(number) for number in PEOPLE], ledger=ledger)


# The first claim, each outcome together with the next claim, and the last outcome.
@pytest.mark.parametrize("at", range(1, len(PEOPLE) + 2))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_leaves_nobody_without_a_mail_and_one_person_at_most_with_two_equal_ones(desk, mail_server, at, when):
    desk.enroll(*PEOPLE)
    task = multiprocessing.get_context("fork").Process(target=mail_until_killed, args=(desk, at, when))
    task.start()
    task.join(30)
    assert task.exitcode == -signal.SIGKILL
    desk.mail([row(number) for number in PEOPLE])
    mails = Counter(mail_server.addresses)
    texts = {mail["To"].addresses[0].addr_spec: mail.get_body(("plain",)).get_content() for mail in mail_server.mails}
    assert set(mails) == {address(number) for number in PEOPLE}
    assert all(link(number) in texts[address(number)] for number in PEOPLE)
    # Only the person in flight: the mail server has the mail, and the ledger does not know yet.
    in_flight = at > 1 and when == "before"
    assert sum(mails.values()) == len(PEOPLE) + in_flight
    assert len({mail["Message-ID"] for mail in mail_server.mails}) == len(PEOPLE)
