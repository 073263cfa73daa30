"""How the admin API reads a request strictly, and refuses one with a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, RedirectResponse, Response

from airflow_provider_teams_registration.emulator.http.json_text import UnreadableJson, read_json

# Clients must cope with half of a surrogate pair, so a fault rule may make the emulator send one.
_MAY_LIE = "/emulator/faults"
_READING = ("GET", "HEAD", "OPTIONS")


class AsciiJSONResponse(JSONResponse):
    """JSON in ASCII, because a fault rule may contain half of a surrogate pair, which UTF-8 cannot encode."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return json.dumps(content, allow_nan=False).encode()


class AdminRoute(APIRoute):
    """A route that reads its body strictly, and refuses changes by a page of another site."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that answers."""
        answer = super().get_route_handler()

        async def answer_strictly(request: Request) -> Response:
            _refuse_foreign_page(request)
            return await answer(_StrictRequest(request.scope, request.receive))

        return answer_strictly


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            return read_json(await self.body(), allows_half_surrogates=self.url.path == _MAY_LIE)
        except UnreadableJson as error:
            raise HTTPException(422, str(error)) from None


def done(request: Request) -> Response:
    """Return 204. A browser that submitted a form of the page is led back to the page instead."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/", 303)
    return Response(status_code=204)


def unusable(why: object) -> Response:
    """Return 422 with the reason."""
    return refused(422, why)


def refused(status: int, why: object) -> Response:
    """Return a refusal with the reason."""
    return AsciiJSONResponse({"error": str(why)}, status)


def wrong_parts(error: RequestValidationError) -> str:
    """Return what is wrong with each part of a request. The text quotes names, but no values."""
    return " ".join(dict.fromkeys(_wrong_part(one["loc"][1:], one["msg"]) for one in error.errors()))


def _wrong_part(place: tuple[str | int, ...], why: str) -> str:
    if not place:
        return "The body must be a JSON object, sent with Content-Type: application/json."
    return f"{'.'.join(str(part) for part in place)}: {why}."


def _refuse_foreign_page(request: Request) -> None:
    """
    Refuse a request that a page of another site sends through the browser of a person who can reach the emulator.

    :raises HTTPException: 403.
    """
    origin, own = request.headers.get("origin"), f"{request.base_url.scheme}://{request.base_url.netloc}"
    if request.method not in _READING and origin is not None and origin.lower() != own.lower():
        raise HTTPException(
            403,
            f"The Origin header names another site than {own}, so nothing was changed. Only the emulator's own page, "
            "and programs that send no Origin, may change anything.",
        )
