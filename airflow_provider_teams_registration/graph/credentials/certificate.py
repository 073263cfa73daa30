"""
A certificate to sign in with, from a file or a text: PEM, or PKCS #12 (.pfx).

Service page: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12

from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.graph.secret import Secret
from airflow_provider_teams_registration.graph.settings import GraphSettings

_LARGEST_FILE = 1_000_000
_TEXT = "certificate text (private_key or certificate_data)"
_BLOCK = re.compile(r"(-----BEGIN [A-Z0-9 ]+-----)(.*?)(-----END [A-Z0-9 ]+-----)", re.DOTALL)


@dataclass(frozen=True)
class ClientCertificate:
    """
    A certificate and its private key.

    :param private_key: the key as an unencrypted PEM text, a secret.
    :param public_certificate: the certificate as a PEM text.
    """

    private_key: Secret = field(repr=False)
    public_certificate: str = field(repr=False)

    def for_msal(self) -> dict[str, str]:
        """Return it as msal takes it. Without a thumbprint given, msal names the certificate by its SHA-256 one."""
        return {"private_key": self.private_key, "public_certificate": self.public_certificate}


def read_certificate(settings: GraphSettings, now: datetime | None = None) -> ClientCertificate:
    """
    Read and check the certificate of a connection.

    :param settings: the connection's settings.
    :param now: the time it must be valid at; the present by default.
    :raises SettingsError: there is none, it cannot be read, or it is not valid now. The frames of the error hold the
        key: :func:`.bare` it before anybody sees it.
    """
    name = "certificate_path" if settings.certificate_path else _TEXT
    content = _file(settings.certificate_path) if settings.certificate_path else _data(settings.certificate_data or "")
    passphrase = settings.certificate_passphrase.encode() if settings.certificate_passphrase else None
    if b"-----BEGIN" in content:
        key, certificates = _from_pem(name, content, passphrase)
    else:
        key, certificates = _from_pkcs12(name, content, passphrase)
    if not isinstance(key, RSAPrivateKey):
        raise _error(name, "holds a private key that is not an RSA key; Entra takes RSA only")
    certificate = _of_key(name, key, certificates)
    _check_validity(name, certificate, now or datetime.now(timezone.utc))
    return ClientCertificate(
        Secret(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode()
        ),
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
    )


def _error(name: str, what: str) -> SettingsError:
    return SettingsError(f"The connection's {name} {what}.")


def _file(path: str) -> bytes:
    if "-----BEGIN" in path:
        raise _error("certificate_path", "holds the text of a certificate; put that into private_key")
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE)
    except (OSError, ValueError) as error:
        # Not the path itself: a secret may have been pasted into the wrong field.
        reason = getattr(error, "strerror", None) or "not a path"
        raise _error("certificate_path", f"names a file that cannot be read on this machine ({reason})") from None
    if not content.strip():
        raise _error("certificate_path", "names a file that is empty")
    return content


def _data(text: str) -> bytes:
    if "-----BEGIN" in text:
        # Forms and environment variables turn line breaks into the two characters \n, or into spaces.
        return _BLOCK.sub(_in_lines, text.replace("\\r", "").replace("\\n", "\n")).encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _error(_TEXT, "is neither a PEM text nor a .pfx file in base64") from None


def _in_lines(block: re.Match[str]) -> str:
    body = block[2].strip() if ":" in block[2] else "\n".join(block[2].split())
    return f"{block[1]}\n{body}\n{block[3]}\n"


def _from_pem(name: str, content: bytes, passphrase: bytes | None) -> tuple[Any, Sequence[x509.Certificate]]:
    if b"PRIVATE KEY-----" not in content:
        raise _error(name, "holds no private key; it must hold the key and the certificate, one after the other")
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise _error(name, "holds no certificate; it must hold the key and the certificate, one after the other")
    is_encrypted = b"ENCRYPTED" in content
    if is_encrypted and passphrase is None:
        raise _error(name, "holds an encrypted private key; put its passphrase into the connection's password")
    try:
        key = serialization.load_pem_private_key(content, passphrase if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if is_encrypted:
            raise _error(name, "holds a private key that the connection's password does not decrypt") from None
        raise _error(name, "holds a private key that cannot be read; it must be a PEM text") from None
    try:
        return key, x509.load_pem_x509_certificates(content)
    except ValueError:
        raise _error(name, "holds a certificate that cannot be read; it must be a PEM text") from None


def _from_pkcs12(name: str, content: bytes, passphrase: bytes | None) -> tuple[Any, Sequence[x509.Certificate]]:
    if not content.startswith(b"\x30"):
        raise _error(name, "is neither a PEM text nor a .pfx file")
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(content, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _error(name, "is a .pfx file that the connection's password does not open, or it is broken") from None
    found = [one for one in (certificate, *others) if one is not None]
    if key is None or not found:
        raise _error(name, "is a .pfx file without a private key or without a certificate")
    return key, found


def _of_key(name: str, key: RSAPrivateKey, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    own = key.public_key().public_numbers()
    for certificate in certificates:
        public = certificate.public_key()
        if getattr(public, "public_numbers", lambda: None)() == own:
            return certificate
    raise _error(name, "holds a private key and a certificate that do not belong together")


def _check_validity(name: str, certificate: x509.Certificate, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > ends:
        raise _error(
            name,
            f"holds a certificate that expired at {ends:%Y-%m-%d %H:%M} UTC. Make a new one, upload its public part to "
            "the app registration, and store it here",
        )
    if now < begins:
        raise _error(
            name,
            f"holds a certificate that is not valid before {begins:%Y-%m-%d %H:%M} UTC. Check the clock of this "
            "machine",
        )
