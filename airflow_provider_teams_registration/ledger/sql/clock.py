"""The database's clock, by which all runs that share a ledger measure time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

_NOW: Mapping[str, sa.TextClause] = {
    "sqlite": sa.text("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"),
    "postgresql": sa.text("SELECT timezone('utc', clock_timestamp())"),
    "mysql": sa.text("SELECT utc_timestamp(6)"),
    "mariadb": sa.text("SELECT utc_timestamp(6)"),
}


class DatabaseClock:
    """
    Tells the database's time. It asks the database once, and then adds the time that the monotonic clock measures.

    :param connection: the database.
    """

    def __init__(self, connection: sa.Connection) -> None:
        statement = _NOW.get(connection.dialect.name)
        asked_at = time.monotonic()
        answer = connection.execute(sa.select(sa.func.current_timestamp()) if statement is None else statement).scalar()
        self._offset = _moment(answer) - timedelta(seconds=asked_at)

    def now(self) -> datetime:
        """Return the database's time, without a time zone."""
        return self._offset + timedelta(seconds=time.monotonic())


def _moment(answer: Any) -> datetime:
    moment = answer if isinstance(answer, datetime) else datetime.fromisoformat(str(answer))
    return moment.replace(tzinfo=None)
