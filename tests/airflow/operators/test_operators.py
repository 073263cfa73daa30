from __future__ import annotations

import copy
import importlib
import json
import pickle
from collections import deque

import pytest

pytestmark = pytest.mark.airflow

LINK = "https://teams.example/canary"


def every_task():
    from airflow_provider_teams_registration.operators import cancel, enroll, registration
    from airflow_provider_teams_registration.sensors.registrant import RegistrantStatusSensor
    from airflow_provider_teams_registration.sensors.registration import RegistrationOpenSensor
    from airflow_provider_teams_registration.transfers.sql import SqlToTeamsRegistrationOperator

    return [
        cancel.CancelRegistrantOperator(task_id="a", meeting_id="m", registrants=["ada"]),
        enroll.EnrollRegistrantOperator(task_id="b", meeting_id="m", registrants=["ada"]),
        registration.OpenRegistrationOperator(task_id="c", meeting_id="m"),
        registration.CloseRegistrationOperator(task_id="d", meeting_id="m"),
        registration.PublishWebinarOperator(task_id="e", webinar_id="w"),
        registration.FindEventOperator(task_id="f", join_web_url=LINK),
        RegistrantStatusSensor(task_id="g", webinar_id="w", registrants=["ada"]),
        RegistrationOpenSensor(task_id="h", webinar_id="w"),
        SqlToTeamsRegistrationOperator(task_id="i", meeting_id="m", sql="SELECT 1", sql_conn_id="warehouse"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"rate": float("nan")},
        {"rate": 1e-300},
        {"wait_for_rows": "soon"},
        {"wait_for_rows": float("inf")},
        {"email_column": None},
        {"name_columns": "name"},
        {"name_columns": [1]},
    ],
)
def test_mail_argument_that_cannot_be_right_is_refused_when_the_dag_is_parsed(given):
    from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator

    (name,) = given
    with pytest.raises(ValueError, match=f"^{name} is "):
        MailJoinLinksOperator(task_id="mail", registrants=[], **given)


def test_every_task_can_be_copied_and_pickled():
    for task in every_task():
        assert copy.deepcopy(task).task_id == task.task_id
        assert pickle.loads(pickle.dumps(task)).task_id == task.task_id


def enroll_task(registrants):
    from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator

    return EnrollRegistrantOperator(task_id="enroll", meeting_id="m", registrants=registrants)


def test_any_iterable_is_taken():
    for given in (deque(["ada"]), {"ada"}, iter(["ada"]), {"ada": 1}.keys()):
        assert enroll_task(given).registrants.rows == ["ada"]


def test_registrants_may_be_assigned_after_construction():
    task = enroll_task(["ada"])
    task.registrants = "{{ ['grace'] | tojson }}"
    task.render_template_fields({})
    assert task.registrants.rows == ["grace"]


def test_a_link_that_was_written_down_is_not_shown():
    (find,) = [task for task in every_task() if task.task_id == "f"]
    assert str(find.join_web_url) == "a link"
    assert find.join_web_url.url == LINK


def test_what_several_tasks_returned_is_one_list():
    task = enroll_task([[{"id": "ada"}], [], [{"id": "grace"}]])
    assert task.registrants.rows == [{"id": "ada"}, {"id": "grace"}]


def is_button_declared(dag):
    """Whether Airflow stores the button to the meeting with the DAG, as it does for its UI."""
    serialization = importlib.import_module("airflow.serialization.serialized_objects")
    serializer = getattr(serialization, "DagSerialization", None) or serialization.SerializedDAG
    return "MeetingLink" in json.dumps(serializer.to_dict(dag))


@pytest.mark.parametrize(
    ("event", "is_declared"),
    [
        ({"meeting_id": "{{ var.value.meeting }}"}, True),
        ({"webinar_id": "{{ var.value.webinar }}"}, False),
        ({"meeting_id": "{{ var.value.meeting }}", "webinar_id": "{{ var.value.webinar }}"}, True),
    ],
    ids=["meeting", "webinar", "either"],
)
@pytest.mark.parametrize("is_mapped", [False, True], ids=["plain", "mapped"])
def test_a_task_that_may_be_about_a_meeting_has_the_button_to_it(event, is_declared, is_mapped):
    from datetime import datetime

    from airflow.providers.common.compat.sdk import DAG

    from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator

    with DAG("buttons", schedule=None, start_date=datetime(2026, 1, 1)) as dag:
        if is_mapped:
            EnrollRegistrantOperator.partial(task_id="enroll", **event).expand(registrants=[["ada"], ["grace"]])
        else:
            EnrollRegistrantOperator(task_id="enroll", registrants=["ada"], **event)
    assert is_button_declared(dag) is is_declared
