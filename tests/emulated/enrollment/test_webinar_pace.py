"""The quota for writes is per app, across everything."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_teams_registration.enrollment.sending_options import DeferRequested
from tests.emulated.enrollment.webinar_people import OTHER_DAG, REGISTRATIONS, RUN, links, people


class TestPace:
    """The allowance for writes is per app, across everything."""

    def test_estimate_is_logged_beforehand(self, register_all, open_event, caplog):
        with caplog.at_level(logging.INFO):
            register_all(people(16), on=open_event(limit=15, window=0.6))
        first = next(record for record in caplog.records if "write quota" in record.getMessage())
        assert first.getMessage() == "16 registrants will take about 0:00:01, because of the write quota for webinars."

    def test_list_that_the_allowance_does_not_slow_needs_no_words(self, register_all, open_event, caplog):
        with caplog.at_level(logging.INFO):
            register_all(people(3), on=open_event(limit=15, window=30))
        assert "write quota" not in caplog.text

    def test_own_pace_causes_no_429_and_uses_the_allowance(self, register_all, open_event, emulator, live_links):
        emulator.set_switches(write_limit=15, write_window=1, latency=0.02)

        report = register_all(people(60), on=open_event(limit=15, window=1))

        assert report.counts == {"enrolled": 60}
        assert links(report) == live_links()
        made = [entry for entry in emulator.store.journal if entry.path.endswith("/registrations")]
        assert {entry.status for entry in made} <= {200, 204}
        at = [entry.at for entry in made if entry.method == "POST"]
        assert len(at) == 60
        assert at[-1] - at[0] < 3 + 1

    @pytest.mark.usefixtures("no_backoff")
    def test_two_sessions_that_share_the_app_meet_429_and_lose_nobody(
        self, register_all, open_event, open_session, settings, emulator, live_links
    ):
        emulator.set_switches(write_limit=15, write_window=0.4)
        ready = threading.Barrier(2)

        def run(as_run, rows, session):
            ready.wait()
            return register_all(rows, on=open_event(session=session, limit=15, window=0.4), as_run=as_run)

        rows = people(60)
        sessions = [open_session(settings), open_session(settings)]
        with ThreadPoolExecutor(2) as threads:
            one, other = threads.map(run, [RUN, OTHER_DAG], [rows[:30], rows[30:]], sessions)

        assert one.counts == other.counts == {"enrolled": 30}
        assert {**links(one), **links(other)} == live_links()
        assert len(live_links()) == 60
        assert 429 in {entry.status for entry in emulator.store.journal}

    def test_throttled_people_are_sent_again(self, register_all, emulator, live_links, sent):
        emulator.add_fault(REGISTRATIONS, nth=3, times=2, status=429, retry_after="0")

        report = register_all(people(5))

        assert report.counts == {"enrolled": 5}
        assert links(report) == live_links()
        assert len(sent()) == 7

    def test_more_patience_than_there_is_postpones(self, register_all, emulator):
        emulator.add_fault(REGISTRATIONS, times=0, status=429, retry_after="1000")

        report = register_all(people(2))

        assert report.counts == {"not_sent": 2}
        assert isinstance(report.aborted_by, DeferRequested)
        assert report.aborted_by.seconds == 1000
