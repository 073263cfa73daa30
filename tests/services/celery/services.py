"""A PostgreSQL database and a Redis database of one's own, gone afterwards."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
import redis
import sqlalchemy as sa

from tests.servers import POSTGRES, connect_or_skip

REDIS = os.environ.get("TEAMS_REGISTRATION_TEST_REDIS", "redis://127.0.0.1:6379")
_CLAIM = "teams-registration-test"


@contextmanager
def own_postgres_database() -> Iterator[sa.URL]:
    """Make a database, and drop it at the end whoever is still connected."""
    name = f"teams_registration_{secrets.token_hex(4)}"
    server = connect_or_skip(
        "PostgreSQL", lambda: psycopg2.connect(POSTGRES, connect_timeout=3), psycopg2.OperationalError
    )
    with closing(server):
        server.autocommit = True
        _execute(server, f"CREATE DATABASE {name}")
        try:
            yield sa.make_url(POSTGRES).set(drivername="postgresql", database=name)
        finally:
            _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def own_redis_database() -> Iterator[str]:
    """Take a database in which there is nothing, and flush it at the end."""
    connect_or_skip("Redis", lambda: _redis(0).ping(), redis.ConnectionError)
    number = next((number for number in range(15, 0, -1) if _is_claimed(number)), None)
    if number is None:
        pytest.fail("none of Redis's databases is empty")
    try:
        yield f"{REDIS}/{number}"
    finally:
        with closing(_redis(number)) as database:
            database.flushdb()


def _execute(server: Any, statement: str) -> None:
    with server.cursor() as cursor:
        cursor.execute(statement)


def _redis(number: int) -> redis.Redis:
    return redis.Redis.from_url(f"{REDIS}/{number}", socket_connect_timeout=3)


def _is_claimed(number: int) -> bool:
    """Take a database unless somebody uses it, or takes it at this moment."""
    with closing(_redis(number)) as database:
        if not database.set(_CLAIM, "taken", nx=True):
            return False
        if database.dbsize() == 1:
            return True
        database.delete(_CLAIM)
        return False
