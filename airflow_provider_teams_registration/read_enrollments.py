"""The rows of a run that was too long for XCom, read back from its ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from airflow_provider_teams_registration.enrollment.ledger import Ledger
    from airflow_provider_teams_registration.enrollment.sql_ledger import SqlLedger

_ROWS_AT_ONCE = 1000


def read_enrollments(result: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """
    Read the rows that an enrolling task returned, or one page of them.

    .. code-block:: python

        @task
        def mail(page):
            for row in read_enrollments(page):
                ...


        mail.expand(page=pages(enroll.output))

    :param result: what the task returned, or one of its :func:`enrollment_pages`. A list of rows is read as it is.
    :return: the input rows in their order, each with ``outcome``, ``join_web_url`` and ``error``.
    :raises ValueError: the result is neither, or its ledger cannot be reached.
    :raises LedgerFailure: the enrolling task has begun anew since, and its rows with it.
    """
    if not isinstance(result, Mapping):
        yield from (dict(row) for row in result)
        return
    try:
        conn_id, table, run_key = (str(result[name]) for name in ("ledger_conn_id", "ledger_table", "run_key"))
        attempt = int(result["attempt"])
        after, last = int(result.get("after", 0)), int(result.get("up_to", result["rows"]))
    except (KeyError, TypeError):
        raise ValueError("This is no result of an enrolling task: it holds neither rows nor a reference.") from None
    from airflow_provider_teams_registration.hooks.ledger import open_sql_ledger

    ledger = open_sql_ledger(conn_id, table)
    try:
        for start in range(after, last, _ROWS_AT_ONCE):
            yield from ledger.read_results(run_key, attempt, start, min(start + _ROWS_AT_ONCE, last))
    finally:
        ledger.close()


def enrollment_pages(result: Mapping[str, Any] | Sequence[Mapping[str, Any]], page_size: int = 500) -> list[Any]:
    """
    Cut what an enrolling task returned into pages, for mapped tasks to read.

    .. code-block:: python

        @task
        def pages(result):
            return enrollment_pages(result, page_size=200)

    :param result: what the task returned.
    :param page_size: rows on a page, at most. Default 500.
    :return: pages for :func:`read_enrollments`, without anything personal in them where the result is a reference.
    """
    if page_size < 1:
        raise ValueError(f"page_size is {page_size!r}; it must be a whole number from 1.")
    if not isinstance(result, Mapping):
        return [result[start : start + page_size] for start in range(0, len(result), page_size)]
    last = int(result["rows"])
    plain = {name: result[name] for name in ("ledger_conn_id", "ledger_table", "run_key", "attempt", "rows")}
    return [{**plain, "after": start, "up_to": min(start + page_size, last)} for start in range(0, last, page_size)]


def reference(
    ledger_conn_id: str | None, ledger_table: str, ledger: Ledger, summary: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what XCom holds in place of rows."""
    return {
        "ledger_conn_id": ledger_conn_id,
        "ledger_table": ledger_table,
        "run_key": cast("SqlLedger", ledger).run_key,
        "attempt": ledger.attempt,
        "rows": summary["rows"],
        "summary": dict(summary),
    }
