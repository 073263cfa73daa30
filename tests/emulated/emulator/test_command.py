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


def test_switches_are_taken_from_what_the_doctor_prints(start, tmp_path):
    tenant = tmp_path / "tenant.json"
    tenant.write_text(json.dumps({"switches": {"duplicate": "conflict", "visibility_lag": 1.5}, "left": None}))
    with start("--port", "0", "--like", str(tenant), "--switch", "duplicate=new_link") as process:
        said = greeting(process)
        url = re.search(r"Page +(https://127\.0\.0\.1:[1-9]\d+)/", said)[1]
        ca_file = re.search(r"CA file +(\S+)", said)[1]
        with requests.Session() as session:
            session.trust_env = False
            switches = session.get(f"{url}/emulator/switches", verify=ca_file, timeout=10).json()

    assert (switches["duplicate"], switches["visibility_lag"]) == ("new_link", 1.5)


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


def test_file_sets_switches_and_a_switch_on_the_command_line_overrides_it(start, tmp_path):
    like = tmp_path / "tenant.json"
    like.write_text('{"duplicate": "conflict", "page_size": 100, "registration_key": false, "visibility_lag": 0.5}')

    with start("--port", "0", "--like", str(like), "--switch", "page_size=7") as process:
        said = greeting(process)
        url = re.search(r"Page +(https://127\.0\.0\.1:[1-9]\d+)/", said)[1]
        with requests.Session() as session:
            session.trust_env = False
            session.verify = re.search(r"CA file +(\S+)", said)[1]
            switches = session.get(f"{url}/emulator/switches", timeout=10).json()
            session.put(f"{url}/emulator/switches", json={"duplicate": "same"}, timeout=10)
            session.post(f"{url}/emulator/reset", timeout=10)
            after_reset = session.get(f"{url}/emulator/switches", timeout=10).json()

    assert (switches["duplicate"], switches["page_size"]) == ("conflict", 7)
    assert (switches["registration_key"], switches["visibility_lag"]) == (False, 0.5)
    assert after_reset == switches


def test_ctrl_c_ends_it_cleanly(start):
    with start("--port", "0") as process:
        greeting(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (0, "")


def test_host_that_others_reach_is_warned_of(start):
    with start("--port", "0", "--host", "0.0.0.0") as process:
        said = greeting(process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)

    port = re.search(r"Page +https://.*:([1-9]\d+)/", said)[1]
    assert process.returncode == 0
    assert err.startswith("The emulator listens on 0.0.0.0, which is not only this machine's own. ")
    assert f"port {port} can use all of it, the admin API included." in err


def test_loopback_by_its_name_is_not_warned_of(start):
    with start("--port", "0", "--host", "localhost") as process:
        greeting(process)
        process.send_signal(signal.SIGTERM)
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


def test_directory_that_is_a_file_and_host_that_is_no_name_fail_without_a_greeting(capsys, tmp_path):
    file = tmp_path / "file"
    file.write_text("")

    assert main(["emulator", "--port", "0", "--directory", str(file)]) == 2
    assert main(["emulator", "--port", "0", "--directory", str(tmp_path), "--host", "no name"]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"--directory {file}: No certificate can be kept there: File exists.",
        "--host 'no name': It is neither an address nor the name of a host.",
    ]


def test_certificate_that_is_broken_fails_with_what_to_do(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for name in ("127.0.0.1.pem", "127.0.0.1-ca.pem"):
        (tmp_path / name).write_text("broken")

    assert main(["emulator", "--port", "0", "--directory", str(tmp_path)]) == 1
    assert "Delete the .pem files there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"nonsense": 1}', "There is no switch 'nonsense'"),
        (b'{"duplicate": "other"}', "Switch 'duplicate' takes one of same, new_link"),
        (b'{"page_size": "many"}', "Switch 'page_size' takes int, not 'many'."),
        (b'{"page_size": null}', "Switch 'page_size' takes int, not None."),
        (b'{"roles": ["A"]}', "Switch 'roles' takes text, not ['A']."),
        (b'["duplicate"]', "The file must hold a JSON object of switches"),
        (b'{"duplicate": ', "The file is not JSON from character 15 on."),
        (b'{"latency": NaN}', "latency is not a finite number."),
        (b"\xff", "The file is not UTF-8."),
        (b"", "The file is not JSON from character 1 on."),
        (b"[" * 70_000, "The file has more than 65536 bytes."),
        (None, "The file cannot be read: No such file or directory."),
    ],
)
def test_bad_file_of_switches_fails_without_a_greeting(capsys, tmp_path, content, says):
    like = tmp_path / "tenant.json"
    if content is not None:
        like.write_bytes(content)

    code = main(["emulator", "--port", "0", "--directory", str(tmp_path), "--like", str(like)])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.startswith(f"--like {like}: ")
    assert says in said.err
