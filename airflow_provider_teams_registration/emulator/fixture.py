"""
Pytest fixtures for the tests of your own DAGs.

.. code-block:: python

    # conftest.py
    from airflow_provider_teams_registration.emulator.fixture import (  # noqa: F401
        teams_registration_emulator,
        teams_registration_server,
    )


    # test_my_dag.py
    def test_everybody_is_enrolled(teams_registration_emulator, monkeypatch):
        connection = json.dumps(teams_registration_emulator.connection())
        monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", connection)
        ...
        assert teams_registration_emulator.store.enrolled(teams_registration_emulator.meeting_id)
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_teams_registration.emulator.server import Emulator


@pytest.fixture(scope="session")
def teams_registration_server() -> Iterator[Emulator]:
    """
    Run one emulator for the whole test run. Tests use ``teams_registration_emulator``.

    Its limiter is off, because sixteen registrations for a webinar would take half a minute.
    """
    with Emulator(switches={"write_limit": 0, "read_limit": 0}) as emulator:
        yield emulator


@pytest.fixture
def teams_registration_emulator(teams_registration_server: Emulator) -> Emulator:
    """Return the emulator, reset: nobody is enrolled and there are no faults."""
    teams_registration_server.reset()
    # With those of the test before, the roles of the test before would come along.
    teams_registration_server.expire_tokens()
    return teams_registration_server
