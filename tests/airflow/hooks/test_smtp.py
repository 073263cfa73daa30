"""Ways to reach and sign in to a mail server, over real TLS."""

from __future__ import annotations

import json
import ssl
from email.message import EmailMessage

import pytest
import trustme
from airflow.providers.smtp.hooks.smtp import SmtpHook

from airflow_provider_teams_registration.hooks.smtp import connect_with
from airflow_provider_teams_registration.mail.delivery import DeliveryResult, deliver, put_into_envelope
from airflow_provider_teams_registration.mail.sender import MailServerFailure
from tests.mail_server import LOGIN, MailServer

pytestmark = pytest.mark.airflow

SECRET = "canary-secret"
PASSWORD = {"login": LOGIN, "password": SECRET}
# Older versions of the smtp provider know no OAuth2, and verify no certificate after STARTTLS.
IS_RECENT = pytest.mark.skipif(not hasattr(SmtpHook, "auth_type"), reason="needs a newer smtp provider")
TOKEN = {"login": LOGIN, "extra": {"auth_type": "oauth2", "access_token": SECRET}}


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    """The connections trust the mail server's certificate."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.fixture(params=["starttls", "implicit"])
def mail_server(request, authority):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    with MailServer(**{request.param: context}, secret=SECRET) as server:
        yield server


@pytest.fixture
def connect(request, mail_server, monkeypatch):
    way = "disable_tls" if request.node.callspec.params["mail_server"] == "implicit" else "disable_ssl"

    def connect(signing_in, **extra):
        smtp = {"conn_type": "smtp", "host": "localhost", "port": mail_server.port, **signing_in}
        smtp["extra"] = {way: True, **signing_in.get("extra", {}), **extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_TLS", json.dumps(smtp))
        return connect_with("smtp_tls")()

    return connect


def mail():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = LOGIN, "ada@example.org", "Link"
    message.set_content("text")
    return put_into_envelope(message)


@pytest.mark.parametrize(
    "signing_in", [pytest.param(PASSWORD, id="password"), pytest.param(TOKEN, id="OAuth2", marks=IS_RECENT)]
)
def test_mails_go_over_tls_after_signing_in(mail_server, trusted, connect, signing_in):
    client = connect(signing_in)
    assert isinstance(client.sock, ssl.SSLSocket)
    assert deliver(client, mail()).result is DeliveryResult.ACCEPTED
    client.quit()
    assert mail_server.addresses == ["ada@example.org"]


@pytest.mark.parametrize(
    ("signing_in", "extra"),
    [
        pytest.param(PASSWORD | {"password": "canary-wrong"}, {}, id="password"),
        pytest.param(TOKEN, {"access_token": "canary-wrong"}, id="OAuth2", marks=IS_RECENT),
    ],
)
def test_a_refused_sign_in_is_permanent_and_names_the_connection(mail_server, trusted, connect, signing_in, extra):
    with pytest.raises(MailServerFailure, match=r"refused the sign-in \(535\).*'smtp_tls'") as failure:
        connect(signing_in, **extra)
    assert not failure.value.transient
    assert "canary" not in str(failure.value)


@IS_RECENT
def test_a_certificate_that_nobody_vouches_for_is_refused_for_good(mail_server, connect):
    with pytest.raises(MailServerFailure, match="SSLCertVerificationError") as failure:
        connect(PASSWORD)
    assert not failure.value.transient


@IS_RECENT
def test_oauth2_without_a_token_says_what_the_connection_lacks(mail_server, trusted, connect):
    with pytest.raises(MailServerFailure, match="access_token, or client_id and client_secret") as failure:
        connect({"login": LOGIN, "extra": {"auth_type": "oauth2"}})
    assert not failure.value.transient
