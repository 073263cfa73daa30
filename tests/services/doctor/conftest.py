"""The command of tests/airflow/doctor."""

from tests.airflow.doctor.conftest import connect, doctor  # noqa: F401
