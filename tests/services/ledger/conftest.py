"""A place for the ledger of a test."""

import pytest

from tests.services.ledger.kinds import Memory, StateStores, database


@pytest.fixture
def place(request, tmp_path):
    """Where ledgers are kept."""
    if request.param == "memory":
        yield Memory()
    elif request.param == "state store":
        yield StateStores()
    else:
        found = database(request.param, tmp_path)
        yield found
        found.drop()
