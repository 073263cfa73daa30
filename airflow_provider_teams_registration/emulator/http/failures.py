"""Failures of the emulator itself: they are logged and answered with a 500 in Graph's form."""

from __future__ import annotations

import logging
import traceback
import uuid

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_teams_registration.emulator.http.messages import GraphAnswer, identified, refusal

_log = logging.getLogger(__name__)


def failed(error: Exception, request_id: str) -> GraphAnswer:
    """
    Log a failure, and return the answer.

    :param error: the exception.
    :param request_id: the id that the answer, the journal and the log have in common.
    """
    # The message of an exception may quote people's data. The traceback's lines do not.
    place = "".join(traceback.format_tb(error.__traceback__))
    _log.error("The emulator failed to answer request %s: %s\n%s", request_id, type(error).__name__, place)
    return refusal(500, "InternalServerError", "The emulator failed to answer. Its log says where.")


class AnswersFailures:
    """
    ASGI middleware that answers 500 if the application raises an exception.

    Starlette's own handler raises the exception again, and uvicorn then breaks the connection.

    :param app: the wrapped application; Starlette passes it by this name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, or answer 500."""
        has_begun = False

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except ClientDisconnect:
            # The client has left.
            return
        except Exception as error:
            request_id = str(uuid.uuid4())
            said = identified(failed(error, request_id), request_id, Headers(scope=scope).get("client-request-id"))
            if has_begun:
                # A part of the answer was sent already. The broken connection tells the client.
                raise
            await JSONResponse(said.body, said.status, said.headers)(scope, receive, send)
