"""Signing in by whatever a machine offers."""

import sys
import time
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.exceptions import SettingsError, SignInError


def test_default_chain_without_its_package_names_the_extra(without_secret, refusal, monkeypatch):
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    monkeypatch.setitem(sys.modules, "azure.core.exceptions", None)

    said = refusal(replace(without_secret, auth="default"), SettingsError)

    assert "pip install 'airflow-provider-teams-registration[azure]'" in said


def test_default_chain_takes_what_the_environment_offers(open_session, by_default, emulator, monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", emulator.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", emulator.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", emulator.client_secret)

    assert open_session(by_default).token().roles


def test_default_chain_takes_the_federated_token_of_a_pod(open_session, by_default, emulator, token_file, monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", emulator.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", emulator.client_id)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token_file))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", emulator.url)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "prod")

    assert open_session(by_default).token().roles


def test_default_chain_that_finds_nothing_names_what_it_tried(refusal, by_default, monkeypatch):
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")

    said = refusal(by_default, SignInError)

    assert "No credential of the default chain gave a token; tried: EnvironmentCredential" in said


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}, {"body": '{"access_token": "CANARY'}])
def test_default_chain_in_trouble_does_not_retry_for_minutes(fault, refusal, by_default, emulator, monkeypatch, caplog):
    monkeypatch.setenv("AZURE_TENANT_ID", emulator.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", emulator.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "CANARY-SECRET")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    emulator.add_fault("POST token", times=0, **fault)
    caplog.set_level("DEBUG")
    began = time.monotonic()

    assert "is failing" in refusal(by_default)
    assert time.monotonic() - began < 20
    assert "CANARY" not in caplog.text


@pytest.mark.parametrize("content", [None, "CANARY"])
def test_default_chain_that_cannot_use_its_environment_says_so(content, refusal, by_default, monkeypatch, tmp_path):
    certificate = tmp_path / "CANARY-certificate"
    if content is not None:
        certificate.write_text(content)
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant.example")
    monkeypatch.setenv("AZURE_CLIENT_ID", "x")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(certificate))

    assert "AZURE_CLIENT_CERTIFICATE_PATH" in refusal(by_default, SettingsError)


def test_default_chain_passes_on_what_entra_said(refusal, by_default, emulator, monkeypatch, caplog):
    monkeypatch.setenv("AZURE_TENANT_ID", emulator.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", emulator.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "CANARY-SECRET")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    caplog.set_level("DEBUG")

    assert "AADSTS7000215" in refusal(by_default, SignInError)
    assert "CANARY-SECRET" not in caplog.text
