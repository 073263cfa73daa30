"""(c) One async task over the Microsoft provider's hook, four calls at a time; (c20) twenty. Wider it gets slower."""

from __future__ import annotations

from dev.benchmarks.baselines.baseline import Baseline
from dev.benchmarks.baselines.microsoft_connection import microsoft_connection

TASKS = """
@task
async def enroll(rows):
    import asyncio
    from airflow.providers.microsoft.azure.hooks.msgraph import KiotaRequestAdapterHook
    hook = KiotaRequestAdapterHook(conn_id="msgraph_default", api_version="beta", timeout=30)
    gate = asyncio.Semaphore(4)
    async def one(row):
        async with gate:
            try:
                made = await hook.run(
                    url="users/{organizer_id}/onlineMeetings/{meeting_id}/registration/registrants",
                    path_parameters={"organizer_id": ORGANIZER, "meeting_id": MEETING},
                    method="POST",
                    data={"@odata.type": "#microsoft.graph.externalMeetingRegistrant", "id": row["id"]},
                )
                return {**row, "join_web_url": made["joinWebUrl"]}
            except Exception as error:
                return {**row, "error": str(error)}
    try:
        return await asyncio.gather(*(one(row) for row in rows))
    finally:
        await hook.close()
enroll(people())
"""

BASELINE = Baseline("c", "one task, Microsoft provider's hook, 4 at once", TASKS, microsoft_connection)
AS_WIDE = BASELINE.at_once(20, "one task, Microsoft provider's hook, 20 at once")
