"""The mail server and the job of tests/emulated/mail, over ledgers in database servers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.emulated.mail.conftest import Desk, _mail_server, desk, mail_server  # noqa: F401
from tests.mail_server import MailServer
from tests.servers import MARIADB, POSTGRES, connect_or_skip


@pytest.fixture(params=[POSTGRES, MARIADB], ids=["PostgreSQL", "MariaDB"])
def server_desk(request: Any, mail_server: MailServer) -> Iterator[Desk]:  # noqa: F811
    """The same over a ledger in a database server, in tables of its own."""
    url = request.param.replace("postgresql://", "postgresql+psycopg2://")
    engine = sa.create_engine(url)
    connect_or_skip(url.partition(":")[0], engine.connect, sa.exc.OperationalError).close()
    made = Desk(url, mail_server, f"mail_{uuid.uuid4().hex[:12]}")
    yield made
    with engine.begin() as connection:
        for suffix in ("", "_runs", "_rows"):
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {made.table}{suffix}"))
    engine.dispose()
