from __future__ import annotations

import json
import logging

import pytest

from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
from tests.run_dag import AIRFLOW


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
        f"Signed in as the application (application token). Client id: {emulator.client_id}. "
        f"Tenant: {emulator.tenant_id}. Roles: {roles}.",
    )


def test_the_organizer_is_named_with_the_scopes(connect, emulator):
    scopes = ", ".join(sorted(emulator.switches.scopes.split()))

    assert connect("refresh_token").test_connection() == (
        True,
        f"Signed in as a user (delegated token). Client id: {emulator.client_id}. "
        f"Tenant: {emulator.tenant_id}. Scopes: {scopes}.",
    )


def test_an_application_that_may_enroll_nobody_is_told_what_to_grant(connect, emulator):
    emulator.set_switches(roles="Calendars.Read VirtualEvent.Read.All")
    is_good, said = connect().test_connection()
    assert not is_good
    assert "Roles: Calendars.Read, VirtualEvent.Read.All." in said
    assert "grant the application permission OnlineMeetings.ReadWrite.All for online meetings or " in said
    assert "VirtualEventRegistration-Anon.ReadWrite.All for webinars" in said
    assert f"{emulator.tenant_id}/adminconsent?client_id={emulator.client_id}" in said


def test_an_application_that_enrolls_for_webinars_is_told_what_reads_them(connect, emulator):
    emulator.set_switches(roles="VirtualEventRegistration-Anon.ReadWrite.All")
    is_good, said = connect().test_connection()
    assert is_good
    assert "VirtualEvent.Read.All is missing" in said


def test_an_organizer_who_may_enroll_nobody_is_told_what_to_grant(connect, emulator):
    emulator.set_switches(scopes="Calendars.Read")
    is_good, said = connect("refresh_token").test_connection()
    assert not is_good
    assert "grant the delegated permission OnlineMeetings.ReadWrite for online meetings" in said


def test_a_permission_granted_since_the_last_sign_in_counts(connect, emulator):
    emulator.set_switches(roles="")
    hook = connect()
    assert not hook.test_connection()[0]
    emulator.set_switches(roles="OnlineMeetings.ReadWrite.All")
    assert hook.test_connection()[0]


def test_a_token_that_cannot_be_read_proves_nothing(connect, emulator):
    emulator.add_fault("POST token", body='{"access_token": "opaque", "expires_in": 3599, "token_type": "Bearer"}')
    is_good, said = connect().test_connection()
    assert is_good
    assert "cannot be told" in said


@pytest.mark.parametrize("auth", ["certificate", "workload_identity", "managed_identity"])
def test_every_way_to_sign_in_is_tested(auth, connect, emulator, monkeypatch):
    for name, value in emulator.machine_environment().items():
        monkeypatch.setenv(name, value)
    is_good, said = connect(auth).test_connection()
    assert is_good
    assert said.startswith("Signed in as the application")


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        ("graph.microsoft.us", "US Government L4 (GCC High)"),
        ("dod-graph.microsoft.us", "US Government L5 (DoD)"),
        ("microsoftgraph.chinacloudapi.cn", "China (21Vianet)"),
    ],
)
def test_a_cloud_without_the_api_is_named(host, cloud, connect, emulator):
    is_good, said = connect(extra={"base_url": f"https://{host}"}).test_connection()
    assert not is_good
    assert f"does not exist in Microsoft's cloud {cloud}" in said
    assert emulator.store.sign_ins == []


def test_an_authority_of_another_cloud_is_named(connect):
    extra = {"base_url": "", "authority": "login.microsoftonline.us"}
    is_good, said = connect(extra=extra).test_connection()
    assert not is_good
    assert "takes no token of another cloud" in said


def test_an_unknown_connection_is_named():
    is_good, said = TeamsRegistrationHook("nowhere").test_connection()
    assert not is_good
    assert "'nowhere'" in said
    assert "airflow connections add nowhere --conn-type teams_registration --conn-schema TENANT_ID" in said


@pytest.mark.parametrize(
    ("fields", "extra", "named"),
    [
        pytest.param({}, {"base_url": "http://graph.example"}, "base_url must begin with https://", id="no TLS"),
        pytest.param({}, {"write_limit": "²"}, "write_limit is a string that cannot be right", id="no number"),
        pytest.param({}, {"certificate_path": "a.pem"}, "set it to certificate", id="certificate"),
        pytest.param({"password": "wrong"}, {}, "client secret is wrong", id="wrong secret"),
        pytest.param({"password": ""}, {}, "password is empty", id="no secret"),
        pytest.param({"login": ""}, {}, "login is empty", id="no client id"),
        pytest.param({}, {"tenant_id": ""}, "tenant_id is missing", id="no tenant"),
        pytest.param(
            {},
            {"auth": "password"},
            "auth is a string that is none of client_secret, certificate, ",
            id="no such way to sign in",
        ),
        pytest.param({}, {"auth": "refresh_token"}, "refresh_token is missing", id="no refresh token"),
        pytest.param({}, {"timeout": "soon"}, "timeout is a string that cannot be right", id="no number of seconds"),
        pytest.param({}, {"timeout": 0}, "timeout is a number that cannot be right", id="no time at all"),
        pytest.param({}, {"verify": "/nowhere/ca.pem"}, "no such file", id="no such CA file"),
        pytest.param({}, {"proxies": "proxy:3128"}, "proxies must be a JSON object", id="no proxies"),
        pytest.param({}, {"disable_instance_discovery": "maybe"}, "must be true or false", id="neither yes nor no"),
        pytest.param({}, {"authority": "http://127.0.0.1:1"}, "authority must begin with https://", id="plain http"),
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
    assert emulator.store.journal == []


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
    assert hook.newest_refresh_token in emulator.store.refresh_tokens
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
    # Before 3.2, Airflow itself refuses to read such a connection.
    is_read_by_airflow = AIRFLOW[0] == 2 or AIRFLOW >= (3, 2)
    assert (
        "extra must be a JSON object" if is_read_by_airflow else "Airflow knows no such connection, or cannot read it"
    ) in said
