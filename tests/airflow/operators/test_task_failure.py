"""The message of a failed enrolling task names what went wrong, and the argument that changes it."""

import pytest

from airflow_provider_teams_registration.core.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.core.report import Report
from airflow_provider_teams_registration.enrollment.max_rejected import MaxRejected

pytestmark = pytest.mark.airflow


def failure_of(*enrollments):
    from airflow_provider_teams_registration.operators.task_failure import task_failure

    return str(task_failure(Report(enrollments), MaxRejected.read(0), is_durable=True))


def without_link(position):
    return Enrollment(position, {}, Outcome.ALREADY_ENROLLED, reason="no link", is_link_missing=True)


def test_missing_links_are_counted_with_their_people_and_name_the_arguments_that_help():
    message = failure_of(without_link(1), without_link(2))

    assert message.startswith("2 registrants: 2 already enrolled (2 of them without a link). ")
    assert "max_rejected" not in message
    assert "set on_missing_join_url='re_enroll'" in message
    assert "With a ledger_conn_id, the next run has the links of this run." in message


def test_max_rejected_is_named_if_too_many_people_were_refused():
    message = failure_of(Enrollment(1, {}, Outcome.INVALID, reason="id is empty"), without_link(2))

    assert message.startswith(
        "2 registrants: 1 already enrolled (1 of them without a link), 1 invalid; max_rejected is 0. "
    )
