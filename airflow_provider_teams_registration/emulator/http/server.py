"""A listening socket, and the uvicorn server that answers on it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from airflow_provider_teams_registration.emulator.http.connections import BreakableProtocol


class AnnouncingServer(uvicorn.Server):
    """
    Uvicorn's server, which reports when it serves. From then on a signal stops it in an orderly way.

    :param config: uvicorn's configuration.
    :param announce: called as soon as requests are answered.
    """

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve."""
        await super().startup(sockets)
        self._announce()


def listen(host: str, port: int) -> socket.socket:
    """
    Listen on an address. The system accepts connections from now on; they are answered once a server runs.

    :param host: address, name, or empty text for every address.
    :param port: port; 0 takes a free one.
    :raises OSError: the port is taken, or the address does not belong to this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Asyncio sends small answers at once only on a socket that names its protocol; otherwise each waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or error
        raise OSError(f"The emulator cannot listen on {host}:{port}: {reason}.") from None
    listening.listen(128)
    return listening


def https_server(application: ASGIApp, certificate: Path, announce: Callable[[], None]) -> AnnouncingServer:
    """
    Return a server of an application. Its ``run`` takes the listening sockets.

    :param application: the application.
    :param certificate: file with the server's certificate and key.
    :param announce: called as soon as requests are answered.
    """
    config = uvicorn.Config(
        application,
        http=BreakableProtocol,
        log_level="critical",
        access_log=False,
        lifespan="off",
        # A forwarded address would hide the connection that a fault is to break.
        proxy_headers=False,
        # A fault rule may set the date.
        date_header=False,
        server_header=False,
        ssl_certfile=str(certificate),
        timeout_graceful_shutdown=1,
    )
    return AnnouncingServer(config, announce)
