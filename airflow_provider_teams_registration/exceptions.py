"""
The errors of this package.

::

    TeamsRegistrationError
    ├── SettingsError            the connection or an argument cannot work unchanged
    ├── SignInError              Entra refused to give a token
    ├── ServiceUnreachable       no connection; nothing was sent            (transient)
    ├── Stopped                  the task ends; nothing was sent            (transient)
    ├── AnswerLost               a write was sent; whether it took effect is not known
    ├── Fenced                   a newer attempt of the same task has started
    ├── LedgerFailure            the ledger cannot be read or written       (transient, or not)
    └── GraphError               Graph refused the request
        ├── BadRequest           400
        ├── Unauthorized         401, after one fresh token
        ├── Forbidden            403
        │   └── AccessPolicyMissing
        ├── NotFound             404
        ├── Conflict             409
        ├── Gone                 410
        ├── Throttled            429: not executed                          (transient)
        └── ServiceFailure       5xx in answer to a read                    (transient)
            └── Redirected       3xx in answer to a read                    (transient)

Modules define subclasses of these for their own use. ``str()`` of any of them is safe to log: it holds no token, no
link and no e-mail address. Graph's own wording is kept in ``message``, which may repeat what was sent; ``str()`` shows
it with those parts blanked. Texts of the service are shortened, and hold only characters that a database can store.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from airflow_provider_teams_registration.core.service_text import LONGEST_WORDING, storable
from airflow_provider_teams_registration.core.service_text import blank_personal as blank_personal


class TeamsRegistrationError(Exception):
    """
    Base of everything this package raises about Entra and Graph.

    :cvar transient: whether the same call may succeed later although nobody changes anything.
    :ivar retry_after: seconds that the service asks to wait; None if it names none.
    """

    transient = False
    retry_after: float | None = None


class SettingsError(TeamsRegistrationError):
    """The connection or an argument cannot work unchanged. The sentence says which one, and what to do."""


class SignInError(TeamsRegistrationError):
    """
    Entra refused to give a token.

    :param code: Entra's error code, such as ``AADSTS7000215``, or its OAuth error name.
    :param advice: what to do about it.
    :param transient: whether Entra itself is failing, so that a retry may help.
    """

    def __init__(self, code: str, advice: str, *, transient: bool = False) -> None:
        super().__init__(f"Microsoft Entra gave no token ({code}). {advice}")
        self.code = code
        self.transient = transient


class ServiceUnreachable(TeamsRegistrationError):
    """The service was out of reach, so nothing was sent."""

    transient = True


class Stopped(TeamsRegistrationError):
    """The task was asked to stop, or ended, before this request was sent."""

    transient = True

    def __init__(self) -> None:
        super().__init__("The task was asked to stop.")


class AnswerLost(TeamsRegistrationError):
    """
    A write was sent, and its answer was lost, broke off or is ambiguous. The write may have taken effect or not.

    :param what: what happened instead of an answer.
    :param status: the HTTP status; None without an answer.
    :param request_id: Graph's id of the request, or ours if Graph names none.
    :param retry_after: seconds that the service asks to wait; None if it names none.
    """

    def __init__(
        self,
        what: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.request_id = storable(request_id) or None
        super().__init__(f"{what}; whether it took effect is not known" + _request_id(self.request_id))
        self.what = what
        self.status = status
        self.retry_after = retry_after


class GraphError(TeamsRegistrationError):
    """
    Graph refused the request.

    Service page: https://learn.microsoft.com/graph/errors

    :param status: HTTP status of the answer.
    :param code: Graph's error code; empty if the body holds none.
    :param message: Graph's wording. The error keeps 4,000 characters. It may repeat personal data: log ``str(error)``
        instead.
    :param request_id: Graph's id of the request, for a support ticket.
    :param sent: the personal values that were sent; blanked in ``str(error)``.
    :ivar reason: status, code and wording in short, the same for everybody refused alike.
    :ivar refused_together: how many requests of a batch were refused with this one answer, none of which was executed;
        0 if the answer refuses one request.
    """

    advice = ""
    refused_together = 0

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
        self.code = storable(code)
        self.message = storable(message, LONGEST_WORDING)
        self.request_id = storable(request_id) or None
        # A code is the service's text as well: it may repeat what was sent.
        shown = blank_personal(self.code, sent)
        self.reason = " ".join(filter(None, [str(status), shown])) + _wording(shown, message, sent)
        super().__init__()
        self.advise(self.advice)

    def advise(self, advice: str) -> None:
        """Say what to do about it."""
        self.advice = advice
        self.args = (" ".join(filter(None, [self.reason, advice])) + _request_id(self.request_id),)


class BadRequest(GraphError):
    """400: Graph did not understand the request."""


class Unauthorized(GraphError):
    """401, although the request was repeated with a new token."""

    advice = "Graph does not accept the token. Check tenant_id, base_url and authority."


class Forbidden(GraphError):
    """403: Graph accepts the token, and its permissions do not allow the request."""

    advice = (
        "Check the consent of the app registration (OnlineMeetings.ReadWrite delegated, or "
        "OnlineMeetings.ReadWrite.All as an application), and that the caller is the meeting's organizer."
    )


NO_CLIENT_ID = "<application (client) id>"
NO_ORGANIZER_ID = "<organizer's object id>"
_ON_THE_USER = re.compile(r"on the user '?([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})", re.IGNORECASE)
_POLICY_WORDINGS = ("application access policy", "not allowed to perform operations on the user")


def grant_access_policy(client_id: str, organizer_id: str | None) -> str:
    """
    Return the sentences that say how a Teams administrator grants an application access policy.

    Service page: https://learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy

    :param client_id: the app's client id; empty where it is not known.
    :param organizer_id: object id of the organizer; None where it is not known.
    """
    return (
        "A Teams administrator grants it in PowerShell: "
        f'New-CsApplicationAccessPolicy -Identity TeamsRegistration -AppIds "{client_id or NO_CLIENT_ID}"; '
        f'Grant-CsApplicationAccessPolicy -PolicyName TeamsRegistration -Identity "{organizer_id or NO_ORGANIZER_ID}"; '
        "Get-CsApplicationAccessPolicy shows it. A grant takes up to 30 minutes to act."
    )


def names_access_policy(error: GraphError) -> bool:
    """Return whether a refusal of an application says that the organizer's access policy is missing."""
    return error.status == 403 and any(words in error.message.lower() for words in _POLICY_WORDINGS)


def organizer_named(error: GraphError) -> str | None:
    """Return the object id of the organizer that such a refusal names; None where it names none."""
    found = _ON_THE_USER.search(error.message)
    return found and found.group(1)


class AccessPolicyMissing(Forbidden):
    """
    403 because no application access policy lets this app act for the organizer.

    Service page: https://learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy

    :param organizer_id: object id of the organizer in the path.
    :param client_id: the app's client id.
    """

    def __init__(self, error: GraphError, *, organizer_id: str | None, client_id: str) -> None:
        organizer = organizer_id or NO_ORGANIZER_ID
        self.advice = (
            f"No application access policy lets app {client_id or NO_CLIENT_ID} act for organizer {organizer}. "
            f"{grant_access_policy(client_id, organizer_id)}"
        )
        super().__init__(error.status, error.code, request_id=error.request_id)
        self.message = error.message
        self.refused_together = error.refused_together


class NotFound(GraphError):
    """404: the resource does not exist, or the caller cannot see it."""


class Conflict(GraphError):
    """409: the request conflicts with existing data."""


class Gone(GraphError):
    """410: the API or the resource has been retired."""

    advice = "Microsoft announced the end of online meeting registration for 2024-12-12; webinars replace it."


class Throttled(GraphError):
    """429: too many requests. The request was not executed."""

    transient = True


class ServiceFailure(GraphError):
    """5xx in answer to a read."""

    transient = True


class Redirected(ServiceFailure):
    """3xx in answer to a read. Redirects are not followed, because the token would reach another host."""

    advice = "This is a redirect, which is never followed. Check base_url and the proxies."


class Fenced(TeamsRegistrationError):
    """A newer attempt of the same task has started. This attempt must not send any more."""


class LedgerFailure(TeamsRegistrationError):
    """
    The ledger cannot be read or written.

    :param said: what failed and, if a retry does not help, what to change. It holds no value of any row.
    :param transient: whether a retry is likely to succeed. Default True.
    """

    def __init__(self, said: str, *, transient: bool = True) -> None:
        super().__init__(said)
        self.transient = transient


def longest_wait(errors: Iterable[TeamsRegistrationError]) -> float | None:
    """Return the longest wait, in seconds, that any of the errors asks for; None if no error asks for one."""
    return max((error.retry_after for error in errors if error.retry_after is not None), default=None)


def _request_id(request_id: str | None) -> str:
    return f" [request-id {request_id}]" if request_id else ""


def _wording(code: str, message: str, sent: Iterable[str | None]) -> str:
    safe = blank_personal(message, sent).strip()
    return f": {safe}" if safe and safe != code else ""
