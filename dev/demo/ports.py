"""The ports that the demo listens on."""

from __future__ import annotations

import socket

UI_PORT = 8080


def is_free(port: int) -> bool:
    """Return whether a program may listen on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred: int) -> int:
    """Return the preferred port if it is free, and otherwise 0, for which the system chooses one."""
    return preferred if is_free(preferred) else 0


def read_ui_port(given: str | None) -> int:
    """
    Return the port of Airflow's UI.

    :param given: the value of ``PORT``; None or empty takes 8080.
    :raises OSError: it is no port, or another program listens on it.
    """
    text = given or str(UI_PORT)
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < port < 65536:
        raise OSError(f"PORT is {text!r}, which is no port. Give a number from 1 to 65535: make airflow PORT=8090")
    if not is_free(port):
        raise OSError(f"Another program listens on port {port}. Choose another port: make airflow PORT=8090")
    return port
