"""Connections of the server, and answers that break them or arrive slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

Message = MutableMapping[str, Any]

# Keyed by both ends, because one client port may be connected to two emulators at once.
_transports: dict[tuple[Any, Any], asyncio.Transport] = {}


class BreakableProtocol(H11Protocol):
    """Uvicorn's protocol, which lets :class:`BrokenResponse` reach its connections."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._ends = transport.get_extra_info("sockname")[:2], transport.get_extra_info("peername")[:2]
        _transports[self._ends] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _transports.pop(self._ends, None)
        super().connection_lost(exc)


class BrokenResponse(Response):
    """
    An answer that never arrives completely, because the connection breaks.

    :param content: the body of the complete answer.
    :param status_code: the status of the complete answer.
    :param headers: the headers of the complete answer.
    :param is_half: whether the headers and half of the body are sent first.
    """

    def __init__(self, content: bytes, status_code: int, headers: Mapping[str, str], *, is_half: bool) -> None:
        super().__init__(content, status_code, dict(headers))
        self._is_half = is_half

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Send nothing or half of the answer, then break the connection."""
        transport = _transports[tuple(scope["server"]), tuple(scope["client"])]
        # Half of an empty body would be the complete answer.
        if self._is_half and self.body:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            half = bytes(self.body)[: len(self.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            transport.close()
        else:
            transport.abort()
        await _disconnected(receive)


class DrippingResponse(Response):
    """
    An answer that arrives one byte at a time, until the client closes the connection.

    :param content: the body.
    :param status_code: the status.
    :param headers: the headers.
    :param pause: seconds between two bytes.
    :param drips_head: whether the status line and the headers arrive byte by byte as well.
    """

    def __init__(
        self, content: bytes, status_code: int, headers: Mapping[str, str], *, pause: float, drips_head: bool
    ) -> None:
        super().__init__(content, status_code, dict(headers))
        self._pause = pause
        self._drips_head = drips_head

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Send the answer byte by byte."""
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            if self._drips_head:
                await self._drip_all(_transports[tuple(scope["server"]), tuple(scope["client"])], gone)
                return
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for byte in self._bytes(bytes(self.body)):
                await send({"type": "http.response.body", "body": byte, "more_body": True})
                if await self._is_over(gone):
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

    async def _drip_all(self, transport: asyncio.Transport, gone: asyncio.Future[None]) -> None:
        # Uvicorn does not see this answer, so the connection cannot be used again.
        headers = [*self.raw_headers, (b"connection", b"close")]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        for byte in self._bytes(b"HTTP/1.1 %d \r\n%s\r\n%s" % (self.status_code, head, bytes(self.body))):
            transport.write(byte)
            if await self._is_over(gone):
                return
        transport.close()
        await gone

    async def _is_over(self, gone: asyncio.Future[None]) -> bool:
        await asyncio.wait([gone], timeout=self._pause)
        return gone.done()

    @staticmethod
    def _bytes(content: bytes) -> Iterator[bytes]:
        return (content[place : place + 1] for place in range(len(content)))


async def _disconnected(receive: Callable[[], Awaitable[Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
