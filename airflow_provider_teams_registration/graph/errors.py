"""
What can go wrong between us and Microsoft Entra or Graph.

::

    TeamsRegistrationError
    ├── SettingsError            the connection or an argument cannot work as it stands
    ├── SignInError              Entra refused to give a token
    ├── ServiceUnreachable       no connection; nothing was sent            (transient)
    ├── AnswerLost               a write was sent; what came of it is not known
    └── GraphError               Graph answered, and the answer is no
        ├── BadRequest           400
        ├── Unauthorized         401, after one fresh token
        ├── Forbidden            403
        │   └── AccessPolicyMissing
        ├── NotFound             404
        ├── Conflict             409
        ├── Gone                 410
        ├── Throttled            429: not executed                          (transient)
        └── ServiceFailure       5xx in answer to a read                    (transient)

``str()`` of any of them is safe to log: it holds no token, no link and no e-mail address. Graph's own wording is kept
in ``message``, which may repeat what was sent; ``str()`` shows it with those parts blanked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

_PERSONAL = re.compile(
    r"https?://\S+"  # links
    r"|[^\s@'\"<>]+(?:'[^\s@'\"<>]+)*@[^\s@'\"<>]+\.[^\s@'\"<>]+"  # e-mail addresses, o'hara's too
    r"|eyJ[\w-]+\.[\w-]+\.?[\w-]*"  # tokens
)

_LONG = 4


def blank_personal(text: str, values: Iterable[str | None] = ()) -> str:
    """Return ``text``, percent-decoded, without links, e-mail addresses, tokens and the given values."""
    known = {value for value in values if value}
    text = _blank(unquote(_blank(text, known)), known | {unquote(value) for value in known})
    return _PERSONAL.sub("…", text)


def _blank(text: str, values: Iterable[str]) -> str:
    for value in sorted(values, key=len, reverse=True):
        # A short id stands by chance inside many a word and number.
        word = re.escape(value) if len(value) >= _LONG else rf"(?<!\w){re.escape(value)}(?!\w)"
        text = re.sub(word, "…", text, flags=re.IGNORECASE)
    return text


class TeamsRegistrationError(Exception):
    """
    Base of everything this package raises about Entra and Graph.

    :cvar transient: whether the same call may well succeed later without anybody changing anything.
    :ivar retry_after: seconds the service asks to wait, or None where it named none.
    """

    transient = False
    retry_after: float | None = None


class SettingsError(TeamsRegistrationError):
    """The connection or an argument cannot work as it stands; the sentence says which and what to do."""


class SignInError(TeamsRegistrationError):
    """
    Entra refused to give a token.

    :param code: Entra's error code, such as ``AADSTS7000215``, or its OAuth error name.
    :param advice: what to do about it.
    :param transient: whether Entra itself was in trouble.
    """

    def __init__(self, code: str, advice: str, *, transient: bool = False) -> None:
        super().__init__(f"Microsoft Entra gave no token ({code}). {advice}")
        self.code = code
        self.transient = transient


class ServiceUnreachable(TeamsRegistrationError):
    """No connection came about, so nothing was sent."""

    transient = True


class AnswerLost(TeamsRegistrationError):
    """
    A write was sent and its answer never came, broke off or is ambiguous: it may or may not have taken effect.

    :param what: what happened instead of an answer.
    :param status: the HTTP status, where there was one.
    :param request_id: Graph's id of the request, or ours where Graph named none.
    :param retry_after: seconds the service asks to wait, or None where it named none.
    """

    def __init__(
        self,
        what: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{what}; whether it took effect is not known" + _request_id(request_id))
        self.what = what
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after


class GraphError(TeamsRegistrationError):
    """
    Graph answered, and the answer is no.

    Service page: https://learn.microsoft.com/graph/errors

    :param status: HTTP status of the answer.
    :param code: Graph's error code; empty where the body held none.
    :param message: Graph's wording, as it came. It may repeat personal data: log ``str(error)`` instead.
    :param request_id: Graph's id of the request, for a support ticket.
    :param sent: the personal values that were sent; blanked in ``str(error)``.
    :ivar reason: status, code and wording in short, the same for everybody refused alike.
    """

    advice = ""

    def __init__(
        self,
        status: int,
        code: str = "",
        message: str = "",
        *,
        request_id: str | None = None,
        sent: Iterable[str | None] = (),
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.reason = " ".join(filter(None, [str(status), code])) + _wording(code, message, sent)
        super().__init__()
        self.advise(self.advice)

    def advise(self, advice: str) -> None:
        """Say what to do about it."""
        self.advice = advice
        self.args = (" ".join(filter(None, [self.reason, advice])) + _request_id(self.request_id),)


class BadRequest(GraphError):
    """400: Graph could not make sense of the request."""


class Unauthorized(GraphError):
    """401, and again with a fresh token."""

    advice = "Graph does not accept the token. Check tenant_id, base_url and authority."


class Forbidden(GraphError):
    """403: the token is good and may not do this."""

    advice = (
        "Check the consent of the app registration (OnlineMeetings.ReadWrite delegated, or "
        "OnlineMeetings.ReadWrite.All as an application), and that the caller is the meeting's organizer."
    )


class AccessPolicyMissing(Forbidden):
    """
    403 because no application access policy lets this app act for the organizer.

    Service page: https://learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy

    :param organizer_id: object id of the organizer in the path.
    :param client_id: the app's client id.
    """

    def __init__(self, error: GraphError, *, organizer_id: str | None, client_id: str) -> None:
        organizer = organizer_id or "<organizer's object id>"
        self.advice = (
            f"No application access policy lets app {client_id} act for organizer {organizer}. "
            "A Teams administrator grants it in PowerShell: "
            f'New-CsApplicationAccessPolicy -Identity TeamsRegistration -AppIds "{client_id}"; '
            f'Grant-CsApplicationAccessPolicy -PolicyName TeamsRegistration -Identity "{organizer}"; '
            "Get-CsApplicationAccessPolicy shows it. A grant takes up to 30 minutes to act."
        )
        super().__init__(error.status, error.code, request_id=error.request_id)
        self.message = error.message


class NotFound(GraphError):
    """404: no such thing, or not visible to the caller."""


class Conflict(GraphError):
    """409: Graph says that it clashes with what is there."""


class Gone(GraphError):
    """410: the API, or the thing, has been retired."""

    advice = "Microsoft announced the end of online meeting registration for 2024-12-12; webinars replace it."


class Throttled(GraphError):
    """429: too many requests. The request was not executed."""

    transient = True


class ServiceFailure(GraphError):
    """5xx in answer to a read."""

    transient = True


_BY_STATUS: Mapping[int, type[GraphError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    429: Throttled,
}


def graph_error(status: int, body: Any, *, request_id: str | None, sent: Iterable[str | None] = ()) -> GraphError:
    """
    Make the typed error for an answer that is not a success.

    :param status: HTTP status of the answer.
    :param body: the decoded body, of whatever shape; Graph's error object is read where it is one.
    :param request_id: the ``request-id`` header of the answer, if any.
    :param sent: the personal values that were sent.
    """
    found = body.get("error") if isinstance(body, dict) else None
    error = found if isinstance(found, dict) else {}
    inner = error.get("innerError") or error.get("innererror")
    inner_id = inner.get("request-id") if isinstance(inner, dict) else None
    kind = _BY_STATUS.get(status, ServiceFailure if status >= 500 else GraphError)
    return kind(
        status,
        str(error.get("code") or ""),
        str(error.get("message") or ""),
        request_id=request_id or inner_id,
        sent=tuple(sent),
    )


def longest_wait(errors: Iterable[TeamsRegistrationError]) -> float | None:
    """Return the most seconds that the service asks to wait in any of the errors; None where it names none."""
    return max((error.retry_after for error in errors if error.retry_after is not None), default=None)


def _request_id(request_id: str | None) -> str:
    return f" [request-id {request_id}]" if request_id else ""


def _wording(code: str, message: str, sent: Iterable[str | None]) -> str:
    safe = blank_personal(message, sent).strip()
    return f": {safe}" if safe and safe != code else ""
