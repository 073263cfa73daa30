"""What a tenant does is tried with one person, and the emulator behaves like it afterwards."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from airflow_provider_teams_registration.cli import main

ADDRESS = "test.person@example.org"


@pytest.fixture
def trial(connect, emulator, capsys):
    """Run the doctor with a test person; returns exit code, printed JSON and what was said beside it."""

    def run(webinar_id=None, address=ADDRESS):
        capsys.readouterr()
        arguments = ["--webinar-id", webinar_id or emulator.webinar_id, "--with-test-person", address]
        exit_code = main(["doctor", "--json", *arguments])
        printed = capsys.readouterr()
        return exit_code, json.loads(printed.out), printed.err

    return run


@pytest.mark.parametrize(
    "tenant",
    [
        {},
        {"duplicate": "new_link", "second_cancel": "no_content"},
        {"duplicate": "conflict", "registration_filter": "ignored", "second_cancel": "not_found"},
        {"duplicate": "bad_request", "registration_filter": "refused", "registration_key": False},
        {"duplicate": "second_record"},
    ],
    ids=lambda tenant: " ".join(str(one) for one in tenant.values()) or "default",
)
def test_a_tenants_switches_are_found_out_and_nobody_is_left(tenant, trial, emulator):
    emulator.set_switches(**tenant)

    exit_code, body, said = trial()

    assert exit_code == 0
    assert "Now this writes" in said
    assert body["left"] is None
    assert emulator.store.webinars.registered(emulator.webinar_id) == []
    assert body["switches"].items() <= asdict(emulator.switches).items()
    assert tenant.items() <= body["switches"].items()
    assert ADDRESS not in json.dumps(body)


def test_a_lag_is_measured(trial, emulator):
    emulator.set_switches(visibility_lag=1.5)

    _, body, _ = trial()

    assert 1.0 <= body["switches"]["visibility_lag"] <= 30.0
    assert emulator.store.webinars.registered(emulator.webinar_id) == []


def test_required_questions_are_answered(trial, emulator):
    exit_code, body, _ = trial(emulator.questions_webinar_id)

    assert (exit_code, body["left"]) == (0, None)


def test_somebody_who_cannot_be_cancelled_is_told_to_be_left(trial, emulator):
    emulator.set_switches(application_may_cancel_registrations=False)

    exit_code, body, _ = trial()

    (left,) = emulator.store.webinars.registered(emulator.webinar_id)
    assert exit_code == 1
    assert left.id in body["left"]
    assert body["switches"]["application_may_cancel_registrations"] is False


def test_somebody_who_is_registered_stays_registered(trial, emulator):
    emulator.store.webinars.register(emulator.webinar_id, ADDRESS)
    emulator.clear_journal()

    exit_code, _, said = trial(address="Test.Person@Example.org")

    assert exit_code == 2
    assert "already" in said
    assert len(emulator.store.webinars.registered(emulator.webinar_id)) == 1
    assert [entry for entry in emulator.store.journal if entry.effect] == []


@pytest.mark.parametrize("setting", [{"switch": {"application_access_policy": False}}, {"auth": "refresh_token"}])
def test_nobody_is_registered_where_the_set_up_is_not_good(setting, trial, emulator, connect):
    emulator.set_switches(**setting.get("switch", {}))
    connect(setting.get("auth", "client_secret"))

    exit_code, _, said = trial()

    assert exit_code in (1, 2)
    assert "Nobody was registered" in said
    assert [entry for entry in emulator.store.journal if entry.effect] == []


@pytest.mark.usefixtures("no_backoff")
def test_a_service_that_breaks_off_leaves_nobody_behind(trial, emulator):
    emulator.add_fault("GET sessions", times=0, status=200, body="<html>")

    exit_code, body, _ = trial()

    assert (exit_code, body["left"]) == (0, None)
    assert emulator.store.webinars.registered(emulator.webinar_id) == []


def test_a_test_person_takes_a_webinar(connect, capsys):
    assert main(["doctor", "--with-test-person", ADDRESS]) == 2
    assert "--webinar-id" in capsys.readouterr().err
