"""Signing in by the identity of a machine, and machines that have none."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from airflow_provider_teams_registration.emulator.store.seeded import ARC_KEY_FILE, ARC_SECRET
from airflow_provider_teams_registration.exceptions import ServiceUnreachable, SignInError


@pytest.mark.parametrize("machine", ["vm", "app_service"])
def test_managed_identity_signs_in(machine, open_session, by_identity, on_machine, emulator):
    on_machine(machine)

    for client_id in ("", emulator.user_identity_id):
        assert open_session(replace(by_identity, client_id=client_id)).token().roles


@pytest.mark.skipif(os.geteuid() != 0, reason="Azure Arc keeps its keys where only root may write")
def test_managed_identity_of_azure_arc_signs_in(open_session, by_identity, on_machine):
    on_machine("arc")
    key = Path(ARC_KEY_FILE)
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_text(ARC_SECRET)
    try:
        assert open_session(by_identity).token().roles
    finally:
        key.unlink()


@pytest.mark.parametrize("machine", ["vm", "app_service"])
def test_identity_that_the_machine_does_not_have_is_said(machine, refusal, by_identity, on_machine):
    on_machine(machine)

    assert "Assign a managed identity to this machine" in refusal(replace(by_identity, client_id="x"), SignInError)


@pytest.mark.parametrize("busy", [404, 410, 429, 500, 503])
def test_busy_identity_endpoint_may_be_asked_again(busy, open_session, by_identity, on_machine, emulator):
    on_machine()
    emulator.add_fault("GET token", status=busy)
    session = open_session(by_identity)

    with pytest.raises(SignInError, match=f"endpoint answered {busy}.*try again later") as failure:
        session.token()

    assert failure.value.transient
    assert session.token().roles


@pytest.mark.parametrize(
    "fault",
    [
        {"body": "<html>CANARY</html>"},
        {"body": "[]"},
        {"body": '{"access_token": ["CANARY"]}'},
        {"body": '{"access_token": "CANARY", "expires_in": "soon"}'},
        {"body": '{"access_token": "CANARY", "expires_in": ' + "9" * 400 + "}"},
        {"drop": True},
        {"half": True},
        {"redirect": "http://other.example/"},
        {"status": 400, "body": "<html>CANARY</html>"},
    ],
)
def test_endpoint_that_is_none_is_said(fault, refusal, by_identity, on_machine, emulator, caplog):
    on_machine()
    emulator.add_fault("GET token", times=0, **fault)
    caplog.set_level("DEBUG")

    assert "has no managed identity that can be reached" in refusal(by_identity, ServiceUnreachable)
    assert "CANARY" not in caplog.text


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://192.0.2.1"])
def test_machine_without_a_managed_identity_is_known_within_seconds(address, refusal, by_identity, monkeypatch):
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", address)
    began = time.monotonic()

    said = refusal(replace(by_identity, timeout=2), ServiceUnreachable)

    assert "elsewhere, sign in another way" in said
    assert time.monotonic() - began < 10


def test_identity_endpoint_is_never_asked_through_a_proxy(open_session, by_identity, on_machine, monkeypatch):
    on_machine()
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    proxied = replace(by_identity, proxies={"https": "http://127.0.0.1:1", "http": "http://127.0.0.1:1"})
    assert open_session(proxied).token().roles
