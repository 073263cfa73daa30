from __future__ import annotations

import copy
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
