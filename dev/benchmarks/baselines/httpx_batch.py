"""
(e) One task written by hand with httpx: 20 people per call, four calls at a time, Retry-After obeyed.

(e8) makes eight at a time, and (er) reads who is on the event first.
"""

from __future__ import annotations

from dataclasses import replace

from dev.benchmarks.baselines.baseline import Baseline
from dev.benchmarks.baselines.microsoft_connection import microsoft_connection

# What both kinds of event need: a token, batches, and what Graph's page on throttling says about trying again.
_CLIENT = """
from contextlib import aclosing
AGAIN = (429, 503, 504)
TRIES = 10
async def client_with_token():
    import asyncio, ssl
    import httpx
    from airflow.sdk import BaseHook
    connection = await asyncio.to_thread(BaseHook.get_connection, "msgraph_default")
    extra = connection.extra_dejson
    client = httpx.AsyncClient(
        base_url=f"{connection.schema}://{connection.host}",
        verify=ssl.create_default_context(cafile=extra["verify"]),
        timeout=30,
    )
    answer = await client.post(
        f"{extra['authority']}/{extra['tenant_id']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": connection.login,
            "client_secret": connection.password,
            "scope": "https://graph.microsoft.com/.default",
        },
    )
    answer.raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client
async def batch(client, version, requests):
    import asyncio
    import httpx
    pending, answers = {one["id"]: one for one in requests}, {}
    for _ in range(TRIES):
        try:
            answer = await client.post(f"/{version}/$batch", json={"requests": list(pending.values())})
        except httpx.TransportError:
            await asyncio.sleep(1)
            continue
        if answer.status_code in AGAIN:
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
            continue
        answer.raise_for_status()
        patience = 0
        for one in answer.json()["responses"]:
            answers[one["id"]] = one
            if one["status"] in AGAIN:
                patience = max(patience, float(one.get("headers", {}).get("Retry-After", 1)))
            else:
                pending.pop(one["id"])
        if not pending:
            break
        await asyncio.sleep(patience)
    return answers
async def batches(client, version, requests):
    import asyncio
    gate = asyncio.Semaphore(4)
    async def one(some):
        async with gate:
            return await batch(client, version, some)
    chunks = [requests[start : start + 20] for start in range(0, len(requests), 20)]
    return {key: value for answers in await asyncio.gather(*map(one, chunks)) for key, value in answers.items()}
async def listed(client, url):
    import asyncio
    import httpx
    found = []
    for _ in range(TRIES):
        try:
            while url:
                page = (await client.get(url)).raise_for_status().json()
                found, url = found + page["value"], page.get("@odata.nextLink")
            break
        except (httpx.TransportError, httpx.HTTPStatusError):
            await asyncio.sleep(1)
    else:
        raise RuntimeError("The list cannot be read.")
    return found
"""

TASKS = (
    _CLIENT
    + """
@task
async def enroll(rows):
    registrants = f"/users/{ORGANIZER}/onlineMeetings/{MEETING}/registration/registrants"
    async with aclosing(await client_with_token()) as client:
        there = set()
        answers = await batches(client, "beta", [
            {
                "id": row["id"],
                "method": "POST",
                "url": registrants,
                "headers": {"Content-Type": "application/json"},
                "body": {"@odata.type": "#microsoft.graph.externalMeetingRegistrant", "id": row["id"]},
            }
            for row in rows
            if row["id"] not in there
        ])
    return [{**row, "join_web_url": answers.get(row["id"], {}).get("body", {}).get("joinWebUrl")} for row in rows]
enroll(people())
"""
)

# The answer to a webinar's registration is empty: links are in its sessions, once its id is known from the list.
WEBINAR_TASKS = (
    _CLIENT
    + """
@task
async def enroll(rows):
    below = f"/solutions/virtualEvents/webinars/{WEBINAR}/registrations"
    async with aclosing(await client_with_token()) as client:
        await batches(client, "v1.0", [
            {
                "id": row["id"],
                "method": "POST",
                "url": below,
                "headers": {"Content-Type": "application/json"},
                "body": {
                    "firstName": row["first_name"],
                    "lastName": row["last_name"],
                    "email": row["email"],
                    "preferredTimezone": row["preferred_timezone"],
                    "preferredLanguage": row["preferred_language"],
                    "externalRegistrationInformation": {"registrationId": row["id"]},
                },
            }
            for row in rows
        ])
        ids = {one["email"]: one["id"] for one in await listed(client, f"/v1.0{below}")}
        found = await batches(client, "v1.0", [
            {"id": row["id"], "method": "GET", "url": f"{below}/{ids[row['email']]}/sessions"}
            for row in rows
            if row["email"] in ids
        ])
    sessions = {key: one.get("body", {}).get("value") or [{}] for key, one in found.items()}
    return [{**row, "join_web_url": sessions.get(row["id"], [{}])[0].get("joinWebUrl")} for row in rows]
enroll(people())
"""
)

BASELINE = Baseline("e", "one task, httpx, 20 per $batch, 4 at once", TASKS, microsoft_connection, is_batched=True)
AS_WIDE = BASELINE.at_once(8, "one task, httpx, 20 per $batch, 8 at once")
READS_FIRST = replace(
    BASELINE,
    key="er",
    name="as (e), but reads who is there first",
    # Who is on the event already is not sent again. The list holds no links, so they have none.
    tasks=TASKS.replace("there = set()", 'there = {one["id"] for one in await listed(client, f"/beta{registrants}")}'),
)
