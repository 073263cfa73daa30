"""The certificate that the emulator serves https with, made once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class CertificateFiles:
    """
    Where the certificate lies.

    :param ca: the CA to trust: the connection's ``verify``.
    :param certificate: the server's certificate and key.
    """

    ca: Path
    certificate: Path


def certificate_files(directory: Path, host: str) -> CertificateFiles:
    """
    Return the certificate for a host, making it where the directory holds none yet.

    :param directory: where it is kept; made where it is missing.
    :param host: the address that the server listens on, beside the loopback names.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # A certificate holds for the names it was made with, so each host has its own.
    kept = directory / f"{host.replace(':', '_')}"
    files = CertificateFiles(ca=directory / f"{kept.name}-ca.pem", certificate=directory / f"{kept.name}.pem")
    if not (files.ca.exists() and files.certificate.exists()):
        authority = trustme.CA()
        names = dict.fromkeys(["localhost", "127.0.0.1", "::1", host])
        issued = authority.issue_cert(*names)
        files.certificate.touch(mode=0o600)
        issued.private_key_and_cert_chain_pem.write_to_path(str(files.certificate))
        authority.cert_pem.write_to_path(str(files.ca))
    return files
