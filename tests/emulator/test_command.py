"""``teams-registration emulator``, as a process of its own."""

import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests

from airflow_provider_teams_registration.cli import main

START = "from airflow_provider_teams_registration.cli import main; raise SystemExit(main())"


@pytest.fixture
def start(tmp_path):
    """Starts the command; the certificate is kept in one directory per test."""

    @contextmanager
    def begin(*arguments):
        line = [sys.executable, "-c", START, "emulator", "--directory", str(tmp_path), *arguments]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    return begin


def greeting(process):
    lines = []
    while len([line for line in lines if "export" in line]) < 2:
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr.read()
    return "".join(lines)


def test_greeting_leads_to_a_server_that_answers_and_sigterm_ends_it_cleanly(start):
    with start("--port", "0", "--switch", "duplicate=conflict", "--switch", "list_shows_links=on") as process:
        said = greeting(process)
        url = re.search(r"Page +(https://127\.0\.0\.1:[1-9]\d+)/", said)[1]
        ca_file = re.search(r"CA file +(\S+)", said)[1]
        with requests.Session() as session:
            session.trust_env = False
            switches = session.get(f"{url}/emulator/switches", verify=ca_file, timeout=10).json()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)

    assert (switches["duplicate"], switches["list_shows_links"]) == ("conflict", True)
    assert (process.returncode, err) == (0, "")
    for auth, found in zip(("client_secret", "refresh_token"), re.findall(r"DEFAULT='(.*)'", said), strict=True):
        extra = json.loads(found)["extra"]
        assert (extra["auth"], extra["base_url"], extra["verify"]) == (auth, url, ca_file)


def test_ctrl_c_ends_it_cleanly(start):
    with start("--port", "0") as process:
        greeting(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (0, "")


def test_taken_port_fails_without_a_greeting(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code = main(["emulator", "--port", str(port), "--directory", str(tmp_path)])

    said = capsys.readouterr()
    assert (code, said.out) == (1, "")
    assert f"cannot listen on 127.0.0.1:{port}" in said.err


@pytest.mark.parametrize(
    ("switch", "says"),
    [
        ("duplicate=other", "Switch 'duplicate' takes one of"),
        ("nonsense=1", "no switch 'nonsense'"),
        ("duplicate", "--switch takes NAME=VALUE, not 'duplicate'."),
    ],
)
def test_bad_switch_fails_without_a_greeting(capsys, tmp_path, switch, says):
    code = main(["emulator", "--port", "0", "--directory", str(tmp_path), "--switch", switch])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert says in said.err
