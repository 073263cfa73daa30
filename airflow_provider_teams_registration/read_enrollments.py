"""Read back the rows of a run that was too long for XCom from its ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_teams_registration.ledger.base import Ledger

_ROWS_AT_ONCE = 1000
_NO_RESULT = "This is no result of an enrolling task: it holds neither rows nor a reference."


def read_enrollments(result: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """
    Yield the rows that an enrolling task returned, or one page of them.

    .. code-block:: python

        @task
        def mail(page):
            for row in read_enrollments(page):
                ...


        mail.expand(page=pages(enroll.output))

    :param result: the result of the task, or one of its :func:`enrollment_pages`. A list of rows is read unchanged.
    :return: the input rows in order, each with ``outcome``, ``join_web_url`` and ``error``.
    :raises ValueError: the result is neither of them, or ``ledger_conn_id`` does not name a SQL database.
    :raises LedgerFailure: the enrolling task has started again and replaced its rows, the ledger cannot be read, or it
        does not hold these rows in the format of this version.
    """
    if not isinstance(result, Mapping):
        yield from (dict(row) for row in result)
        return
    try:
        conn_id, table, run_key = (str(result[name]) for name in ("ledger_conn_id", "ledger_table", "run_key"))
        attempt = int(result["attempt"])
        after, last = int(result.get("after", 0)), int(result.get("up_to", result["rows"]))
    except (KeyError, TypeError, ValueError):
        raise ValueError(_NO_RESULT) from None
    from airflow_provider_teams_registration.hooks.ledger import open_sql_ledger

    ledger = open_sql_ledger(conn_id, table)
    try:
        for start in range(after, last, _ROWS_AT_ONCE):
            yield from ledger.read_results(run_key, attempt, start, min(start + _ROWS_AT_ONCE, last))
    finally:
        ledger.close()


def enrollment_pages(result: Mapping[str, Any] | Sequence[Mapping[str, Any]], page_size: int = 500) -> list[Any]:
    """
    Cut the result of an enrolling task into pages for mapped tasks.

    .. code-block:: python

        @task
        def pages(result):
            return enrollment_pages(result, page_size=200)

    :param result: the result of the task.
    :param page_size: the maximum number of rows on a page. Default 500.
    :raises ValueError: ``page_size`` is not a positive whole number, or another kind of task returned the result.
    :return: pages for :func:`read_enrollments`. They hold no personal data if the result is a reference.
    """
    if page_size < 1:
        raise ValueError(f"page_size is {page_size!r}; it must be a whole number from 1.")
    if not isinstance(result, Mapping):
        return [result[start : start + page_size] for start in range(0, len(result), page_size)]
    try:
        last = int(result["rows"])
        plain = {name: result[name] for name in ("ledger_conn_id", "ledger_table", "run_key", "attempt", "rows")}
        event = result.get("summary", {}).get("event")
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(_NO_RESULT) from None
    if event:
        plain["event"] = event
    return [{**plain, "after": start, "up_to": min(start + page_size, last)} for start in range(0, last, page_size)]


def reference(
    ledger_conn_id: str | None, ledger_table: str, ledger: Ledger, summary: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what XCom holds in place of rows, which the ledger keeps."""
    store = ledger.row_store
    assert store is not None
    return {
        "ledger_conn_id": ledger_conn_id,
        "ledger_table": ledger_table,
        "run_key": store.run_key,
        "attempt": ledger.attempt,
        "rows": summary["rows"],
        "summary": dict(summary),
    }
