"""People for a webinar, and what tests ask of the reports and the emulator about them."""

import pytest

from airflow_provider_teams_registration.core.record import TaskRun

RUN = TaskRun("dag", "run 1", "enroll")
NEXT_RUN = TaskRun("dag", "run 2", "enroll")
OTHER_DAG = TaskRun("other dag", "run 1", "enroll")
DUPLICATES = ["same", "new_link", "conflict", "bad_request", "second_record"]
REGISTRATIONS = "POST registrations"
every_duplicate = pytest.mark.parametrize("duplicate", DUPLICATES)


def person(number, **more):
    email = f"person{number}@example.org"
    return {"id": f"crm {number}", "email": email, "first_name": "Ada", "last_name": f"Example {number}", **more}


def people(number):
    return [person(one) for one in range(number)]


def emails(rows):
    return [row["email"].lower() for row in rows]


def links(report):
    return {row["email"].lower(): row["join_web_url"] for row in report.rows()}


def writes(emulator):
    return [
        entry
        for entry in emulator.store.journal
        if entry.method != "GET" and not entry.path.endswith(("$batch", "token"))
    ]
