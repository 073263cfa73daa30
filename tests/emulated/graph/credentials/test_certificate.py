"""Signing in by a certificate, and the sentence for each thing that can be wrong with it."""

import base64
import re
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_provider_teams_registration.emulator.store.client_assertions import make_certificate
from airflow_provider_teams_registration.exceptions import SettingsError
from tests.emulated.graph.credentials.certificates import PASSPHRASE, certificate_part, encrypted, pfx

FORMS = {
    "file": lambda path: {"certificate_path": str(path)},
    "text": lambda path: {"certificate_path": None, "certificate_data": path.read_text()},
    "certificate first": lambda path: {
        "certificate_path": None,
        "certificate_data": certificate_part(path) + path.read_text().replace(certificate_part(path), ""),
    },
    "text without line breaks": lambda path: {
        "certificate_path": None,
        "certificate_data": path.read_text().replace("\n", " "),
    },
    "text with escaped line breaks": lambda path: {
        "certificate_path": None,
        "certificate_data": path.read_text().replace("\n", "\\n"),
    },
    "encrypted key": lambda path: {
        "certificate_path": None,
        "certificate_data": encrypted(path),
        "certificate_passphrase": PASSPHRASE,
    },
    "encrypted key of the old kind": lambda path: {
        "certificate_path": None,
        "certificate_data": encrypted(path, serialization.PrivateFormat.TraditionalOpenSSL),
        "certificate_passphrase": PASSPHRASE,
    },
    "pfx in base64": lambda path: {
        "certificate_path": None,
        "certificate_data": base64.b64encode(pfx(path)).decode(),
        "certificate_passphrase": PASSPHRASE,
    },
    "pfx in base64 without a passphrase": lambda path: {
        "certificate_path": None,
        "certificate_data": base64.b64encode(pfx(path, None)).decode(),
    },
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_certificate_signs_in_whatever_form_it_has(form, open_session, by_certificate, certificate, emulator):
    token = open_session(replace(by_certificate, **form(certificate.path))).token()

    assert token.roles == tuple(emulator.switches.roles.split())


def test_certificate_file_may_be_a_pfx(open_session, by_certificate, certificate):
    certificate.path.write_bytes(pfx(certificate.path))

    assert open_session(replace(by_certificate, certificate_passphrase=PASSPHRASE)).token().roles


def test_certificate_that_was_renewed_on_the_disk_signs_in_next_time(
    open_session, by_certificate, certificate, emulator
):
    session = open_session(by_certificate)
    first = session.token()
    emulator.assertions.register(make_certificate(certificate.path).certificate)

    assert session.token(fresh=True).value != first.value


WRONG_CERTIFICATES = {
    "missing": (lambda path: path.unlink(), "certificate_path names a file that cannot be read.*No such file"),
    "empty": (lambda path: path.write_text(""), "certificate_path names a file that is empty"),
    "html": (lambda path: path.write_text("<html>CANARY</html>"), "is neither a PEM text nor a .pfx file"),
    "not a pfx": (lambda path: path.write_bytes(b"\x30CANARY"), "is a .pfx file that the .* password does not open"),
    "key only": (
        lambda path: path.write_text(path.read_text().replace(certificate_part(path), "")),
        "holds no certificate; it must hold the key and the certificate",
    ),
    "certificate only": (lambda path: path.write_text(certificate_part(path)), "holds no private key"),
    "encrypted": (lambda path: path.write_text(encrypted(path)), "encrypted private key; put its passphrase into"),
    "broken key": (
        lambda path: path.write_text(path.read_text().replace("PRIVATE KEY-----\nMII", "PRIVATE KEY-----\nCANARY")),
        "holds a private key that cannot be read",
    ),
    "other key": (
        lambda path: path.write_text(
            path.read_text().replace(certificate_part(path), "")
            + certificate_part(make_certificate(path.with_name("other.pem")).path)
        ),
        "holds a private key and a certificate that do not belong together",
    ),
    "elliptic curve": (
        lambda path: path.write_text(
            ec.generate_private_key(ec.SECP256R1())
            .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            .decode()
            + certificate_part(path)
        ),
        "is not an RSA key",
    ),
    "expired": (
        lambda path: make_certificate(path, begins_in=-7200, ends_in=-3600),
        r"certificate that expired at 20\d\d-\d\d-\d\d \d\d:\d\d UTC. Make a new one",
    ),
    "not yet valid": (
        lambda path: make_certificate(path, begins_in=3600),
        r"not valid before 20\d\d-.* UTC. Check the clock",
    ),
    "not registered": (make_certificate, "AADSTS700027.*does not know this certificate. Upload the public part"),
}


@pytest.mark.parametrize(("spoil", "sentence"), WRONG_CERTIFICATES.values(), ids=WRONG_CERTIFICATES)
def test_wrong_certificate_gets_one_sentence(spoil, sentence, refusal, by_certificate, certificate):
    spoil(certificate.path)

    said = refusal(by_certificate)

    assert re.search(sentence, said), said


@pytest.mark.parametrize("passphrase", [PASSPHRASE[:-1], PASSPHRASE + "x"])
@pytest.mark.parametrize("write", [lambda path: path.write_text(encrypted(path)), lambda p: p.write_bytes(pfx(p))])
def test_wrong_passphrase_is_said(write, passphrase, refusal, by_certificate, certificate):
    write(certificate.path)

    said = refusal(replace(by_certificate, certificate_passphrase=passphrase), SettingsError)

    assert "the connection's password does not" in said


def test_text_of_a_certificate_in_place_of_its_path_is_told_where_to_go(refusal, by_certificate, certificate):
    said = refusal(replace(by_certificate, certificate_path=certificate.path.read_text()), SettingsError)

    assert "put that into private_key" in said


def test_certificate_is_valid_until_its_last_second(certificate, by_certificate):
    from airflow_provider_teams_registration.graph.credentials.certificate import read_certificate

    ends = certificate.certificate.not_valid_after_utc

    assert read_certificate(by_certificate, ends).public_certificate
    with pytest.raises(SettingsError, match="expired"):
        read_certificate(by_certificate, datetime.fromtimestamp(ends.timestamp() + 1, timezone.utc))
