"""One token for all sessions of a connection, and for no other connection."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.exceptions import Forbidden, SignInError, TeamsRegistrationError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting


def test_many_sessions_of_one_connection_ask_entra_once(open_session, settings, emulator):
    sessions = [open_session(settings) for _ in range(500)]

    with ThreadPoolExecutor(32) as threads:
        tokens = set(threads.map(lambda session: session.token().value, sessions))

    assert len(tokens) == 1
    assert [entry.path.rsplit("/", 1)[-1] for entry in emulator.store.sign_ins] == ["openid-configuration", "token"]


@pytest.mark.parametrize(
    "other",
    [
        {"client_secret": "wrong"},
        {"client_id": "wrong"},
        {"tenant_id": "wrong.example"},
        {"scopes": ("https://vault.azure.net/.default",)},
        {"authority": "https://127.0.0.1:1"},
        {"auth": "certificate", "certificate_path": "/nowhere.pem"},
    ],
)
def test_connection_that_differs_gets_no_token_of_another(other, open_session, settings):
    open_session(settings).token()

    with pytest.raises(TeamsRegistrationError):
        open_session(replace(settings, **other)).token()


def test_sessions_that_wait_for_a_sign_in_that_fails_are_told_the_same(open_session, settings, emulator):
    emulator.add_fault("POST token", times=0, delay=0.5, status=400)
    sessions = [open_session(settings) for _ in range(20)]
    ready = threading.Barrier(20)

    def sign_in(session):
        ready.wait()
        with pytest.raises(SignInError) as failure:
            session.token()
        return failure.value

    with ThreadPoolExecutor(20) as threads:
        failures = list(threads.map(sign_in, sessions))

    assert len({str(failure) for failure in failures}) == 1
    assert len({id(failure) for failure in failures}) == 20
    asked = [entry for entry in emulator.store.sign_ins if entry.path.endswith("/token")]
    assert len(asked) < 5


def test_permission_that_is_granted_after_a_refusal_counts_for_the_next_session(open_session, settings, emulator):
    def read():
        return OnlineMeeting(open_session(settings), emulator.meeting_id, emulator.organizer_id).registration()

    roles = emulator.switches.roles
    emulator.set_switches(roles="Calendars.Read")
    with pytest.raises(Forbidden):
        read()
    emulator.set_switches(roles=roles)

    assert read().allowed_registrant == "everyone"
    assert read().allowed_registrant == "everyone"
    asked = [entry for entry in emulator.store.sign_ins if entry.path.endswith("/token")]
    assert len(asked) == 2


def test_rotated_refresh_token_serves_the_other_sessions_too(open_session, delegated_settings, emulator):
    emulator.set_switches(rotate_refresh_tokens="old_one_dies")
    told = [[], []]
    sessions = [open_session(delegated_settings, each.append) for each in told]

    for session in sessions:
        session.token(fresh=True)
    sessions[0].token()

    assert told[0][-1] == told[1][-1]
    assert told[1][-1] in emulator.store.refresh_tokens


def test_nothing_is_written_to_the_disk(open_session, by_certificate, tmp_path, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    open_session(by_certificate).token()

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
