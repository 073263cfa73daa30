"""Certificates and federated tokens, as real msal sends them and as wrong ones are refused."""

import jwt
import msal
import pytest
from cryptography.hazmat.primitives import serialization

from airflow_provider_teams_registration.emulator.store.client_assertions import ASSERTION_TYPE, make_certificate

GRAPH_SCOPE = "https://graph.microsoft.com/.default"


@pytest.fixture
def sign_in(emulator, http):
    """Signs in with real msal."""

    def attempt(credential):
        application = msal.ConfidentialClientApplication(
            emulator.client_id,
            client_credential=credential,
            authority=f"{emulator.url}/{emulator.tenant_id}",
            instance_discovery=False,
            http_client=http,
        )
        return application.acquire_token_for_client([GRAPH_SCOPE])

    return attempt


@pytest.fixture
def send(emulator, ask_for_token):
    """Sends an assertion as it is."""
    return lambda assertion, **form: ask_for_token(
        client_secret=None, client_assertion=assertion, client_assertion_type=ASSERTION_TYPE, **form
    )


def pem(path):
    return {"private_key": path.read_text(), "public_certificate": path.read_text()}


def test_msal_signs_in_by_a_certificate_and_its_sha_256_thumbprint(sign_in, emulator):
    answer = sign_in(pem(emulator.assertions.certificate_file()))

    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert (claims["appid"], claims["roles"]) == (emulator.client_id, emulator.switches.roles.split())


@pytest.mark.parametrize(
    ("validity", "is_registered", "number"),
    [
        ({}, False, 700027),
        ({"begins_in": -7200, "ends_in": -3600}, True, 1000502),
        ({"begins_in": 3600}, True, 1000502),
    ],
)
def test_certificate_that_is_unknown_or_outside_its_validity_is_refused(
    validity, is_registered, number, sign_in, emulator, tmp_path
):
    made = make_certificate(tmp_path / "other.pem", **validity)
    if is_registered:
        emulator.assertions.register(made.certificate)

    assert sign_in(pem(made.path))["error_codes"] == [number]


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"aud": "https://elsewhere.example/token"}, 50027),
        ({"sub": "somebody else"}, 50027),
        ({"exp": 1}, 700024),
        ({"nbf": 2**33}, 700024),
    ],
)
def test_assertion_of_a_certificate_is_checked(claims, number, send, emulator, tmp_path):
    made = make_certificate(tmp_path / "mine.pem")
    emulator.assertions.register(made.certificate)
    key = serialization.load_pem_private_key(made.path.read_bytes(), None)
    thumbprint = msal.application._extract_cert_and_thumbprints(made.certificate)[0]
    header = {"x5t#S256": msal.oauth2cli.assertion._encode_thumbprint(thumbprint)}
    good = {
        "iss": emulator.client_id,
        "sub": emulator.client_id,
        "aud": f"{emulator.url}/{emulator.tenant_id}/oauth2/v2.0/token",
        "exp": 2**33,
    }

    assert send(jwt.encode(good, key, "PS256", header)).status_code == 200
    assert send(jwt.encode({**good, **claims}, key, "PS256", header)).json()["error_codes"] == [number]


@pytest.mark.parametrize("platform", ["kubernetes", "github"])
def test_msal_signs_in_by_a_token_of_another_platform(platform, sign_in, emulator):
    token = getattr(emulator.assertions, platform).token()

    assert "access_token" in sign_in({"client_assertion": lambda: token})


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        ({"iss": "https://oidc.elsewhere.example"}, 70021),
        ({"sub": "system:serviceaccount:Airflow:worker"}, 700213),
        ({"aud": "sts.amazonaws.com"}, 7002131),
        ({"lifetime": -60}, 700024),
    ],
)
def test_federated_token_must_match_exactly(wrong, number, send, emulator):
    answer = send(emulator.assertions.kubernetes.token(**wrong))

    assert answer.json()["error_codes"] == [number]


def test_federated_token_of_another_key_is_refused(send, emulator):
    forged = jwt.encode(
        jwt.decode(emulator.assertions.kubernetes.token(), options={"verify_signature": False}),
        emulator.assertions.github.key,
        "RS256",
    )

    assert send(forged).json()["error_codes"] == [50027]


@pytest.mark.parametrize("assertion", ["", "x", "a.b.c", "e30.e30."])
def test_assertion_that_is_none_is_refused(assertion, send):
    answer = send(assertion)

    # An empty one is left out of the form.
    assert answer.json()["error_codes"] in ([50027], [7000218])


def test_tenant_goes_by_its_domain_too(emulator, ask_for_token):
    assert ask_for_token(tenant=emulator.tenant_domain).status_code == 200


def test_expired_token_is_refused(emulator, http, ask_for_token):
    token = ask_for_token().json()["access_token"]
    address = f"{emulator.url}/v1.0/solutions/virtualEvents/webinars"

    def status():
        return http.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code

    assert status() == 200
    emulator.expire_tokens()
    assert status() == 401
