"""The emulator in a process of its own, and its books, read from outside."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from airflow_provider_teams_registration.emulator.store import seeded

LATENCY = 0.05
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Service:
    """
    An emulated Microsoft on https.

    .. code-block:: python

        with Service() as service:
            service.reset(duplicate="second_record")

    :ivar url: address of both Entra and Graph.
    :ivar ca_file: the CA to trust.
    """

    tenant_id = seeded.TENANT_ID
    client_id = seeded.CLIENT_ID
    client_secret = seeded.CLIENT_SECRET
    organizer_id = seeded.ORGANIZER_ID
    meeting_id = seeded.MEETING_ID
    webinar_id = seeded.WEBINAR_ID

    def __enter__(self) -> Service:
        self._folder = Path(tempfile.mkdtemp(prefix="benchmark-emulator-"))
        command = [str(Path(sys.executable).parent / "teams-registration"), "emulator", "--port", "0"]
        self._process = subprocess.Popen(
            [*command, "--directory", str(self._folder)], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self._process.stdout is not None
        told: dict[str, str] = {}
        while len(told) < 2:
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("The emulator did not start.")
            found = re.match(r"\s+(Page|CA file)\s+(\S+)", line)
            if found:
                told[found[1]] = found[2]
        self.url, self.ca_file = told["Page"].rstrip("/"), told["CA file"]
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = self.ca_file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.close()
        self._process.terminate()
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]

    @property
    def environment(self) -> dict[str, str]:
        """What makes every client trust the CA, as in a company that has one of its own."""
        return {"SSL_CERT_FILE": self.ca_file, "REQUESTS_CA_BUNDLE": self.ca_file}

    def reset(self, **switches: Any) -> None:
        """Begin anew: nobody enrolled, no faults, no limits, 50 ms latency, and what else is asked for."""
        self._call("POST", "reset")
        self._call("PUT", "switches", {"latency": LATENCY, "write_limit": 0, "read_limit": 0, **switches})
        self._call("DELETE", "journal")

    def add_fault(self, route: str, **rule: Any) -> None:
        """Let something go wrong; the arguments are those of the emulator's faults."""
        self._call("POST", "faults", {"route": route, **rule})

    def journal(self) -> list[dict[str, Any]]:
        """Return every request that reached Graph, items of batches one by one."""
        entries: list[dict[str, Any]] = self._call("GET", "journal")
        return entries

    def http_calls(self) -> int:
        """Return how many HTTP requests were made, to Graph and to Entra."""
        return sum(entry["batch"] is None for entry in self.journal()) + len(self.sign_ins())

    def sign_ins(self) -> list[dict[str, Any]]:
        """Return every request that reached Entra."""
        entries: list[dict[str, Any]] = self._call("GET", "sign-ins")
        return entries

    def forget_requests(self) -> None:
        """Empty the journal."""
        self._call("DELETE", "journal")

    def add_meeting(self, meeting_id: str) -> None:
        """Add a meeting that is open to everyone."""
        self._call("POST", "meetings", {"id": meeting_id, "allowedRegistrant": "everyone"})

    def links(self, meeting_id: str | None = None) -> list[tuple[str, str | None]]:
        """Return who is on a meeting, as often as they are, and their links."""
        meetings = {one["id"]: one for one in self._call("GET", "state")["meetings"]}
        people = meetings[meeting_id or self.meeting_id]["registrants"]
        return [(one["id"], one["join_web_url"]) for one in people if not one["cancelled"]]

    def registrations(self) -> Counter[str]:
        """Return how often everybody is on the webinar, by e-mail."""
        webinars = {one["id"]: one for one in self._call("GET", "state")["webinars"]}
        people = webinars[self.webinar_id]["registrations"]
        return Counter(one["email"] for one in people if one["status"] != "canceled")

    def cpu_seconds(self) -> float:
        """Return the CPU time that the emulator has used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS

    def token(self) -> str:
        """Return an access token of the application."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        answer = self._session.post(f"{self.url}/{self.tenant_id}/oauth2/v2.0/token", data=form, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, f"{self.url}/emulator/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def doubles_and_losses(wanted: Sequence[str], on_event: Counter[str]) -> tuple[int, int]:
    """Return how many records are too many, and how many people have none."""
    return sum(count - 1 for count in on_event.values()), sum(person not in on_event for person in wanted)


def ids(people: int) -> list[str]:
    """Return the ids of so many people of the online meeting."""
    return [f"crm-{number:05d}" for number in range(people)]


def people_on(links: Sequence[tuple[str, str | None]]) -> Counter[str]:
    """Return how often everybody is on the online meeting."""
    return Counter(person for person, _ in links)
