"""The server's connections, and how to break them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

Message = MutableMapping[str, Any]

# By both ends: one client port may be connected to two emulators at once.
_transports: dict[tuple[Any, Any], asyncio.Transport] = {}


class BreakableProtocol(H11Protocol):
    """Uvicorn's protocol, with its connections within reach of :class:`BrokenResponse`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._ends = transport.get_extra_info("sockname")[:2], transport.get_extra_info("peername")[:2]
        _transports[self._ends] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _transports.pop(self._ends, None)
        super().connection_lost(exc)


class BrokenResponse(Response):
    """
    An answer that never arrives whole.

    :param content: the body it would have had.
    :param status_code: the status it would have had.
    :param is_half: send the headers and half of the body first.
    """

    def __init__(self, content: bytes, status_code: int, *, is_half: bool) -> None:
        super().__init__(content, status_code, media_type="application/json")
        self._is_half = is_half

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Send what is to arrive, then break the connection."""
        transport = _transports[tuple(scope["server"]), tuple(scope["client"])]
        # Half of an empty answer would be all of it.
        if self._is_half and self.body:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            half = bytes(self.body)[: len(self.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            transport.close()
        else:
            transport.abort()
        while (await receive())["type"] != "http.disconnect":
            continue
