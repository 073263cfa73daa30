"""(a) What the Microsoft provider's documentation leads to: its operator, mapped over the people."""

from __future__ import annotations

from dev.benchmarks.baselines.baseline import Baseline
from dev.benchmarks.baselines.microsoft_connection import microsoft_connection

# dag.test() gives every deferral an event loop of its own, while the operator's hook keeps its connection from one to
# the next: the second call fails with "Event loop is closed". A triggerer has one loop, and so has this DAG. Nothing
# else is patched.
_ONE_LOOP_AS_IN_A_TRIGGERER = """
import asyncio
asyncio.run = asyncio.new_event_loop().run_until_complete
"""

TASKS = (
    _ONE_LOOP_AS_IN_A_TRIGGERER
    + """
from datetime import timedelta
from airflow.providers.microsoft.azure.operators.msgraph import MSGraphAsyncOperator
@task
def bodies(rows):
    return [{"@odata.type": "#microsoft.graph.externalMeetingRegistrant", "id": row["id"]} for row in rows]
MSGraphAsyncOperator.partial(
    task_id="enroll",
    method="POST",
    url="users/{organizer_id}/onlineMeetings/{meeting_id}/registration/registrants",
    path_parameters={"organizer_id": ORGANIZER, "meeting_id": MEETING},
    api_version="beta",
    timeout=30,
    retries=3,
    retry_delay=timedelta(seconds=2),
).expand(data=bodies(people()))
"""
)

BASELINE = Baseline("a", "mapped MSGraphAsyncOperator", TASKS, microsoft_connection, is_mapped=True)
