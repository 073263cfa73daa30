"""Grants, id tokens and scopes, as Microsoft's libraries send and expect them."""

import jwt
import msal
import pytest

SCOPE = "https://graph.microsoft.com/OnlineMeetings.ReadWrite"
FOREIGN = "https://vault.azure.net"


@pytest.fixture
def public_client(emulator, http):
    """msal's application without a secret."""
    return msal.PublicClientApplication(
        emulator.client_id,
        authority=f"{emulator.url}/{emulator.tenant_id}",
        instance_discovery=False,
        http_client=http,
    )


@pytest.fixture
def begin(emulator, http):
    """Begins a sign-in on another device."""
    address = f"{emulator.url}/{emulator.tenant_id}/oauth2/v2.0/devicecode"
    return lambda **form: http.post(address, data={"client_id": emulator.client_id, **form}, timeout=10)


@pytest.mark.parametrize("grant", ["device_code", "urn:ietf:params:oauth:grant-type:device_code"])
def test_device_code_grant_goes_by_either_spelling(begin, ask_for_token, grant):
    form = {"grant_type": grant, "device_code": begin().json()["device_code"], "client_secret": None}

    pending, done = ask_for_token(**form), ask_for_token(**form)

    assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
    assert {"access_token", "refresh_token", "id_token"} <= set(done.json())


def test_msal_knows_by_device_code_and_by_refresh_token_who_signed_in(public_client, emulator):
    flow = public_client.initiate_device_flow([SCOPE])
    by_device = public_client.acquire_token_by_device_flow({**flow, "interval": 0})
    by_refresh = public_client.acquire_token_by_refresh_token(emulator.refresh_token, [SCOPE])

    for answer in (by_device, by_refresh):
        claims = answer["id_token_claims"]
        assert (claims["aud"], claims["oid"], claims["tid"]) == (
            emulator.client_id,
            emulator.organizer_id,
            emulator.tenant_id,
        )
        assert claims["iss"] == f"{emulator.url}/{emulator.tenant_id}/v2.0"
    assert [account["username"] for account in public_client.get_accounts()] == ["organizer@emulator.example"]


def test_id_token_may_name_nobody(public_client, emulator):
    emulator.set_switches(token_names_user=False)

    answer = public_client.acquire_token_by_refresh_token(emulator.refresh_token, [SCOPE])

    assert "preferred_username" not in answer["id_token_claims"]


def test_id_token_of_an_expired_sign_in_can_be_read(public_client, emulator):
    emulator.set_switches(token_lifetime=0)

    answer = public_client.acquire_token_by_refresh_token(emulator.refresh_token, [SCOPE])

    assert answer["id_token_claims"]["oid"] == emulator.organizer_id


@pytest.mark.parametrize(
    ("scope", "is_given"),
    [
        (None, True),
        (f"{SCOPE} openid offline_access", True),
        ("https://graph.microsoft.com/.default", True),
        (f"{SCOPE} offline_access", False),
    ],
)
def test_id_token_comes_when_it_is_asked_for(emulator, begin, ask_for_token, scope, is_given):
    code = begin(scope=scope).json()["device_code"]
    device = {"grant_type": "device_code", "device_code": code, "scope": None}
    ask_for_token(**device)

    refreshed = ask_for_token(grant_type="refresh_token", refresh_token=emulator.refresh_token, scope=scope).json()

    assert ("id_token" in refreshed) == ("id_token" in ask_for_token(**device).json()) == is_given


def test_id_token_opens_nothing(emulator, http, ask_for_token):
    answer = ask_for_token(grant_type="refresh_token", refresh_token=emulator.refresh_token, scope=None)
    headers = {"Authorization": f"Bearer {answer.json()['id_token']}"}

    refused = http.get(f"{emulator.url}/v1.0/me/onlineMeetings/x", headers=headers, timeout=10)

    assert refused.status_code == 401
    assert refused.json()["error"]["message"] == "Access token validation failure. Invalid audience."


@pytest.mark.parametrize(
    "resource",
    [FOREIGN, "https://graph.microsoft.com:443", "https://graph.microsoft.com.example", "https://graph.microsoft.us"],
)
def test_scope_of_another_resource_gives_no_token(emulator, begin, ask_for_token, resource):
    scopes = {"scope": f"openid {resource}/.default"}
    refused = [
        ask_for_token(scope=f"{resource}/.default"),
        ask_for_token(grant_type="refresh_token", refresh_token=emulator.refresh_token, **scopes),
        begin(**scopes),
    ]

    for answer in refused:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_resource")
        assert answer.json()["error_codes"] == [500011]


def test_refused_scope_uses_no_refresh_token_up(emulator, ask_for_token):
    emulator.set_switches(rotate_refresh_tokens="old_one_dies")
    form = {"grant_type": "refresh_token", "refresh_token": emulator.refresh_token}

    assert ask_for_token(**form, scope=f"{FOREIGN}/.default").status_code == 400
    assert ask_for_token(**form).status_code == 200


@pytest.mark.parametrize(
    "scope",
    [
        "https://graph.microsoft.com/.default",
        "https://graph.microsoft.com//.default",
        "HTTPS://Graph.Microsoft.com/.default",
        "00000003-0000-0000-c000-000000000000/.default",
    ],
)
def test_graph_goes_by_any_of_its_names(ask_for_token, scope):
    answer = ask_for_token(scope=scope).json()

    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert claims["aud"] == "https://graph.microsoft.com"


def test_scope_without_a_resource_is_one_of_graph(emulator, ask_for_token):
    form = {"grant_type": "refresh_token", "refresh_token": emulator.refresh_token}

    assert ask_for_token(**form, scope="OnlineMeetings.ReadWrite openid profile offline_access").status_code == 200
