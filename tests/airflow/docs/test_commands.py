"""The shell blocks of the documentation that call ``teams-registration`` run as the pages show them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.airflow.docs.python_blocks import BLOCKS
from tests.docs_pages import ROOT, named_blocks
from tests.servers import skip_or_fail

pytestmark = pytest.mark.airflow

COMMAND = "teams-registration "
SHELL_BLOCKS = {name: block for name, block in named_blocks("console", "bash").items() if COMMAND in block.code}
CURL_BLOCKS = ["docs/emulator.md: Faults", "docs/emulator.md: Admin API"]
INSTALLS = re.compile(r"^pip install .*\n", re.MULTILINE)
"""The package is installed already where tests run."""
SERVES = re.compile(r"^teams-registration emulator.*\n\Z", re.MULTILINE)

SERVING = {
    "README.md: Your first DAG": "python -m aiosmtpd",
    "docs/doctor.md: Try it with a test person": None,
    "docs/emulator.md: Start it": None,
    "docs/emulator.md: Start it (2)": None,
}
"""By name, the blocks that end with an emulator that serves, and what serves in the background before it."""
ENDING = [
    "docs/crash-test.md: Run it",
    "docs/doctor.md: Find out what is missing",
    "docs/setup.md: Make and test the connection",
    "docs/sign-in.md: Get a refresh token",
]
"""The blocks that end by themselves."""


@pytest.fixture
def shell(tmp_path, airflow_database) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run commands as bash does, in a folder of their own."""

    def run(commands: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def curl() -> None:
    """Skip the test where curl is not installed, or fail it with TEAMS_REGISTRATION_REQUIRE_SERVICES."""
    if shutil.which("curl") is None:
        skip_or_fail("curl is not installed")


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


def test_every_block_is_run():
    assert sorted([*SERVING, *ENDING]) == sorted(SHELL_BLOCKS)


@pytest.mark.parametrize("name", ENDING)
def test_commands_end_well(name, shell, surroundings, with_ids, emulator, tmp_path):
    (tmp_path / "my_dag.py").write_text(
        with_ids(BLOCKS["docs/how-to.md: Test your own DAG with the emulator (2)"].code), encoding="utf-8"
    )
    code = INSTALLS.sub("", with_ids(SHELL_BLOCKS[name].code))
    # A real connection has no address of an emulator, nor has a real tenant a file of CA certificates.
    extra = json.dumps(emulator.connection()["extra"])
    code = code.replace(f'"password": "{emulator.client_secret}"', f'"password": "x", "extra": {extra}')
    code = code.replace('"password": "x"', f'"password": "{emulator.client_secret}"')
    at_emulator = f"--authority {emulator.url} --verify {emulator.ca_file}"
    code = code.replace("| <your secret store's command>", f"{at_emulator} | tee refresh_token")
    # One kill shows that the command runs. The page's own number takes minutes.
    code = code.replace("--every 6", "--every 6 --max 1")

    done = shell(code)

    assert done.returncode == 0, done.stdout + done.stderr
    if "refresh_token" in code:
        assert (tmp_path / "refresh_token").read_text().strip()


@pytest.mark.parametrize("name", SERVING)
def test_emulator_serves(name, shell, surroundings, with_ids, emulator, tmp_path):
    code = INSTALLS.sub("", with_ids(SHELL_BLOCKS[name].code))
    serves = SERVES.search(code)
    assert serves, code
    in_background = SERVING[name]
    before = "\n".join(
        line
        for line in code[: serves.start()].splitlines()
        if in_background is None or not line.startswith(in_background)
    )

    prepared = shell(before)
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    server = subprocess.Popen(
        ["bash", "-c", f"exec {serves[0].strip()} --port 0 --directory {tmp_path / 'certificate'}"],
        cwd=tmp_path,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # A server that says nothing ends the test, too.
    limit = threading.Timer(120, server.kill)
    limit.start()
    try:
        said = ""
        for line in server.stdout:
            said += line
            if "https://127.0.0.1:" in line:
                break
    finally:
        limit.cancel()
        server.terminate()
        server.communicate()

    assert "https://127.0.0.1:" in said, said
    assert server.returncode == 0


@pytest.mark.usefixtures("curl")
@pytest.mark.parametrize("name", CURL_BLOCKS)
def test_admin_api_answers_as_shown(name, shell, emulator):
    code = named_blocks("console")[name].code
    code = code.replace("ca.pem", emulator.ca_file).replace("https://127.0.0.1:8443", emulator.url)

    done = shell(code.replace("curl ", "curl --fail-with-body --silent --show-error "))

    assert done.returncode == 0, done.stdout + done.stderr
