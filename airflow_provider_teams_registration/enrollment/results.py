"""Where a run's rows go: into XCom while they are few, into the ledger's database where they are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.enrollment.outcome import Enrollment

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.sql_ledger import SqlLedger


class Results:
    """
    Keeps rows up to a number, and hands all of them to the ledger beyond it.

    :param xcom_limit: how many rows XCom may hold.
    :param ledger: where more of them go; None where there is no such place.
    """

    def __init__(self, xcom_limit: int, ledger: SqlLedger | None) -> None:
        self._xcom_limit = xcom_limit
        self._ledger = ledger
        self._kept: list[Enrollment] = []
        self._spilled = 0

    def keep(self, enrollments: Sequence[Enrollment]) -> None:
        """Take the next rows, in input order."""
        self._kept += enrollments
        if self._ledger is not None and (self._spilled or len(self._kept) > self._xcom_limit):
            self._ledger.write_results(
                [(one.position, one.registrant, one.row, one.outcome, one.error) for one in self._kept]
            )
            self._spilled += len(self._kept)
            self._kept = []

    @property
    def rows(self) -> list[dict[str, Any]] | None:
        """The rows; None where the ledger holds them."""
        return None if self._spilled else [enrollment.as_row() for enrollment in self._kept]
