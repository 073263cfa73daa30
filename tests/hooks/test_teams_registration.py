from __future__ import annotations

import json
import logging

import pytest

from airflow_provider_teams_registration.graph.errors import SettingsError
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook


@pytest.fixture
def connect(emulator, monkeypatch):
    """Declare the default connection, changed as told; returns a hook for it."""

    def declare(auth="client_secret", extra=None, **fields):
        connection = emulator.connection(auth)
        connection["extra"] |= extra or {}
        connection |= fields
        monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(connection))
        return TeamsRegistrationHook()

    return declare


def test_the_application_is_named_with_its_roles(connect, emulator):
    roles = ", ".join(sorted(emulator.switches.roles.split()))

    assert connect().test_connection() == (
        True,
        f"Signed in as the application (application token). Roles: {roles}.",
    )


def test_the_organizer_is_named_with_the_scopes(connect, emulator):
    scopes = ", ".join(sorted(emulator.switches.scopes.split()))

    assert connect("refresh_token").test_connection() == (
        True,
        f"Signed in as a user (delegated token). Scopes: {scopes}.",
    )


def test_an_application_without_roles_is_told_what_to_grant(connect, emulator):
    emulator.set_switches(roles="")
    is_good, said = connect().test_connection()
    assert is_good
    assert "grant OnlineMeetings.ReadWrite.All" in said


def test_an_unknown_connection_is_named():
    is_good, said = TeamsRegistrationHook("nowhere").test_connection()
    assert not is_good
    assert "'nowhere'" in said


@pytest.mark.parametrize(
    ("fields", "extra", "named"),
    [
        pytest.param({}, {"base_url": "http://graph.example"}, "base_url is 'http://graph.example'", id="no TLS"),
        pytest.param({}, {"write_limit": "²"}, "write_limit is '²'", id="no number"),
        pytest.param({}, {"certificate_path": "a.pem"}, "certificate_path is given", id="certificate"),
        pytest.param({"password": "wrong"}, {}, "client secret is wrong", id="wrong secret"),
        pytest.param({"password": ""}, {}, "password is empty", id="no secret"),
        pytest.param({"login": ""}, {}, "login is empty", id="no client id"),
        pytest.param({}, {"tenant_id": ""}, "tenant_id is missing", id="no tenant"),
        pytest.param({}, {"auth": "password"}, "auth is 'password'", id="no such way to sign in"),
        pytest.param({}, {"auth": "refresh_token"}, "refresh_token is missing", id="no refresh token"),
        pytest.param({}, {"timeout": "soon"}, "timeout is 'soon'", id="no number of seconds"),
        pytest.param({}, {"timeout": 0}, "timeout is 0", id="no time at all"),
        pytest.param({}, {"verify": "/nowhere/ca.pem"}, "no such file", id="no such CA file"),
        pytest.param({}, {"proxies": "proxy:3128"}, "proxies must be a JSON object", id="no proxies"),
        pytest.param({}, {"disable_instance_discovery": "maybe"}, "must be true or false", id="neither yes nor no"),
        pytest.param({}, {"authority": "http://127.0.0.1:1"}, "must begin with https", id="plain http"),
        pytest.param({}, {"base_url": "", "authority": "https://127.0.0.1:1"}, "could not be reached", id="down"),
    ],
)
def test_a_connection_that_cannot_work_is_explained(connect, fields, extra, named):
    is_good, said = connect(extra=extra, **fields).test_connection()
    assert not is_good
    assert named in said


def test_an_untrusted_certificate_is_explained(connect):
    is_good, said = connect(extra={"verify": True}).test_connection()
    assert not is_good
    assert "certificate" in said
    assert "'verify'" in said


def test_an_msgraph_connection_serves_as_it_is(emulator, monkeypatch):
    connection = emulator.connection()
    host = emulator.url.removeprefix("https://")
    connection |= {
        "conn_type": "msgraph",
        "host": "127.0.0.1",
        "schema": "https",
        "port": emulator.port,
        "extra": {
            "tenant_id": emulator.tenant_id,
            "authority": host,
            "base_url": f"{emulator.url}/v1.0/",
            "api_version": "v1.0",
            "scopes": "https://graph.microsoft.com/.default",
            "proxies": "{'no': 'localhost'}",
            "verify": emulator.ca_file,
            "trust_env": False,
            "allowed_hosts": host,
            "disable_instance_discovery": "true",
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_MSGRAPH_DEFAULT", json.dumps(connection))
    hook = TeamsRegistrationHook("msgraph_default")
    assert hook.test_connection()[0]
    assert hook.online_meeting(emulator.meeting_id, emulator.organizer_id).registration()


def test_nothing_is_sent_before_the_first_call(connect, emulator):
    connect().online_meeting(emulator.meeting_id, emulator.organizer_id)
    assert emulator.books.journal == []


def test_a_connection_is_read_only_when_it_is_needed():
    hook = TeamsRegistrationHook("nowhere")
    with pytest.raises(Exception, match="nowhere"):
        hook.get_conn()


def test_a_rotated_refresh_token_is_kept_for_the_user_and_not_shown(connect, emulator, caplog, capfd):
    emulator.set_switches(rotate_refresh_tokens="old_one_dies")
    hook = connect("refresh_token")
    with caplog.at_level(logging.DEBUG):
        assert hook.test_connection()[0]
    said = caplog.text + "".join(capfd.readouterr())
    assert hook.newest_refresh_token in emulator.books.refresh_tokens
    assert "TeamsRegistrationHook.newest_refresh_token" in said
    assert hook.newest_refresh_token not in said


def test_a_missing_field_names_the_connection(connect):
    with pytest.raises(SettingsError, match="'teams_registration_default': login"):
        connect(login="").get_conn()


@pytest.mark.parametrize("extra", ["[1]", "5"])
def test_extra_that_is_no_object_is_said(emulator, monkeypatch, extra):
    connection = emulator.connection() | {"extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(connection))

    is_good, said = TeamsRegistrationHook().test_connection()

    assert not is_good
    assert "extra must be a JSON object" in said
