"""(f) This provider: one operator, as its docs show it."""

from __future__ import annotations

from dev.benchmarks.baselines.baseline import Baseline, Connections
from dev.benchmarks.service import Service

_IMPORT = """
from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
"""
TASKS = (
    _IMPORT
    + """
EnrollRegistrantOperator(
    task_id="enroll",
    meeting_id=MEETING,
    organizer_id=ORGANIZER,
    registrants=people(),
)
"""
)

# A ledger that outlives the DAG run, which dag.test() deletes when it is run again. The emulator shows everybody at
# once, so a send that does not show after five seconds did not land; nothing is settled where nothing goes wrong.
SQL_LEDGER_TASKS = (
    _IMPORT
    + """
from datetime import timedelta
EnrollRegistrantOperator(
    task_id="enroll",
    meeting_id=MEETING,
    organizer_id=ORGANIZER,
    registrants=people(),
    ledger_conn_id="ledger",
    settle_after=5,
    retries=3,
    retry_delay=timedelta(seconds=2),
)
"""
)

WEBINAR_TASKS = (
    _IMPORT
    + """
EnrollRegistrantOperator(task_id="enroll", webinar_id=WEBINAR, registrants=people())
"""
)

CHUNK_TASKS = (
    _IMPORT
    + """
@task
def chunks(rows):
    size = -(-len(rows) // CHUNKS)
    return [rows[start : start + size] for start in range(0, len(rows), size)]
EnrollRegistrantOperator.partial(
    task_id="enroll",
    meeting_id=MEETING,
    organizer_id=ORGANIZER,
).expand(registrants=chunks(people()))
"""
)


def ours_connection(service: Service) -> Connections:
    """Return this provider's connection to the emulator."""
    extra = {
        "tenant_id": service.tenant_id,
        "authority": service.url,
        "base_url": service.url,
        "verify": service.ca_file,
        "disable_instance_discovery": True,
    }
    own = {"login": service.client_id, "password": service.client_secret, "extra": extra}
    return {"teams_registration_default": {"conn_type": "teams_registration", **own}}


BASELINE = Baseline("f", "this provider's operator", TASKS, ours_connection, is_batched=True)
WITH_SQL_LEDGER = Baseline(
    "fs", "this provider's operator, ledger in SQLite", SQL_LEDGER_TASKS, ours_connection, is_batched=True
)
