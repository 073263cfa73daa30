"""A certificate in other forms."""

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

PASSPHRASE = "CANARY-PASSPHRASE"


def key_of(path):
    return serialization.load_pem_private_key(path.read_bytes(), None)


def encrypted(path, kind=serialization.PrivateFormat.PKCS8):
    """The key, encrypted, and the certificate."""
    key = key_of(path).private_bytes(
        serialization.Encoding.PEM, kind, serialization.BestAvailableEncryption(PASSPHRASE.encode())
    )
    return key.decode() + certificate_part(path)


def certificate_part(path):
    text = path.read_text()
    return text[text.index("-----BEGIN CERTIFICATE") :]


def pfx(path, passphrase=PASSPHRASE):
    algorithm = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return pkcs12.serialize_key_and_certificates(b"us", key_of(path), certificate, None, algorithm)
