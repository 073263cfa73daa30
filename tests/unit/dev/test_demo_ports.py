"""The ports that the demo listens on."""

import socket

import pytest

from dev.demo.ports import free_port, read_ui_port


@pytest.fixture
def taken():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_port_that_another_program_has_is_replaced_by_a_free_one(taken):
    assert free_port(taken) == 0


def test_ui_does_not_start_on_a_port_that_another_program_has(taken):
    with pytest.raises(OSError, match=rf"listens on port {taken}. Choose another port: make airflow PORT="):
        read_ui_port(str(taken))


@pytest.mark.parametrize("given", ["0", "65536", "-1", "http"])
def test_ui_port_that_is_no_port_is_named(given):
    with pytest.raises(OSError, match=r"which is no port\. Give a number from 1 to 65535"):
        read_ui_port(given)
