"""The certificate of the emulator's https server, made once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class CertificateFiles:
    """
    The files of the certificate.

    :param ca: the CA to trust, for the connection's ``verify``.
    :param certificate: the server's certificate and key.
    """

    ca: Path
    certificate: Path


def certificate_files(directory: Path, host: str) -> CertificateFiles:
    """
    Return the certificate of a host. If the directory has none yet, make one.

    :param directory: the directory that keeps it, which is made if it is missing.
    :param host: the address that the server listens on; the certificate is valid for the loopback names too.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # A certificate is valid for the names it was made with, so each host has its own.
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
