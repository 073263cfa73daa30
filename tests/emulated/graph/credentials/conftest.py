"""The ways to sign in, each ready to be used with the emulator."""

import os
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.emulator.store.client_assertions import make_certificate
from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from tests.emulated.graph.credentials.certificates import PASSPHRASE
from tests.emulated.graph.test_secrets import assert_holds_none

AZURE_VARIABLES = ("AZURE_", "IDENTITY_", "IMDS_", "MSI_")


@pytest.fixture(autouse=True)
def no_azure(monkeypatch):
    """The environment of a machine that is not in Azure."""
    for name in [name for name in os.environ if name.startswith(AZURE_VARIABLES)]:
        monkeypatch.delenv(name)


@pytest.fixture
def certificate(emulator, tmp_path):
    """A certificate that the app registration knows."""
    made = make_certificate(tmp_path / "CANARY-certificate.pem")
    emulator.assertions.register(made.certificate)
    return made


@pytest.fixture
def token_file(emulator, tmp_path):
    """The file that a platform writes its token to."""
    path = tmp_path / "federated-token"
    path.write_text(emulator.assertions.kubernetes.token())
    return path


@pytest.fixture
def without_secret(settings):
    """The application's way to the emulator, for another way to sign in."""
    return replace(settings, client_secret=None)


@pytest.fixture
def by_certificate(without_secret, certificate):
    return replace(without_secret, auth="certificate", certificate_path=str(certificate.path))


@pytest.fixture
def by_federation(without_secret, token_file):
    return replace(without_secret, auth="workload_identity", federated_token_file=str(token_file))


@pytest.fixture
def by_identity(without_secret):
    return replace(without_secret, auth="managed_identity", tenant_id="", client_id="")


@pytest.fixture
def by_default(without_secret):
    pytest.importorskip("azure.identity")
    return replace(without_secret, auth="default", tenant_id="", client_id="")


@pytest.fixture
def on_machine(emulator, monkeypatch):
    """Lets the test run on an Azure machine of a kind."""

    def place(machine="vm"):
        for name, value in emulator.machine_environment(machine).items():
            monkeypatch.setenv(name, value)

    return place


@pytest.fixture
def refusal(open_session):
    """Signs in, and returns the sentence of the failure, which holds no secret."""

    def get(settings, kind=TeamsRegistrationError, secrets=(PASSPHRASE,)):
        with pytest.raises(kind) as failure:
            open_session(settings).token()
        # Without the frame of this function.
        failure.value.__traceback__ = failure.value.__traceback__.tb_next
        assert_holds_none(failure.value, [*secrets, "CANARY", "PRIVATE KEY"])
        return str(failure.value)

    return get
