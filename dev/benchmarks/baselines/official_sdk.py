"""(d) One task over Microsoft's own SDK for Graph beta, four calls at a time; (d20) twenty."""

from __future__ import annotations

from dev.benchmarks.baselines.baseline import Baseline
from dev.benchmarks.baselines.microsoft_connection import microsoft_connection

# The SDK knows one host. To be pointed at another, it needs its adapter's base_url set, a credential with that
# authority, the scope of Graph, and that host among those which may see the token. httpx finds the CA by SSL_CERT_FILE.
TASKS = """
@task
async def enroll(rows):
    import asyncio
    from azure.identity.aio import ClientSecretCredential
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph_beta import GraphRequestAdapter, GraphServiceClient
    from msgraph_beta.generated.models.external_meeting_registrant import ExternalMeetingRegistrant
    from airflow.sdk import BaseHook
    connection = await asyncio.to_thread(BaseHook.get_connection, "msgraph_default")
    extra = connection.extra_dejson
    credential = ClientSecretCredential(
        extra["tenant_id"],
        connection.login,
        connection.password,
        authority=extra["authority"],
        disable_instance_discovery=True,
        connection_verify=extra["verify"],
    )
    allowed = extra["allowed_hosts"].split(",")
    scopes = ["https://graph.microsoft.com/.default"]
    adapter = GraphRequestAdapter(
        AzureIdentityAuthenticationProvider(credential, scopes=scopes, allowed_hosts=allowed)
    )
    adapter.base_url = f"{connection.schema}://{connection.host}/beta"
    client, gate = GraphServiceClient(request_adapter=adapter), asyncio.Semaphore(4)
    meeting = client.users.by_user_id(ORGANIZER).online_meetings.by_online_meeting_id(MEETING)
    async def one(row):
        async with gate:
            try:
                made = await meeting.registration.registrants.post(ExternalMeetingRegistrant(id=row["id"]))
                return {**row, "join_web_url": made.join_web_url}
            except Exception as error:
                return {**row, "error": str(error)}
    async with credential:
        return await asyncio.gather(*(one(row) for row in rows))
enroll(people())
"""

BASELINE = Baseline("d", "one task, msgraph-beta-sdk, 4 at once", TASKS, microsoft_connection)
AS_WIDE = BASELINE.at_once(20, "one task, msgraph-beta-sdk, 20 at once")
