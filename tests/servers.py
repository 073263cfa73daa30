"""Servers and programs that tests use where they are there."""

import os
from collections.abc import Callable
from typing import NoReturn, TypeVar

import pytest

T = TypeVar("T")

POSTGRES = os.environ.get("TEAMS_REGISTRATION_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
MARIADB = os.environ.get("TEAMS_REGISTRATION_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/test")


def connect_or_skip(name: str, connect: Callable[[], T], failure: type[Exception]) -> T:
    """
    Connect to a server; skip the test where none answers, or fail it with TEAMS_REGISTRATION_REQUIRE_SERVICES.

    :param name: the server's name.
    :param connect: makes the connection.
    :param failure: what it raises where nothing answers.
    """
    try:
        return connect()
    except failure:
        skip_or_fail(f"no {name} answers")


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test, or fail it with TEAMS_REGISTRATION_REQUIRE_SERVICES."""
    if os.environ.get("TEAMS_REGISTRATION_REQUIRE_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)
