"""A task that goes on after a wait asks Graph for its event only if a link names it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import psutil
import pytest

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.hooks.ledger import open_sql_ledger
from airflow_provider_teams_registration.transfers.sql import SqlToTeamsRegistrationOperator

pytestmark = pytest.mark.airflow

ROWS = [{"email": "ada@example.org"}]
RUN = TaskRun("dag", "run", "enroll")


class Resumed(SqlToTeamsRegistrationOperator):
    """Returns the rows that it would enroll."""

    def enroll_rows(self, context, rows):
        return rows


@pytest.fixture
def go_on(emulator, ledger):
    """Return the rows that a task gets which goes on with an attempt that kept rows."""

    def resume(webinar_id, found=None):
        attempt = open_sql_ledger("ledger", "teams_registration_ledger", RUN)
        attempt.start_attempt(emulator.webinar_id)
        assert attempt.save_input(ROWS)
        attempt.close()
        task = Resumed(task_id="enroll", sql="", sql_conn_id="", ledger_conn_id="ledger", webinar_id=webinar_id)
        context = {"ti": SimpleNamespace(dag_id="dag", task_id="enroll", run_id="run", map_index=-1)}
        before = connections(emulator)
        rows = task.resume(context, {"deferred_by": attempt.attempt, "event_id": found})
        # The task still exists, as it does while it enrolls.
        return rows, connections(emulator) - before, task

    return resume


def connections(emulator):
    """The ports of this process's connections to the emulator."""
    port = int(emulator.url.rpartition(":")[2])
    return {
        one.laddr.port
        for one in psutil.Process().net_connections("tcp")
        if one.status == psutil.CONN_ESTABLISHED and one.raddr and one.raddr.port == port
    }


@pytest.mark.parametrize("is_found", [False, True], ids=["the id", "a link that was looked up before the wait"])
def test_rows_are_there_without_the_connection_to_graph(go_on, emulator, is_found):
    link = emulator.store.webinars.webinar(emulator.webinar_id).join_web_url
    named, found = (link, emulator.webinar_id) if is_found else (emulator.webinar_id, None)

    rows, _, _ = go_on(named, found)

    assert rows == ROWS
    assert not emulator.store.journal


def test_no_connection_stays_open_once_a_link_was_looked_up(go_on, emulator, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))

    rows, left, _ = go_on(emulator.store.webinars.webinar(emulator.webinar_id).join_web_url)

    assert rows == ROWS
    assert emulator.store.journal
    assert left == set()
