"""Tokens, as real msal and as plain requests get them."""

import jwt
import msal
import pytest

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
DELEGATED_SCOPE = "https://graph.microsoft.com/OnlineMeetings.ReadWrite"


@pytest.fixture
def confidential(emulator, http):
    """Makes msal's application with a secret."""

    def make(secret=emulator.client_secret, tenant=emulator.tenant_id, client_id=emulator.client_id):
        return msal.ConfidentialClientApplication(
            client_id,
            client_credential=secret,
            authority=f"{emulator.url}/{tenant}",
            instance_discovery=False,
            http_client=http,
        )

    return make


def claims_of(answer):
    return jwt.decode(answer["access_token"], options={"verify_signature": False})


def test_msal_gets_an_application_token(confidential, emulator):
    answer = confidential().acquire_token_for_client([GRAPH_SCOPE])

    claims = claims_of(answer)
    assert claims["roles"] == emulator.switches.roles.split()
    assert (claims["tid"], claims["appid"]) == (emulator.tenant_id, emulator.client_id)
    assert "scp" not in claims
    assert answer["expires_in"] == 3600
    assert [entry.path.rsplit("/", 1)[-1] for entry in emulator.store.sign_ins] == ["openid-configuration", "token"]


def test_msal_gets_a_delegated_token_and_no_new_refresh_token(confidential, emulator):
    answer = confidential().acquire_token_by_refresh_token(emulator.refresh_token, [DELEGATED_SCOPE])

    claims = claims_of(answer)
    assert (claims["scp"], claims["oid"]) == (emulator.switches.scopes, emulator.organizer_id)
    assert claims["upn"] == claims["unique_name"] == "organizer@emulator.example"
    assert "roles" not in claims
    assert answer["refresh_token"] == emulator.refresh_token


def test_delegated_token_may_name_nobody(confidential, emulator):
    emulator.set_switches(token_names_user=False)

    answer = confidential().acquire_token_by_refresh_token(emulator.refresh_token, [DELEGATED_SCOPE])

    assert {"upn", "unique_name", "preferred_username"}.isdisjoint(claims_of(answer))


def test_msal_finds_the_signed_in_account_again(confidential, emulator):
    application = confidential()
    first = application.acquire_token_by_refresh_token(emulator.refresh_token, [DELEGATED_SCOPE])

    (account,) = application.get_accounts()
    again = application.acquire_token_silent([DELEGATED_SCOPE], account)

    assert account["home_account_id"] == f"{emulator.organizer_id}.{emulator.tenant_id}"
    assert again["access_token"] == first["access_token"]


@pytest.mark.parametrize(
    ("wrong", "error", "number"),
    [
        ({"secret": "wrong"}, "invalid_client", 7000215),
        ({"client_id": "44444444-4444-4444-8444-444444444444"}, "unauthorized_client", 700016),
    ],
)
def test_msal_is_refused_with_an_aadsts_number(confidential, wrong, error, number):
    answer = confidential(**wrong).acquire_token_for_client([GRAPH_SCOPE])

    assert (answer["error"], answer["error_codes"]) == (error, [number])
    assert answer["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= set(answer)


def test_msal_finds_no_unknown_tenant(confidential):
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        confidential(tenant="contoso.onmicrosoft.com")


def test_msal_finds_no_unknown_refresh_token(confidential):
    answer = confidential().acquire_token_by_refresh_token("unknown", [DELEGATED_SCOPE])

    assert (answer["error"], answer["error_codes"]) == ("invalid_grant", [700082])


def test_msal_raises_when_entra_is_broken(confidential, emulator):
    emulator.add_fault("POST token", status=503)

    with pytest.raises(msal.exceptions.MsalServiceError):
        confidential().acquire_token_for_client([GRAPH_SCOPE])


def test_msal_signs_in_by_device_code(emulator, http):
    application = msal.PublicClientApplication(
        emulator.client_id,
        authority=f"{emulator.url}/{emulator.tenant_id}",
        instance_discovery=False,
        http_client=http,
    )

    flow = application.initiate_device_flow([DELEGATED_SCOPE])
    assert "EMULATOR" in flow["message"]
    answer = application.acquire_token_by_device_flow({**flow, "interval": 0})

    assert claims_of(answer)["oid"] == emulator.organizer_id
    assert answer["refresh_token"] in emulator.store.refresh_tokens


def test_device_code_is_pending_once_and_good_once(emulator, http, ask_for_token):
    begun = http.post(
        f"{emulator.url}/{emulator.tenant_id}/oauth2/v2.0/devicecode",
        data={"client_id": emulator.client_id},
        timeout=10,
    ).json()

    def poll():
        return ask_for_token(
            grant_type="urn:ietf:params:oauth:grant-type:device_code",
            device_code=begun["device_code"],
            client_secret=None,
        )

    pending, done, used = poll(), poll(), poll()

    assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
    assert "refresh_token" in done.json()
    assert (used.status_code, used.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "status", "number"),
    [
        ({"client_secret": None}, 401, 7000218),
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_id": "unknown"}, 400, 700016),
        ({"client_id": None}, 400, 700016),
        ({"scope": "https://graph.microsoft.com/OnlineMeetings.ReadWrite"}, 400, 1002012),
        ({"grant_type": "password"}, 400, 70003),
        ({"grant_type": None}, 400, 70003),
        ({"grant_type": "refresh_token"}, 400, 700082),
        ({"grant_type": "refresh_token", "client_secret": "wrong"}, 401, 7000215),
        ({"tenant": "unknown"}, 400, 90002),
    ],
)
def test_bad_form_is_refused(ask_for_token, form, status, number):
    answer = ask_for_token(**form)

    assert (answer.status_code, answer.json()["error_codes"]) == (status, [number])


@pytest.mark.parametrize(
    ("path", "form", "number"),
    [
        ("{other}/oauth2/v2.0/devicecode", {"client_id": "x"}, 90002),
        ("{tenant}/oauth2/v2.0/devicecode", {"client_id": "x"}, 700016),
    ],
)
def test_device_sign_in_of_nobody_known_is_refused(emulator, http, path, form, number):
    address = path.format(tenant=emulator.tenant_id, other=emulator.organizer_id)

    answer = http.post(f"{emulator.url}/{address}", data=form, timeout=10)

    assert (answer.status_code, answer.json()["error_codes"]) == (400, [number])


def test_public_client_refreshes_without_a_secret(emulator, ask_for_token):
    answer = ask_for_token(grant_type="refresh_token", refresh_token=emulator.refresh_token, client_secret=None)

    assert answer.status_code == 200


def test_discovery_leads_to_the_name_that_the_caller_used(emulator, http):
    root = f"https://localhost:{emulator.port}/{emulator.tenant_id}"

    document = http.get(f"{root}/v2.0/.well-known/openid-configuration", timeout=10).json()

    assert document["token_endpoint"] == f"{root}/oauth2/v2.0/token"
    assert http.get(document["jwks_uri"], timeout=10).json() == {"keys": []}
