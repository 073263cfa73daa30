"""
What the emulated app registration trusts in place of a secret: certificates, and the tokens of other platforms.

Service pages:
https://learn.microsoft.com/entra/identity-platform/certificate-credentials
https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from airflow_provider_teams_registration.emulator.store.seeded import CLIENT_ID

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
_ALGORITHMS = ("PS256", "RS256")
_LONGEST_FEDERATED_LIFE = 86_400


@dataclass(frozen=True)
class ClientCertificateFiles:
    """
    A certificate to sign in with, and its private key.

    :param path: the file of both, as PEM: the connection's ``certificate_path``.
    :param certificate: the certificate.
    """

    path: Path
    certificate: x509.Certificate = field(repr=False)


@dataclass(frozen=True)
class Platform:
    """
    Another platform whose tokens the app registration trusts.

    :param issuer: the token's claim ``iss``: the platform.
    :param subject: the claim ``sub``: the workload that the token is for.
    :param audience: the claim ``aud``: what the token may be used for.
    :param key: the key that the platform signs with.
    """

    issuer: str
    subject: str
    audience: str = EXCHANGE_AUDIENCE
    key: rsa.RSAPrivateKey = field(default_factory=lambda: _new_key(), repr=False)

    def token(self, lifetime: int = 3600, **claims: Any) -> str:
        """
        Return a token as the platform issues it.

        :param lifetime: seconds from now until it expires; below 0, it has expired.
        :param claims: claims to be other than they should.
        """
        now = int(time.time())
        payload = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": self.audience,
            "iat": now + min(lifetime, 0),
            "nbf": now + min(lifetime, 0),
            "exp": now + lifetime,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode({**payload, **claims}, self.key, algorithm="RS256")


class ClientAssertions:
    """
    The certificates and platforms that the app registration trusts.

    :param directory: where a certificate to sign in with, and a platform's token, are kept once they are asked for.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._certificates: dict[bytes, x509.Certificate] = {}

    @cached_property
    def kubernetes(self) -> Platform:
        """A platform that writes its token to a file. Its key takes a moment to make."""
        return Platform("https://oidc.emulator.example/cluster/", "system:serviceaccount:airflow:worker")

    @cached_property
    def github(self) -> Platform:
        """Another one."""
        return Platform("https://token.actions.githubusercontent.com", "repo:contoso/dags:ref:refs/heads/main")

    def certificate_file(self) -> Path:
        """Return the file of a certificate to sign in with, which is registered."""
        path = self._directory / "client-certificate.pem"
        if path.exists():
            self.register(x509.load_pem_x509_certificate(path.read_bytes()))
        else:
            self.register(make_certificate(path).certificate)
        return path

    def federated_token_file(self) -> Path:
        """Return the file of a platform's token, which is good for a day."""
        path = self._directory / "federated-token"
        path.touch(mode=0o600)
        path.write_text(self.kubernetes.token(_LONGEST_FEDERATED_LIFE))
        return path

    def register(self, certificate: x509.Certificate) -> None:
        """Upload the public part of a certificate to the app registration."""
        self._certificates[certificate.fingerprint(hashes.SHA256())] = certificate

    def refusal(self, form: Mapping[str, str], token_endpoint: str) -> int | None:
        """
        Check the assertion of a form.

        :param form: what was sent to the token endpoint.
        :param token_endpoint: the address of the token endpoint.
        :return: the number of Entra's error; None where the assertion is good.
        """
        assertion = form.get("client_assertion", "")
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except (jwt.InvalidTokenError, RecursionError):
            return 50027
        if form.get("client_assertion_type") != ASSERTION_TYPE or header.get("alg") not in _ALGORITHMS:
            return 50027
        if claims.get("iss") == CLIENT_ID:
            return self._refusal_of_own(assertion, header, claims, token_endpoint)
        return self._refusal_of_federated(assertion, claims)

    def _refusal_of_own(
        self, assertion: str, header: Mapping[str, Any], claims: Mapping[str, Any], token_endpoint: str
    ) -> int | None:
        certificate = self._named(header)
        if certificate is None:
            return 700027
        now = datetime.now(timezone.utc)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return 1000502
        if claims.get("sub") != CLIENT_ID:
            return 50027
        return _refusal_of_signed(assertion, certificate.public_key(), token_endpoint, wrongly_signed=700027)

    def _named(self, header: Mapping[str, Any]) -> x509.Certificate | None:
        for name, algorithm in (("x5t#S256", hashes.SHA256()), ("x5t", hashes.SHA1())):
            if name in header:
                # JOSE has no padding; msal sends it.
                named = str(header[name]).rstrip("=")
                found = [one for one in self._certificates.values() if _base64url(one.fingerprint(algorithm)) == named]
                return found[0] if found else None
        return None

    def _refusal_of_federated(self, assertion: str, claims: Mapping[str, Any]) -> int | None:
        platform = {one.issuer: one for one in (self.kubernetes, self.github)}.get(str(claims.get("iss")))
        if platform is None:
            return 70021
        if claims.get("sub") != platform.subject:
            return 700213
        if claims.get("aud") not in (platform.audience, [platform.audience]):
            return 7002131
        return _refusal_of_signed(assertion, platform.key.public_key(), platform.audience, wrongly_signed=50027)


def make_certificate(path: Path, *, begins_in: float = -3600, ends_in: float = 365 * 86_400) -> ClientCertificateFiles:
    """
    Make a certificate to sign in with.

    :param path: where to write the private key and the certificate, as PEM.
    :param begins_in: seconds from now until it is valid.
    :param ends_in: seconds from now until it expires.
    """
    key = _new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "emulated workload")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(seconds=begins_in))
        .not_valid_after(now + timedelta(seconds=ends_in))
        .sign(key, hashes.SHA256())
    )
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return ClientCertificateFiles(path, certificate)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _refusal_of_signed(assertion: str, key: Any, audience: str, *, wrongly_signed: int) -> int | None:
    try:
        jwt.decode(assertion, key, algorithms=_ALGORITHMS, audience=audience, options={"require": ["exp"]})
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        return 700024
    except jwt.InvalidSignatureError:
        return wrongly_signed
    except jwt.InvalidTokenError:
        return 50027
    return None
