"""Share the write quota of an app among the runs that use the same ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airflow_provider_teams_registration.core.quota import SentWrites, counting
from airflow_provider_teams_registration.ledger.shared_quota import QuotaTaken, SharedQuota, from_json, to_json

_CLAIMED_AHEAD = 0.25
"""A run claims a batch a little before the quota allows it, and sends it on time."""


def add_row(connection: sa.Connection, table: sa.Table, key: str, now: datetime) -> None:
    """
    Add the quota's row, unless it is there.

    :param connection: the database, in a transaction.
    :param table: the ledger's table of quotas.
    :param key: the quota's key.
    :param now: the database's time.
    """
    is_there = connection.execute(sa.select(table.c.quota_key).where(table.c.quota_key == key)).first()
    if is_there is None:
        connection.execute(table.insert().values(quota_key=key, writes="{}", last_seen=now))


def load(connection: sa.Connection, table: sa.Table, run_key: str, quota: SharedQuota, now: datetime) -> None:
    """Tell the quota which writes count that this run and others sent before. Arguments as for :func:`share`."""
    writes = _read(connection, table, quota, now)
    quota.count_own(writes.pop(run_key, []))
    quota.count_others([one for some in writes.values() for one in some])


def share(connection: sa.Connection, table: sa.Table, run_key: str, quota: SharedQuota, now: datetime) -> None:
    """
    Note this run's writes, and count those of the others. The row stays locked until the transaction ends. After it has
    been committed, the caller grants the quota.

    :param connection: the database, in a transaction.
    :param table: the ledger's table of quotas, which has the quota's row.
    :param run_key: this run.
    :param quota: the quota.
    :param now: the database's time.
    :raises QuotaTaken: another run has taken the room that this one reserved.
    """
    mine = table.c.quota_key == quota.key
    # The update locks the row in every database, so that runs take room one after the other.
    connection.execute(table.update().where(mine).values(last_seen=now))
    writes = _read(connection, table, quota, now)
    writes.pop(run_key, None)
    others = [one for some in writes.values() for one in some]
    own = quota.own_writes()
    quota.count_others(others)
    if quota.has_unclaimed() and counting([*own, *others], quota.window, _CLAIMED_AHEAD) > quota.limit:
        raise QuotaTaken
    kept = {name: to_json(some, now) for name, some in {**writes, run_key: own}.items() if some}
    connection.execute(table.update().where(mine).values(writes=json.dumps(kept)))


def _read(connection: sa.Connection, table: sa.Table, quota: SharedQuota, now: datetime) -> dict[str, list[SentWrites]]:
    stored = connection.execute(sa.select(table.c.writes).where(table.c.quota_key == quota.key)).scalar()
    return {name: from_json(some, now, quota.window) for name, some in _loaded(stored).items()}


def _loaded(stored: Any) -> Mapping[str, Any]:
    try:
        found = json.loads(stored)
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
