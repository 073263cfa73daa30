import pytest

from airflow_provider_teams_registration.read_enrollments import enrollment_pages, read_enrollments


@pytest.mark.parametrize("result", [{}, {"id": "canary"}, {"rows": "canary"}, {"rows": None}], ids=str)
def test_what_no_enrolling_task_returned_is_said_so_and_not_quoted(result):
    reference = {"ledger_conn_id": "l", "ledger_table": "t", "run_key": "k", "attempt": 1}
    for doing in (lambda: list(read_enrollments({**reference, **result})), lambda: enrollment_pages(result)):
        with pytest.raises(ValueError, match="This is no result of an enrolling task"):
            doing()
