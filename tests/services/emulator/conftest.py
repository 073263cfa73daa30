"""The callers of tests/emulated/emulator."""

from tests.emulated.emulator.conftest import (  # noqa: F401
    application,
    as_application,
    ask_for_token,
    http,
    poll,
)
