"""The buffer for a run's rows: few rows go to XCom, and many rows go to the ledger's database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.outcome import Enrollment

if TYPE_CHECKING:
    from airflow_provider_teams_registration.ledger.base import RowStore


class ResultBuffer:
    """
    Buffers rows up to a limit. Above it, writes all rows to the ledger.

    :param xcom_limit: maximum number of rows in XCom.
    :param store: the ledger's table for rows; None if it has none.
    """

    def __init__(self, xcom_limit: int, store: RowStore | None) -> None:
        self._xcom_limit = xcom_limit
        self._store = store
        self._buffered: list[Enrollment] = []
        self._spilled = 0

    def add(self, enrollments: Sequence[Enrollment]) -> None:
        """Add the next rows, in input order."""
        self._buffered += enrollments
        if self._store is not None and (self._spilled or len(self._buffered) > self._xcom_limit):
            self._store.write_results(
                [(one.position, one.registrant, one.row, one.outcome, one.error) for one in self._buffered]
            )
            self._spilled += len(self._buffered)
            self._buffered = []

    @property
    def rows(self) -> list[dict[str, Any]] | None:
        """The rows; None if the ledger holds them."""
        return None if self._spilled else [enrollment.as_row() for enrollment in self._buffered]
