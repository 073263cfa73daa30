"""The emulator as a server: its certificate, its port, its life."""

import socket
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from airflow_provider_teams_registration.emulator.server import Emulator


def page(emulator, ca_file=None):
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{emulator.url}/", verify=ca_file or emulator.ca_file, timeout=10)


def test_emulator_is_ready_in_about_a_second():
    began = time.monotonic()

    with Emulator() as emulator:
        assert page(emulator).status_code == 200

    assert time.monotonic() - began < 3


def test_certificate_is_kept_across_restarts(tmp_path):
    directory = tmp_path / "made" / "when missing"
    with Emulator(directory=directory) as first:
        trusted = (directory / "127.0.0.1-ca.pem").read_bytes()
        assert page(first).status_code == 200

    with Emulator(directory=directory) as second:
        assert page(second).status_code == 200
        assert (directory / "127.0.0.1-ca.pem").read_bytes() == trusted


def test_private_key_is_for_its_owner_only(tmp_path):
    Emulator(directory=tmp_path)

    assert stat.S_IMODE((tmp_path / "127.0.0.1.pem").stat().st_mode) == 0o600


def test_certificate_that_is_half_there_is_made_anew(tmp_path):
    Emulator(directory=tmp_path)
    (tmp_path / "127.0.0.1-ca.pem").unlink()

    with Emulator(directory=tmp_path) as emulator:
        assert page(emulator).status_code == 200


def test_certificate_of_another_emulator_is_not_trusted(emulator):
    with Emulator() as other, pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        page(other, emulator.ca_file)


@pytest.mark.parametrize("host", ["localhost", "::1", "127.0.0.2"])
def test_emulator_listens_where_it_is_told(host):
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except OSError:
        pytest.skip(f"this machine has no {host}")

    with Emulator(host) as emulator:
        assert page(emulator).status_code == 200


def test_port_in_use_is_named():
    with (
        Emulator() as first,
        pytest.raises(OSError, match=rf"cannot listen on 127.0.0.1:{first.port}: Address already"),
    ):
        Emulator(port=first.port).__enter__()


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("192.0.2.1", 0)])
def test_address_that_cannot_be_had_is_named(host, port):
    with pytest.raises(OSError, match=f"The emulator cannot listen on {host}:{port}: "):
        Emulator(host, port).__enter__()


def test_port_is_free_again_afterwards(tmp_path):
    with Emulator(directory=tmp_path) as first:
        page(first)

    with Emulator(port=first.port, directory=tmp_path) as second:
        assert page(second).status_code == 200


def test_two_emulators_know_nothing_of_each_other():
    with Emulator() as one, Emulator() as other:
        one.store.enroll(one.store.meeting(one.meeting_id), "p1")
        one.set_switches(duplicate="conflict")
        one.add_fault("* *", status=500)

        assert one.port != other.port
        assert other.store.enrolled(other.meeting_id) == []
        assert other.switches.duplicate == "same"
        assert other.faults.in_force() == []
        assert "p1" in page(one).text
        assert "p1" not in page(other).text


def test_temporary_certificate_goes_with_the_emulator():
    with Emulator() as emulator:
        pass

    with pytest.raises(OSError, match="Could not find a suitable TLS CA certificate bundle"):
        page(emulator)


def test_many_callers_at_once_lose_nothing(application, emulator):
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda number: application.enroll(f"p{number}").status_code, range(100)))

    assert statuses == [200] * 100
    assert len(emulator.store.enrolled(emulator.meeting_id)) == 100
    assert [entry.number for entry in emulator.store.journal] == list(range(1, 101))


@pytest.mark.parametrize("auth", ["client_secret", "refresh_token"])
def test_connection_names_all_that_a_client_needs(emulator, auth):
    connection = emulator.connection(auth)

    assert (connection["login"], connection["password"]) == (emulator.client_id, emulator.client_secret)
    extra = connection["extra"]
    assert extra["authority"] == extra["base_url"] == emulator.url
    assert (extra["tenant_id"], extra["verify"], extra["auth"]) == (emulator.tenant_id, emulator.ca_file, auth)
    assert extra.get("refresh_token") == (emulator.refresh_token if auth == "refresh_token" else None)
