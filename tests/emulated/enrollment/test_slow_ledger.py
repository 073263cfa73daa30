"""A ledger whose writes take their time: people are sent all the same, or the run ends."""

import time

from airflow_provider_teams_registration.exceptions import LedgerFailure
from airflow_provider_teams_registration.ledger.memory import MemoryLedger


def links(report):
    return {row["id"]: row["join_web_url"] for row in report.rows()}


class SlowLedger(MemoryLedger):
    def write(self, entries):
        time.sleep(0.15)
        return super().write(entries)


def test_ledger_that_is_too_slow_ends_the_run(enroll_all, enrolls):
    report = enroll_all(["ada"], ledger=SlowLedger(), settle_after=0.2)

    assert report.counts == {"not_sent": 1}
    assert isinstance(report.aborted_by, LedgerFailure)
    assert "takes longer than the 0.1 s that settle_after leaves" in str(report.aborted_by)
    assert enrolls() == []


def test_slow_ledger_is_waited_for(enroll_all, books_links):
    class Slow(MemoryLedger):
        def write(self, entries):
            time.sleep(1.2)
            return super().write(entries)

    report = enroll_all(["ada"], ledger=Slow())

    assert links(report) == books_links()
