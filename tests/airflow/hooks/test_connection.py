"""What an Airflow connection says, and what it cannot say."""

import json
import traceback
import warnings

import airflow
import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant
from airflow_provider_teams_registration.hooks.connection import read_connection
from airflow_provider_teams_registration.hooks.connection_fields import CONNECTION_FIELDS

TENANT = "0b8a3d54-5a8c-4b43-a4a0-2c1d5c2f0a11"
CANARY = "Xy18Q~CANARY.pasted-secret"


def connection(extra=None, **fields):
    fields = {"conn_type": "teams_registration", "login": "app", "password": "secret"} | fields
    return Connection(conn_id="c", extra=json.dumps({"tenant_id": TENANT} | (extra or {})), **fields)


def msgraph(extra=None, **fields):
    """A connection as the form of Airflow's msgraph connection saves it."""
    filled_in = {"conn_type": "msgraph", "host": "graph.microsoft.com", "schema": "https", "port": 443}
    extras = {"api_version": "v1.0", "scopes": "https://graph.microsoft.com/.default", "trust_env": True}
    return connection(extras | (extra or {}), **filled_in | fields)


def refusal(read_from):
    with pytest.raises(SettingsError) as failure:
        read_connection(read_from)
    return failure.value


@pytest.mark.parametrize(
    ("fields", "extra"),
    [
        ({"host": "graph.microsoft.com", "port": 443}, {}),
        ({"host": "https://graph.microsoft.com", "port": 443}, {}),
        ({"host": "https://graph.microsoft.com/", "port": None}, {}),
        ({"host": "graph.microsoft.com:443"}, {}),
        ({"host": "graph.microsoft.com:443", "port": 443}, {}),
        ({"host": "https://graph.microsoft.com/v1.0/", "port": 443}, {}),
        ({"host": "https://graph.microsoft.com:443/beta"}, {}),
        ({"host": "Graph.Microsoft.com."}, {}),
        ({"host": " graph.microsoft.com \n"}, {}),
        ({}, {}),
        ({"port": 443}, {}),
        ({}, {"base_url": "https://graph.microsoft.com:443/v1.0/"}),
        ({}, {"base_url": "graph.microsoft.com"}),
        ({}, {"base_url": "graph.microsoft.com:443"}),
        ({}, {"base_url": "HTTPS://GRAPH.MICROSOFT.COM/V1.0"}),
        ({"host": "elsewhere.example", "port": 8443}, {"base_url": "https://graph.microsoft.com//"}),
    ],
)
def test_graph_has_one_address_however_it_is_written(fields, extra):
    settings = read_connection(connection(extra, **fields))

    assert settings.base_url == "https://graph.microsoft.com"
    assert settings.token_scopes == ["https://graph.microsoft.com/.default"]


@pytest.mark.parametrize(
    ("fields", "extra", "address"),
    [
        ({"host": "gateway.example", "port": 8443}, {}, "https://gateway.example:8443"),
        ({"host": "gateway.example:8443", "port": 443}, {}, "https://gateway.example:8443"),
        ({"host": "https://gateway.example/graph/v1.0", "port": 8443}, {}, "https://gateway.example:8443/graph"),
        ({"host": "emulator", "port": 8443}, {}, "https://emulator:8443"),
        ({"host": "[::1]", "port": 8443}, {}, "https://[::1]:8443"),
        ({}, {"base_url": "https://gateway.example/graph/beta/"}, "https://gateway.example/graph"),
        ({}, {"base_url": "localhost"}, "https://localhost"),
    ],
)
def test_address_of_a_gateway_keeps_its_port_and_path(fields, extra, address):
    settings = read_connection(connection(extra, **fields))

    assert settings.base_url == address
    assert settings.token_scopes == ["https://graph.microsoft.com/.default"]


def test_national_cloud_gets_a_token_of_its_own():
    settings = read_connection(connection(host="graph.microsoft.us", port=443))

    assert settings.token_scopes == ["https://graph.microsoft.us/.default"]


@pytest.mark.parametrize(
    "authority",
    ["login.microsoftonline.us", "https://login.microsoftonline.us:443/", "HTTPS://Login.Microsoftonline.us"],
)
def test_entra_has_one_address_however_it_is_written(authority):
    assert read_connection(connection({"authority": authority})).authority == "https://login.microsoftonline.us"


@pytest.mark.parametrize("port", [0, "0", None, ""])
def test_port_that_the_form_saves_for_an_empty_one_is_none(port):
    with_a_port = connection(host="graph.microsoft.com")
    with_a_port.port = port

    assert read_connection(with_a_port).base_url == "https://graph.microsoft.com"


@pytest.mark.parametrize("field", [{"extra": {"tenant_id": ""}, "schema": TENANT}, {"extra": {"tenantId": TENANT}}, {}])
def test_tenant_is_a_standard_field_or_an_extra(field):
    assert read_connection(connection(**field)).tenant_id == TENANT


def test_tenant_may_be_a_domain():
    assert read_connection(connection({"tenant_id": ""}, schema="contoso.onmicrosoft.com")).tenant_id.startswith("con")


def test_two_tenants_are_one_too_many():
    said = str(refusal(connection(schema="contoso.onmicrosoft.com")))

    assert "is not the tenant that the field Tenant ID (schema) names" in said


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers"])
def test_tenant_that_is_many_serves_only_a_user(tenant):
    assert "an application signs in to one" in str(refusal(connection({"tenant_id": tenant})))
    as_user = connection({"tenant_id": tenant, "auth": "refresh_token", "refresh_token": "x"})
    assert read_connection(as_user).tenant_id == tenant


@pytest.mark.parametrize("name", ["private_key", "refresh_token", "proxies", "password"])
def test_mask_that_the_form_tests_with_is_no_secret(name):
    masked = connection(password="***") if name == "password" else connection({name: "***"})

    assert f"{name} is '***'" in str(refusal(masked))
    assert "Save the connection first, then test it with: airflow connections test" in str(refusal(masked))


@pytest.mark.parametrize("tenant", ["tenant_id", "tenantId"])
@pytest.mark.parametrize(
    ("form", "path", "text"),
    [
        ({"certificate_path": "/certificate.pem"}, "/certificate.pem", None),
        ({"certificate_data": "-----BEGIN"}, None, "-----BEGIN"),
    ],
)
def test_msgraph_connection_with_a_certificate_is_read_as_it_is(tenant, form, path, text):
    settings = read_connection(msgraph({"tenant_id": "", tenant: TENANT, **form}, password="passphrase"))

    assert (settings.auth, settings.tenant_id, settings.client_secret) == ("certificate", TENANT, None)
    assert (settings.certificate_path, settings.certificate_data) == (path, text)
    assert settings.certificate_passphrase == "passphrase"


def test_workload_identity_takes_from_a_pods_environment_what_the_connection_leaves_empty(monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", "pod")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/token")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/")

    settings = read_connection(connection({"tenant_id": "", "auth": "workload_identity"}, login="", password=""))

    assert (settings.tenant_id, settings.client_id, settings.federated_token_file) == (TENANT, "pod", "/token")
    assert settings.authority == "https://login.microsoftonline.com"


@pytest.mark.parametrize("auth", ["managed_identity", "default"])
def test_machine_that_signs_in_by_itself_needs_no_field(auth):
    settings = read_connection(connection({"tenant_id": "", "auth": auth}, login="", password=""))

    assert (settings.auth, settings.client_id) == (auth, "")


@pytest.mark.parametrize("named", [{"login": "one"}, {"login": "", "extra": {"managed_identity_client_id": "one"}}])
def test_user_assigned_identity_is_named_by_its_client_id(named):
    extra = {"auth": "managed_identity", **named.get("extra", {})}

    assert read_connection(connection(extra, login=named["login"])).client_id == "one"


@pytest.mark.parametrize(
    ("extra", "fields", "named"),
    [
        ({"auth": "certificate"}, {}, "certificate_path is missing"),
        ({"certificate_path": "/a.pem", "private_key": "x"}, {}, "keep one of them"),
        ({"auth": "client_secret", "private_key": "x"}, {}, "set it to certificate"),
        ({"auth": "workload_identity"}, {}, "AZURE_FEDERATED_TOKEN_FILE is not set"),
        ({"auth": "workload_identity"}, {"login": ""}, "login is empty"),
    ],
)
def test_way_to_sign_in_says_what_it_lacks(extra, fields, named, monkeypatch):
    for name in ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)

    assert named in str(refusal(connection(extra, **fields)))


def test_secrets_of_a_connection_are_masked_by_airflow():
    from airflow.providers.common.compat.sdk import redact

    secrets = {name for name, field in CONNECTION_FIELDS.items() if field.is_secret}
    if airflow.__version__ == "2.11.0" or airflow.__version__.startswith("3.0."):
        # These versions do not count the name as a sensitive one, and docs/privacy.md says so.
        secrets.remove("proxies")
    shown = redact(dict.fromkeys(secrets, "CANARY"))

    assert "CANARY" not in str(shown)


def test_msgraph_connection_as_its_form_makes_it_reads_every_page(emulator, internet, open_session):
    emulator.set_switches(page_size=2)
    made_by_the_form = msgraph(
        {"tenant_id": emulator.tenant_id, "verify": False}, login=emulator.client_id, password=emulator.client_secret
    )
    meeting = OnlineMeeting(open_session(read_connection(made_by_the_form)), emulator.meeting_id, emulator.organizer_id)
    people = [f"person {n}" for n in range(5)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meeting.enroll([ExternalMeetingRegistrant(person) for person in people])
        listed = [registrant.id for registrant in meeting.registrants()]

    assert listed == people
    assert set(internet.asked) == {"login.microsoftonline.com:443", "graph.microsoft.com:443"}


@pytest.mark.parametrize("name", ["base_url", "authority", "host"])
@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("https://CANARY:CANARY@graph.microsoft.com", "user info"),
        ("CANARY@graph.microsoft.com", "user info"),
        ("https://graph.microsoft.com/v1.0?key=CANARY", "query or a fragment"),
        ("https://graph.microsoft.com?", "query or a fragment"),
        ("https://graph.microsoft.com/#CANARY", "query or a fragment"),
        ("https://graph.microsoft.com/\r\nCANARY: 1", "control character"),
        ("https://graph\tCANARY.microsoft.com", "control character"),
        ("https://graph.microsoft.com/\x00CANARY", "control character"),
        ("https://graph.microsoft.com/ CANARY", "space"),
        ("https://graph.microsoft.com\\CANARY", "another sign"),
        ("https://graph.microsoft\N{FULL STOP}com\N{ZERO WIDTH SPACE}/CANARY", "another sign"),
        ("http://CANARY.microsoft.com", "must begin with https://"),
        ("ftp://CANARY.microsoft.com", "must begin with https://"),
        ("https://CANARY.microsoft.com:99999", "host or port"),
        ("https://CANARY.microsoft.com:0", "host or port"),
        ("https://CANARY.microsoft.com:x", "host or port"),
        ("https://[CANARY", "host or port"),
        ("https://", "host or port"),
        ("https://graph.microsoft.com/CANARY/../v1.0", "path"),
        ("https://graph.microsoft.com/%2e%2e/CANARY", "path"),
        (CANARY, "host or port"),
        ("sCANARYt", "host or port"),
    ],
)
def test_address_that_cannot_be_right_is_refused_and_not_quoted(name, address, named):
    fields = {"host": address} if name == "host" else {"extra": {name: address}}

    said = str(refusal(connection(**fields)))

    assert said.startswith(f"Connection 'c': {name} ")
    assert named in said
    assert "CANARY" not in said


@pytest.mark.parametrize("port", [-1, 65_536, "https", "44 3"])
def test_port_that_cannot_be_right_is_refused(port):
    with_a_bad_port = connection(host="graph.microsoft.com")
    with_a_bad_port.port = port

    assert "port is a" in str(refusal(with_a_bad_port))


@pytest.mark.parametrize(
    "name",
    [
        *sorted(set(CONNECTION_FIELDS) - {"refresh_token", "scopes", "federated_token_file"}),
        "tenant_id",
        "tenantId",
        "certificate_data",
        "host",
        "schema",
    ],
)
@pytest.mark.parametrize("pasted", [CANARY, f"0.A{CANARY}" * 40, [CANARY], {CANARY: CANARY}, f"\x00{CANARY}"])
def test_secret_that_was_pasted_into_a_field_shows_neither_in_the_error_nor_in_its_frames(name, pasted):
    if name in ("host", "schema"):
        read_from = connection(**{name: str(pasted)})
    elif name in ("certificate_path", "private_key", "certificate_data"):
        read_from = connection({"auth": "client_secret", name: pasted})
    else:
        read_from = connection({name: pasted} | ({"tenant_id": ""} if name == "tenantId" else {}))

    error = refusal(read_from)

    frames = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), capture_locals=True)
    ours = [frame for frame in frames if frame.filename.endswith("hooks/connection.py")]
    assert len(ours) == 1
    assert "CANARY" not in f"{error} {ours[0].locals}"
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"auth": CANARY}, "auth is a string that is none of client_secret, certificate, "),
        ({"auth": [CANARY]}, "auth is a list"),
        ({"timeout": CANARY}, "timeout is a string"),
        ({"timeout": {}}, "timeout is an object"),
        ({"timeout": True}, "timeout is a boolean"),
        ({"timeout": -1}, "timeout is a number"),
        ({"timeout": 1e10}, "timeout is a number"),
        ({"timeout": "nan"}, "timeout is a string"),
        ({"write_window": CANARY}, "write_window is a string"),
        ({"write_limit": 1.5}, "write_limit is a number"),
        ({"write_limit": "9" * 400}, "write_limit is a string"),
        ({"tenant_id": CANARY}, "tenant_id is neither the id"),
        ({"tenant_id": f"{TENANT}/../other"}, "tenant_id is neither the id"),
        ({"verify": CANARY}, "verify is neither true nor false nor the path"),
        ({"verify": CANARY * 400}, "verify is neither true nor false nor the path"),
        ({"disable_instance_discovery": CANARY}, "disable_instance_discovery must be true or false"),
        ({"proxies": CANARY}, "proxies must be a JSON object"),
        ({"proxies": [CANARY]}, "proxies must be a JSON object"),
        ({"proxies": {"ftp": CANARY}}, "the key 'ftp' is not understood"),
        ({"proxies": {"https": {"url": CANARY}}}, "the key 'https' must have a text"),
    ],
)
def test_field_that_cannot_be_right_is_named_with_the_kind_of_its_value(extra, named):
    said = str(refusal(connection(extra)))

    assert named in said
    assert "CANARY" not in said


def test_proxies_that_the_msgraph_hook_takes_are_taken_as_text_too():
    as_python = "{'https://': 'http://proxy:3128', 'no': 'all://localhost, *.example.com'}"

    assert read_connection(msgraph({"proxies": as_python})).proxies == {
        "https://": "http://proxy:3128",
        "no": "all://localhost, *.example.com",
    }
