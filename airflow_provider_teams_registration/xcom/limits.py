"""Check, before anybody is sent, that XCom or the ledger can hold the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_teams_registration.hooks.failures import PermanentFailure


def check_result_fits(
    rows: Iterable[Any], xcom_limit: int, *, has_room_elsewhere: bool, is_mapped_over: bool
) -> tuple[Iterable[Any], bool]:
    """
    Check that XCom, or else the ledger, can hold the result.

    :param rows: the rows. The function reads no more of them than it needs.
    :param xcom_limit: maximum number of rows in XCom.
    :param has_room_elsewhere: whether the ledger can hold a longer result.
    :param is_mapped_over: whether a mapped task takes the result.
    :return: all rows, and whether there are more than ``xcom_limit``.
    :raises PermanentFailure: neither can hold the result.
    """
    from airflow_provider_teams_registration.xcom.serializable import check_serializable, check_serializable_in_ledger

    iterator = iter(rows)
    first = rows if isinstance(rows, Sequence) else list(islice(iterator, xcom_limit + 1))
    is_long = len(first) > xcom_limit
    if is_long and not has_room_elsewhere:
        raise PermanentFailure(
            f"There are more than {xcom_limit:,} rows, too many for XCom. Nothing was sent. Name a "
            "ledger_conn_id, with store_join_urls, to keep them in a database, or raise xcom_limit."
        )
    if is_mapped_over:
        _refuse_unmappable(len(first), is_long)
    try:
        (check_serializable_in_ledger if is_long else check_serializable)(first)
    except ValueError as error:
        raise PermanentFailure(str(error)) from None
    if is_long and not isinstance(rows, Sequence):
        return chain(first, iterator), True
    return first, is_long


def _refuse_unmappable(rows: int, is_long: bool) -> None:
    """Refuse a result that Airflow cannot map over. Airflow itself would refuse it after everybody was enrolled."""
    if is_long:
        raise PermanentFailure(
            "A mapped task follows, but there are more rows than xcom_limit, so that XCom will hold a reference to "
            "them. Nothing was sent. Map over enrollment_pages() of the result, or raise xcom_limit."
        )
    longest = conf.getint("core", "max_map_length", fallback=1024)
    if rows > longest:
        raise PermanentFailure(
            f"registrants holds {rows:,} rows and a mapped task follows, but Airflow maps over {longest:,} at most "
            "([core] max_map_length). Nothing was sent. Lower xcom_limit and map over enrollment_pages() of the "
            "result, enroll in several tasks (chunks), or raise the limit."
        )
