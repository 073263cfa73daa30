"""Whether the emulator is the bottleneck: what it serves without latency, and how busy it was."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from dev.benchmarks.service import Service

_SECONDS = 2.0
_WIDTH = 4


def people_per_second(service: Service, per_batch: int) -> float:
    """
    Return how many people a second the emulator can enroll, at least: the client here runs on the same machine.

    :param service: the emulator; it is reset.
    :param per_batch: people per ``$batch``; 1 sends each by themselves.
    """
    service.reset(latency=0)
    headers = {"Authorization": f"Bearer {service.token()}"}
    path = f"/users/{service.organizer_id}/onlineMeetings/{service.meeting_id}/registration/registrants"
    end = time.monotonic() + _SECONDS

    def send(worker: int) -> int:
        sent = 0
        with requests.Session() as session:
            session.trust_env, session.verify = False, service.ca_file
            session.headers.update(headers)
            while time.monotonic() < end:
                bodies = [{"@odata.type": _TYPE, "id": f"{worker}-{sent + number}"} for number in range(per_batch)]
                content: dict[str, Any]
                if per_batch == 1:
                    url, content = f"{service.url}/beta{path}", dict(bodies[0])
                else:
                    items = [{"method": "POST", "url": path, "headers": _JSON, "body": body} for body in bodies]
                    content = {"requests": [{"id": str(number), **item} for number, item in enumerate(items)]}
                    url = f"{service.url}/beta/$batch"
                session.post(url, json=content, timeout=30).raise_for_status()
                sent += per_batch
        return sent

    with ThreadPoolExecutor(_WIDTH) as pool:
        started = time.monotonic()
        total = sum(pool.map(send, range(_WIDTH)))
    return total / (time.monotonic() - started)


_TYPE = "#microsoft.graph.externalMeetingRegistrant"
_JSON = {"Content-Type": "application/json"}
