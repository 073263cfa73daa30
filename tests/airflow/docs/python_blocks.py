"""How each Python block of the documentation is run, and why some are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_teams_registration.emulator.server import Emulator
from tests.docs_pages import Block, named_blocks

BLOCKS = named_blocks("python")
PERSON = "{'id': 'crm-1', 'email': 'ada@example.org', 'first_name': 'Ada', 'last_name': 'Lovelace'}"
FORM = "preferred_timezone='Europe/Rome', preferred_language='en-us'"
ENROLL = f"""
enroll = EnrollRegistrantOperator(
    task_id="enroll", webinar_id="{{{{ var.value.teams_webinar_id }}}}", {FORM}, registrants=[{PERSON}],
    ledger_conn_id="warehouse",
)
"""
ATTENDEES = f"""
from airflow.providers.common.compat.sdk import task

@task(task_id="attendees", show_return_value_in_logs=False)
def attendees():
    return [{PERSON}]
"""
ATTENDEES_TASK = ATTENDEES + "\nattendees = attendees().operator\n"


@dataclass(frozen=True)
class Recipe:
    """
    What a block needs to be a DAG.

    :param before: code above the block, which the page's reader has.
    :param after: code below it.
    :param replaced: parts of the block for which the reader fills in something of their own.
    :param arrange: changes the emulator first.
    :param meeting: the emulator's attribute with the meeting's id.
    :param failed: tasks that the page says fail.
    :param enrolled: the ids of people who are on the meeting afterwards; None leaves that unchecked.
    :param mailed: the addresses that get a mail.
    """

    before: str = ""
    after: str = ""
    replaced: Mapping[str, str] = field(default_factory=dict)
    arrange: Callable[[Emulator], Any] = lambda emulator: None
    meeting: str = "meeting_id"
    failed: frozenset[str] = frozenset()
    enrolled: set[str] | None = None
    mailed: tuple[str, ...] = ()


def enroll_somebody(emulator: Emulator) -> None:
    """Put crm-1 on the meeting, as somebody else would."""
    meeting = emulator.store.meeting(emulator.meeting_id)
    assert meeting is not None
    emulator.store.enroll(meeting, "crm-1")


HOW_TO, OPERATORS = "docs/how-to.md: ", "docs/operators.md: "
CUSTOMERS_AND_PARTNERS = """
@task
def customers():
    return [{"id": "crm-1"}, {"id": "crm-2"}]

@task
def partners():
    return ["crm-3", None]
"""
RECIPES = {
    "docs/connection.md: Keep a rotated refresh token": Recipe(
        before="""
def write_to_your_secret_store(token):
    print("kept")
""",
        arrange=lambda emulator: emulator.set_switches(rotate_refresh_tokens="on"),
    ),
    "docs/doctor.md: In a DAG": Recipe(),
    HOW_TO + "Recipes (2)": Recipe(
        after=f"EnrollRegistrantOperator(task_id='enroll', **WEBINAR, registrants=[{PERSON}])"
    ),
    HOW_TO + "Name the event by its link": Recipe(enrolled={"crm-1"}),
    HOW_TO + "Mail the links": Recipe(enrolled={"crm-1"}, mailed=("ada@example.org",)),
    HOW_TO + "Run it again": Recipe(enrolled={"crm-1", "crm-2"}),
    HOW_TO + "People who are on the event already": Recipe(arrange=enroll_somebody, enrolled={"crm-1", "crm-2"}),
    HOW_TO + "Tolerate refusals": Recipe(enrolled={"crm-1", "crm-3"}),
    HOW_TO + "Mail although the task failed": Recipe(enrolled={"crm-1", "crm-3"}, failed=frozenset({"enroll"})),
    HOW_TO + "List the people who were refused": Recipe(enrolled={"crm-1", "crm-3"}),
    HOW_TO + "Many events": Recipe(enrolled={"crm-1", "crm-2"}),
    HOW_TO + "People from several tasks": Recipe(
        before=CUSTOMERS_AND_PARTNERS, enrolled={"crm-1", "crm-2", "crm-3", "crm-7"}
    ),
    HOW_TO + "Straight from SQL": Recipe(enrolled={"crm-1", "crm-2"}),
    HOW_TO + "Read a webinar's registrants": Recipe(
        arrange=lambda emulator: emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")
    ),
    HOW_TO + "Big lists": Recipe(enrolled={"crm-1", "crm-2"}),
    HOW_TO + "More than 1,024 people without a ledger": Recipe(enrolled={f"crm-{number}" for number in range(2500)}),
    HOW_TO + "Wait without a worker": Recipe(enrolled={"crm-1", "crm-2"}),
    HOW_TO + "Retry": Recipe(enrolled={"crm-1", "crm-2"}),
    HOW_TO + "Wait until the registration is open": Recipe(enrolled={"crm-1"}),
    HOW_TO + "Open the registration": Recipe(meeting="closed_meeting_id"),
    HOW_TO + "List or cancel people": Recipe(arrange=enroll_somebody, enrolled=set()),
    HOW_TO + "People of the organization": Recipe(meeting="organization_meeting_id", enrolled={"crm-1"}),
    "docs/ledger.md: Which ledger a task uses": Recipe(enrolled={"crm-1", "crm-2"}),
    "docs/mail.md: Mail the join links": Recipe(before=ENROLL, mailed=("ada@example.org",)),
    OPERATORS + "EnrollRegistrantOperator": Recipe(before=ATTENDEES_TASK),
    OPERATORS + "SqlToTeamsRegistrationOperator": Recipe(
        # The placeholders are those of the database's driver, and the warehouse is SQLite here.
        replaced={"%(event)s": ":event"},
        enrolled={"crm-1", "crm-2"},
    ),
    OPERATORS + "CheckSetupOperator": Recipe(),
    OPERATORS + "MailJoinLinksOperator": Recipe(before=ENROLL, mailed=("ada@example.org",)),
    OPERATORS + "mail_join_links": Recipe(before=ENROLL, mailed=("ada@example.org",)),
    OPERATORS + "FindEventOperator": Recipe(before=ATTENDEES_TASK, enrolled={"crm-1"}),
    OPERATORS + "RegistrantStatusSensor": Recipe(before=ENROLL),
    OPERATORS + "TeamsRegistrationRetryPolicy": Recipe(
        before="from airflow_provider_teams_registration.retry_policy import TeamsRegistrationRetryPolicy",
        replaced={"...": f"task_id='enroll', webinar_id='WEBINAR_ID', {FORM}, registrants=[{PERSON}]"},
    ),
    OPERATORS + "read_enrollments": Recipe(
        before=ENROLL + "\n@task\ndef pages(result):\n    return enrollment_pages(result, page_size=200)\n"
    ),
    OPERATORS + "enrollment_pages": Recipe(before=ENROLL, after="pages(enroll.output)"),
    "docs/setup.md: Find the ids": Recipe(before=ATTENDEES),
    "docs/webinars.md: How long it takes": Recipe(
        replaced={"...": f"task_id='enroll', {FORM}, registrants=[{PERSON}]"}
    ),
    "docs/webinars.md: Find, publish, cancel": Recipe(
        arrange=lambda emulator: emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")
    ),
}
"""By name, the blocks that are tasks of a DAG."""

WITH_EMULATOR = {
    "docs/emulator.md: Faults": "",
    "docs/emulator.md: Organizers and other people": "",
    "docs/emulator.md: Start it": """
    meeting = emulator.store.meeting(emulator.meeting_id)
    for number in range(57):
        emulator.store.enroll(meeting, f"person {number}")
""",
    OPERATORS + "TeamsRegistrationHook": "",
}
"""By name, the blocks that are no DAG, and what stands for their ``...``."""

FILES = {
    HOW_TO + "Test your own DAG with the emulator": "conftest.py",
    HOW_TO + "Test your own DAG with the emulator (2)": "my_dag.py",
    HOW_TO + "Test your own DAG with the emulator (3)": "test_my_dag.py",
}
"""By name, the blocks that are files of a folder of tests."""

TEST_OF_ANOTHER_DAG = "docs/emulator.md: In tests of your own DAGs (2)"
"""A test that stands in such a folder, too."""

RUNS_THE_DAG = """
    monkeypatch.setenv("AIRFLOW_VAR_TEAMS_MEETING_ID", emulator.meeting_id)
    monkeypatch.setenv("AIRFLOW_VAR_TEAMS_ORGANIZER_ID", emulator.organizer_id)
    from my_dag import dag

    dag.test()
"""
"""What stands for the ``...`` of that test."""

RUN_ELSEWHERE = {
    "README.md: Your first DAG": "tests/airflow/docs/test_first_dag.py",
    "docs/scaling.md: The DAG": "tests/services/celery/test_two_workers.py",
}
"""By name, blocks that are run by a test of their own."""

NOT_RUN = {
    "docs/emulator.md: In tests of your own DAGs": "the imports of the conftest.py that the recipe for tests has, too",
    HOW_TO + "Recipes": "the imports and arguments that each recipe of the page begins with",
}
"""By name, blocks that are not run by themselves, with the reason."""


IMPORTS_OF_A_DAG = """
from __future__ import annotations
from datetime import datetime
from airflow.providers.common.compat.sdk import DAG
"""


def imports_above(block: Block) -> str | None:
    """
    Return what a reader has written above a block, besides the DAG; None if the page leaves the imports to the reader.
    """
    if block.name.startswith(HOW_TO):
        return IMPORTS_OF_A_DAG + BLOCKS[HOW_TO + "Recipes"].code
    return IMPORTS_OF_A_DAG if "import " in block.code else None
