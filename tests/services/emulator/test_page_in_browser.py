"""The page at ``/`` as people see it, in headless Chromium."""

import json
import os
import re
import shutil
import subprocess
from html import unescape
from itertools import count

import pytest

from tests.servers import skip_or_fail

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
def browser(tmp_path):
    """The command line of Chromium with a profile of its own."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        skip_or_fail("there is no Chromium here")
    return [found, *FLAGS, f"--user-data-dir={tmp_path}"]


@pytest.fixture
def look(emulator, browser):
    """Opens the page and returns the text of its sections, by their headings."""

    def dump():
        line = [*browser, "--dump-dom", f"{emulator.url}/"]
        page = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True).stdout
        headings = re.split(r"<h2>(\w+)", page)
        return {
            heading: " ".join(unescape(re.sub(r"<[^>]*>", " ", part)).split())
            for heading, part in zip(headings[1::2], headings[2::2], strict=True)
        }

    return dump


@pytest.fixture
def evaluate(emulator, browser):
    """Opens the page, keeps it open, and evaluates JavaScript in it: Chromium's DevTools protocol over its pipe."""
    to_read, commands = os.pipe()
    answers, to_write = os.pipe()
    line = ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", *browser, "--remote-debugging-pipe"]
    process = subprocess.Popen(line, pass_fds=(to_read, to_write), stderr=subprocess.DEVNULL)
    os.close(to_read)
    os.close(to_write)
    numbers = count(1)

    with os.fdopen(commands, "wb") as out, os.fdopen(answers, "rb") as into:
        received = _messages(into)

        def send(method, session=None, **parameters):
            number = next(numbers)
            command = {"id": number, "method": method, "params": parameters}
            out.write(json.dumps({**command, **({"sessionId": session} if session else {})}).encode() + b"\0")
            out.flush()
            for answer in received:
                if answer.get("id") == number:
                    return answer["result"]
            pytest.fail("Chromium ended")

        target = send("Target.createTarget", url=f"{emulator.url}/")["targetId"]
        session = send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        yield lambda code: send("Runtime.evaluate", session, expression=code)["result"].get("value")
        send("Browser.close")
        process.wait(30)


def _messages(stream):
    """The messages of a stream, each of which ends with a null byte."""
    message = b""
    while byte := stream.read(1):
        if byte == b"\0":
            yield json.loads(message)
        message = b"" if byte == b"\0" else message + byte


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
    assert "page_size changed from 0" in seen["Switches"]
    assert "latency changed" not in seen["Switches"]


def test_page_refreshes_itself_sets_switches_and_resets(application, emulator, evaluate, poll):
    def shows(text):
        return lambda: text in (evaluate("document.body.innerText") or "")

    def choose(switch, value):
        field = f"document.getElementById('switch-{switch}')"
        evaluate(f"{field}.value = '{value}'; {field}.dispatchEvent(new Event('change', {{bubbles: true}}))")

    poll(shows("Reset the emulator"))
    application.enroll("crm-0001")
    poll(shows("crm-0001"))

    choose("duplicate", "conflict")
    poll(shows("changed from same"))
    choose("page_size", "-1")
    poll(shows("Switch 'page_size' takes a number from 0 up, not '-1'."))
    assert (emulator.switches.duplicate, emulator.switches.page_size) == ("conflict", 0)

    evaluate("window.confirm = () => true; document.querySelector('[action=\"/emulator/reset\"] button').click()")
    poll(lambda: emulator.switches.duplicate == "same")
    poll(lambda: not shows("crm-0001")() and not shows("changed from same")())
