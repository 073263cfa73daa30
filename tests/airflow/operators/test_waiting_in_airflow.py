from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest

from tests.run_dag import HAS_TASK_STATE_STORE, load_dags, write_dag_text
from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow

PEOPLE = [f"canary-{number}" for number in range(50)]

needs_retry_policies = pytest.mark.skipif(not HAS_TASK_STATE_STORE, reason="retry policies came with Airflow 3.3")


@pytest.fixture
def once_each(emulator):
    """Whether everybody is on the event, and nobody twice."""
    emulator.set_switches(duplicate="second_record")
    return lambda: Counter(record.id for record in emulator.store.registrants(emulator.meeting_id)) == Counter(PEOPLE)


@pytest.fixture
def was_deferred(capfd):
    """Whether the operator said that it defers."""
    return lambda: "Deferring the task, which frees its worker slot." in "".join(capfd.readouterr())


@pytest.fixture
def execute(emulator, ledger, monkeypatch):
    """Run the operator by itself, as far as what it raises."""

    def run(**arguments):
        from airflow.providers.common.compat.sdk import DAG

        from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator

        monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))
        with DAG("dag", schedule=None):
            operator = EnrollRegistrantOperator(
                task_id="enroll",
                meeting_id=emulator.meeting_id,
                organizer_id=emulator.organizer_id,
                registrants=PEOPLE,
                ledger_conn_id="ledger",
                **arguments,
            )
        operator.execute({"ti": TaskInstance()})

    return run


class TaskInstance:
    """What the operator needs of one."""

    dag_id, run_id, task_id, map_index = "dag", "run", "enroll", -1

    def xcom_push(self, **_):
        """Nowhere."""


def with_policy(task):
    policy = (
        "__import__('airflow_provider_teams_registration.retry_policy').retry_policy.TeamsRegistrationRetryPolicy()"
    )
    return task.replace("task_id=", f"retry_policy={policy}, task_id=")


def impatient(emulator, **arguments):
    return enroll(
        emulator,
        PEOPLE,
        max_parallel_requests=1,
        **{"deferrable": True, "defer_over": 1, "settle_after": 1} | arguments,
    )


with_every_ledger_that_lasts = pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"ledger_conn_id": "ledger"}, id="with a ledger in SQL"),
        pytest.param(
            {},
            id="with the task's state",
            marks=pytest.mark.skipif(not HAS_TASK_STATE_STORE, reason="the store came with Airflow 3.3"),
        ),
    ],
)


@with_every_ledger_that_lasts
def test_the_wait_for_the_write_quota_of_a_webinar_leaves_the_worker(
    run_dag, emulator, ledger, was_deferred, monkeypatch, arguments
):
    limit, window = 5, 6.0
    emulator.set_switches(duplicate="second_record", write_limit=limit, write_window=window)
    connection = emulator.connection()
    connection["extra"] |= {"write_limit": limit, "write_window": window}
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(connection))
    people = [{"email": f"canary{one}@example.org", "first_name": "Ada", "last_name": "L"} for one in range(8)]
    form = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}

    run = run_dag(
        enroll(
            emulator,
            people,
            webinar_id=emulator.webinar_id,
            deferrable=True,
            defer_over=1,
            **form,
            **arguments,
        )
    )

    assert run.state == "success"
    assert was_deferred()
    assert run.summary()["outcomes"] == {"enrolled": 8}
    assert all(row["join_web_url"] for row in run.rows())
    registered = Counter(one.email for one in emulator.store.webinars.registrations(emulator.webinar_id))
    assert registered == Counter(row["email"] for row in people)
    journal = emulator.store.journal
    assert 429 not in [one.status for one in journal]
    assert sum(one.path.endswith("/questions") for one in journal) == 1


@with_every_ledger_that_lasts
@pytest.mark.parametrize("nth", [1, 2], ids=["first call", "a call in between"])
def test_a_long_wait_is_deferred_and_then_gone_on_from(
    run_dag, emulator, ledger, once_each, was_deferred, arguments, nth
):
    emulator.add_fault("POST $batch", nth=nth, status=429, retry_after="1.5")
    run = run_dag(impatient(emulator, **arguments))
    assert run.state == "success"
    assert was_deferred()
    assert once_each()
    assert run.summary()["outcomes"] == {"enrolled": 50}
    assert all(row["join_web_url"] for row in run.rows())


def test_a_wait_that_no_worker_would_sit_through_is_deferred_even_before_the_first_send(execute, emulator):
    from airflow.providers.common.compat.sdk import TaskDeferred

    emulator.add_fault("GET registration", times=0, status=429, retry_after="3600")
    with pytest.raises(TaskDeferred):
        execute(deferrable=True)


def test_a_short_wait_stays_in_the_worker(run_dag, emulator, ledger, once_each, was_deferred):
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="0.5")
    assert run_dag(impatient(emulator, ledger_conn_id="ledger")).state == "success"
    assert not was_deferred()
    assert once_each()


def test_without_being_asked_to_a_task_waits_in_the_worker(run_dag, emulator, ledger, once_each, was_deferred):
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="1.5")
    assert run_dag(impatient(emulator, ledger_conn_id="ledger", deferrable=False)).state == "success"
    assert not was_deferred()
    assert once_each()


@pytest.mark.skipif(HAS_TASK_STATE_STORE, reason="from Airflow 3.3 on every task has a ledger that lasts")
def test_without_a_ledger_that_lasts_a_task_waits_in_the_worker(run_dag, emulator, once_each, was_deferred):
    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="1.5")
    assert run_dag(impatient(emulator)).state == "success"
    assert not was_deferred()
    assert once_each()


def test_what_is_left_with_airflow_is_a_moment_and_a_number(execute, emulator):
    from airflow.providers.common.compat.sdk import TaskDeferred

    emulator.add_fault("POST $batch", nth=2, status=429, retry_after="300")
    with pytest.raises(TaskDeferred) as raised:
        execute(deferrable=True, max_parallel_requests=1)
    path, kept = raised.value.trigger.serialize()
    assert path.rpartition(".")[2] == "ResumeTrigger"
    assert set(kept) == {"moment", "deferred_by", "event_id"}
    assert (kept["deferred_by"], kept["event_id"]) == (1, None)
    assert not raised.value.kwargs
    assert raised.value.method_name == "resume"


def test_a_wait_beyond_all_patience_is_left_to_the_retries_with_the_services_own_delay(execute, emulator):
    from airflow_provider_teams_registration.hooks.failures import TransientFailure

    emulator.add_fault("POST $batch", times=0, status=429, retry_after="3600")
    with pytest.raises(TransientFailure) as raised:
        execute()
    assert raised.value.retry_after == 3600
    assert "canary" not in str(raised.value)


@needs_retry_policies
def test_the_retry_policy_hands_the_services_delay_to_airflow_and_stops_at_a_refusal():
    from airflow.sdk.definitions.retry_policy import RetryAction

    from airflow_provider_teams_registration.hooks.failures import PermanentFailure, TransientFailure
    from airflow_provider_teams_registration.retry_policy import TeamsRegistrationRetryPolicy

    def decided(error):
        decision = TeamsRegistrationRetryPolicy().evaluate(error, 1, 3)
        return decision.action, decision.retry_delay

    assert decided(TransientFailure("later", retry_after=90)) == (RetryAction.RETRY, timedelta(seconds=90))
    assert decided(TransientFailure("later")) == (RetryAction.DEFAULT, None)
    assert decided(PermanentFailure("never")) == (RetryAction.FAIL, None)
    assert decided(KeyError("x")) == (RetryAction.DEFAULT, None)


@needs_retry_policies
def test_the_retry_policy_survives_the_serialization_of_its_dag(airflow_database, emulator):
    from airflow.serialization.serialized_objects import DagSerialization

    from airflow_provider_teams_registration.retry_policy import TeamsRegistrationRetryPolicy

    path = write_dag_text("patient", with_policy(enroll(emulator, ["ada"])))
    serialized = DagSerialization.to_dict(load_dags(path)["patient"])
    restored = DagSerialization.from_dict(json.loads(json.dumps(serialized)))
    assert restored.get_task("enroll").has_retry_policy
    assert " object at 0x" not in json.dumps(serialized)
    kept = TeamsRegistrationRetryPolicy().serialize()
    assert isinstance(
        TeamsRegistrationRetryPolicy.deserialize(json.loads(json.dumps(kept))), TeamsRegistrationRetryPolicy
    )


@needs_retry_policies
def test_airflow_retries_when_the_service_says_so(run_dag, emulator):
    emulator.add_fault("GET registration", times=8, status=429, retry_after="0.1")
    run = run_dag(with_policy(enroll(emulator, PEOPLE, retries=1, retry_delay=timedelta(hours=1))))
    assert (run.state, run.tries["enroll"]) == ("success", 2)
