"""The endpoints of managed identities, as real msal asks them."""

import jwt
import msal
import pytest

RESOURCE = "https://graph.microsoft.com"


@pytest.fixture
def ask(emulator, http, monkeypatch):
    """Asks with real msal, on a machine of a kind."""

    def attempt(machine, identity=None, resource=RESOURCE):
        for name, value in emulator.machine_environment(machine).items():
            monkeypatch.setenv(name, value)
        client = msal.ManagedIdentityClient(identity or msal.SystemAssignedManagedIdentity(), http_client=http)
        return client.acquire_token_for_client(resource=resource)

    return attempt


@pytest.mark.parametrize("machine", ["vm", "app_service"])
def test_identity_gets_a_token_of_its_own(machine, ask, emulator):
    by_system = ask(machine)
    by_user = ask(machine, msal.UserAssignedManagedIdentity(client_id=emulator.user_identity_id))

    apps = [jwt.decode(one["access_token"], options={"verify_signature": False}) for one in (by_system, by_user)]
    assert apps[0]["appid"] != apps[1]["appid"] == emulator.user_identity_id
    assert apps[0]["roles"] == emulator.switches.roles.split()
    assert 3590 <= by_system["expires_in"] <= 3600


@pytest.mark.parametrize("machine", ["vm", "app_service"])
def test_identity_that_the_machine_does_not_have_is_refused(machine, ask):
    assert "error" in ask(machine, msal.UserAssignedManagedIdentity(client_id="unknown"))


@pytest.mark.parametrize("machine", ["vm", "app_service"])
def test_resource_that_does_not_exist_is_refused(machine, ask):
    assert "error" in ask(machine, resource="https://vault.azure.net")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/metadata/identity/oauth2/token?api-version=2018-02-01&resource=x", 400),
        ("/msi/token?api-version=2019-08-01&resource=x", 401),
        ("/arc/metadata/identity/oauth2/token?api-version=2020-06-01&resource=x", 401),
    ],
)
def test_program_that_does_not_prove_where_it_runs_is_refused(path, status, emulator, http):
    assert http.get(emulator.url + path, timeout=10).status_code == status
