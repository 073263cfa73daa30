"""One way to enroll people from Airflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dev.benchmarks.service import Service

Connections = Mapping[str, Mapping[str, Any]]

MEETING_PEOPLE = """
from airflow.sdk import task
@task
def people():
    return [{"id": f"crm-{number:05d}"} for number in range(PEOPLE)]
"""
WEBINAR_PEOPLE = """
from airflow.sdk import task
@task
def people():
    return [
        {
            "id": f"crm-{number:05d}", "email": f"person.{number}@example.org", "first_name": "Ada",
            "last_name": f"Example {number}", "preferred_timezone": "Europe/Rome", "preferred_language": "en-us",
        }
        for number in range(PEOPLE)
    ]
"""


@dataclass(frozen=True)
class Baseline:
    """
    One way to enroll people.

    :param key: its letter, and what sets it apart from others of that letter.
    :param name: what it is.
    :param tasks: the DAG's tasks but for the one that returns the people; the last is called ``enroll``.
    :param connections: the Airflow connections that it needs, given the service.
    :param is_mapped: whether there is a task per person.
    :param is_batched: whether people travel 20 per call.
    """

    key: str
    name: str
    tasks: str
    connections: Callable[[Service], Connections]
    is_mapped: bool = False
    is_batched: bool = False

    @property
    def title(self) -> str:
        """Letter and name."""
        return f"({self.key}) {self.name}"

    def at_once(self, calls: int, name: str) -> Baseline:
        """
        Return the same way with so many calls at a time instead of four.

        :param calls: how many.
        :param name: what the way is.
        """
        tasks = self.tasks.replace("Semaphore(4)", f"Semaphore({calls})")
        return replace(self, key=f"{self.key}{calls}", name=name, tasks=tasks)

    def text(self, service: Service, people: int) -> str:
        """Return the DAG's tasks for so many people on the online meeting."""
        return meeting_text(self.tasks, service, people)


def meeting_text(tasks: str, service: Service, people: int) -> str:
    """Return tasks with the people and the online meeting that they are for."""
    names = {"PEOPLE": people, "MEETING": service.meeting_id, "ORGANIZER": service.organizer_id}
    return _assigned(names) + MEETING_PEOPLE + tasks


def webinar_text(tasks: str, service: Service, people: int) -> str:
    """Return tasks with the people and the webinar that they are for."""
    return _assigned({"PEOPLE": people, "WEBINAR": service.webinar_id}) + WEBINAR_PEOPLE + tasks


def _assigned(names: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {value!r}\n" for name, value in names.items())
