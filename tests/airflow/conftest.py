"""Settings of the tests that reach the service through a hook."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_teams_registration.graph.backoff import Backoff
from airflow_provider_teams_registration.graph.settings import GraphSettings


@pytest.fixture
def no_backoff(no_backoff: Backoff, monkeypatch: pytest.MonkeyPatch) -> Backoff:
    """Waits that the service did not ask for take no time, in the sessions of hooks either."""
    from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook

    of_connection = TeamsRegistrationHook.settings.func

    def settings(hook: TeamsRegistrationHook) -> GraphSettings:
        return replace(of_connection(hook), backoff=no_backoff)

    monkeypatch.setattr(TeamsRegistrationHook, "settings", property(settings))
    return no_backoff
