"""The page at ``/`` as people see it, in headless Chromium."""

import os
import re
import shutil
import subprocess
from html import unescape

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
]


@pytest.fixture
def look(emulator, tmp_path):
    """Opens the page and returns the text of its sections, by their headings."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None and os.environ.get("TEAMS_REGISTRATION_REQUIRE_SERVICES") == "1":
        pytest.fail("there is no Chromium here")
    if browser is None:
        pytest.skip("there is no Chromium here")

    def dump():
        line = [browser, *FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", f"{emulator.url}/"]
        page = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True).stdout
        headings = re.split(r"<h2>(\w+)", page)
        return {
            heading: " ".join(unescape(re.sub(r"<[^>]*>", " ", part)).split())
            for heading, part in zip(headings[1::2], headings[2::2], strict=True)
        }

    return dump


def test_page_shows_meetings_registrants_and_journal(application, emulator, look):
    emulator.add_fault("POST registrants", registrant_id="crm-0003", status=429, retry_after="2", times=0)
    emulator.add_fault("POST $batch", nth=2, when="after", drop=True)
    emulator.set_switches(page_size=50)
    application.batch(*(application.item(str(number), f"crm-{number:04}") for number in range(10)))
    application.cancel("crm-0002")
    application.enroll("a <b> & \N{GRINNING FACE}")

    seen = look()

    assert "Open to everyone open to everyone 9 enrolled, 1 cancelled" in seen["Meetings"]
    assert emulator.meeting_id in seen["Meetings"]
    assert "crm-0001 enrolled open crm-0002 cancelled open" in seen["Meetings"]
    assert "a <b> & \N{GRINNING FACE} enrolled" in seen["Meetings"]
    assert "Not open yet registration not open 0 enrolled" in seen["Meetings"]
    assert (
        "POST registrants for crm-0003 from hit 1 on before it takes effect answers 429, Retry-After 2"
        in seen["Faults"]
    )
    assert "POST $batch hit 2 after it takes effect drops the connection" in seen["Faults"]
    assert "14 requests, the latest first" in seen["Journal"]
    assert re.search(r"DELETE /beta/users/\S+/registrants/crm-0002 crm-0002 204 cancelled", seen["Journal"])
    assert re.search(r"↳ POST /beta/users/\S+/registrants crm-0003 429 fault", seen["Journal"])
    assert re.search(r"POST /\S+/oauth2/v2.0/token 200", seen["Journal"])
    assert "page_size 50 changed" in seen["Switches"]
    assert "latency 0.0 changed" not in seen["Switches"]
