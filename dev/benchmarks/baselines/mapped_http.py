"""(b) The HTTP provider's operator, mapped over the people, with a token that a task before it fetched."""

from __future__ import annotations

from dev.benchmarks.baselines.baseline import Baseline, Connections
from dev.benchmarks.service import Service

TASKS = """
from datetime import timedelta
from airflow.providers.http.operators.http import HttpOperator
@task
def token():
    import requests
    from airflow.sdk import BaseHook
    entra = BaseHook.get_connection("entra")
    answer = requests.post(
        f"{entra.schema}://{entra.host}:{entra.port}/{entra.extra_dejson['tenant_id']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": entra.login,
            "client_secret": entra.password,
            "scope": "https://graph.microsoft.com/.default",
        },
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()["access_token"]
@task
def bodies(rows):
    import json
    return [
        json.dumps({"@odata.type": "#microsoft.graph.externalMeetingRegistrant", "id": row["id"]})
        for row in rows
    ]
token() >> HttpOperator.partial(
    task_id="enroll",
    http_conn_id="graph",
    method="POST",
    endpoint=f"beta/users/{ORGANIZER}/onlineMeetings/{MEETING}/registration/registrants",
    headers={
        "Authorization": "Bearer {{ ti.xcom_pull(task_ids='token') }}",
        "Content-Type": "application/json",
    },
    response_filter=lambda response: response.json(),
    extra_options={"timeout": 30},
    retries=3,
    retry_delay=timedelta(seconds=2),
).expand(data=bodies(people()))
"""


def _connections(service: Service) -> Connections:
    # The CA is found by REQUESTS_CA_BUNDLE, as every client of requests finds it.
    host, _, port = service.address.partition(":")
    place = {"conn_type": "http", "schema": "https", "host": host, "port": int(port)}
    own = {"login": service.client_id, "password": service.client_secret, "extra": {"tenant_id": service.tenant_id}}
    return {"graph": place, "entra": {**place, **own}}


BASELINE = Baseline("b", "mapped HttpOperator", TASKS, _connections, is_mapped=True)
