"""Microsoft Entra as msal talks to it: answers that msal would misread are refused, and no error carries a secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msal
import requests

from airflow_provider_teams_registration.core.service_text import storable
from airflow_provider_teams_registration.exceptions import (
    ServiceUnreachable,
    SettingsError,
    SignInError,
    TeamsRegistrationError,
)
from airflow_provider_teams_registration.graph.secret import Secret, bare
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.graph.transport import HttpSession, connection_failure

T = TypeVar("T")

_LONGEST_LIFE = 86_400.0


class EntraAnswer:
    """
    What Entra answered. Its ``repr`` shows nothing, as it may hold tokens.

    :param fields: the answer, as msal returned it.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def secret(self, name: str) -> Secret | None:
        """Return a secret; None if Entra sent none."""
        value = self._fields.get(name)
        return Secret(value) if isinstance(value, str) and value else None

    def text(self, name: str, at_most: int = 1_000) -> str:
        """Return a text that is safe to show; empty if Entra sent none."""
        return storable(self._fields.get(name), at_most)

    def seconds(self, name: str) -> float:
        """Return a number of seconds, at most a day; 0 if Entra sent none."""
        digits = storable(self._fields.get(name))
        return min(float(digits), _LONGEST_LIFE) if digits.isascii() and digits.isdigit() else 0.0

    def fields(self) -> dict[str, Any]:
        """Return the answer as msal wants it back. It holds secrets."""
        return dict(self._fields)


class _NoTokens(msal.TokenCache):
    """msal's cache of tokens, which keeps none: they are kept in one place, for the whole process."""

    def add(self, event: Any, now: Any = None) -> None:
        """Forget a token."""


def client_application(settings: GraphSettings, http: HttpSession, credential: Callable[[], Any] | None) -> Any:
    """
    Return msal's application, which has asked Entra about the tenant.

    :param settings: the connection's settings.
    :param http: the session to reach Entra with.
    :param credential: returns what the application proves itself with, as msal's ``client_credential`` takes it; a
        local variable would show the secret. None for a public client, which proves nothing.
    :raises SettingsError: the tenant, the authority or the credential cannot work.
    :raises ServiceUnreachable: Entra could not be reached, or gave no readable answer.
    :raises SignInError: Entra is failing.
    """
    kind = msal.ConfidentialClientApplication if credential else msal.PublicClientApplication

    def make() -> Any:
        return kind(
            settings.client_id,
            client_credential=credential() if credential else None,
            authority=f"{settings.authority}/{settings.tenant_id}",
            instance_discovery=False if settings.disable_instance_discovery else None,
            http_client=_EntraHttp(http, settings.authority),
            token_cache=_NoTokens(),
        )

    useless = (
        f"Entra at {settings.authority} knows no tenant {settings.tenant_id!r}. Check tenant_id and authority."
        if settings.authority.lower().startswith("https://")
        else f"authority is {settings.authority!r}; it must begin with https://."
    )
    return _ask(settings.authority, make, useless)


def ask_entra(settings: GraphSettings, call: Callable[[], Mapping[str, Any]]) -> EntraAnswer:
    """
    Make a call of msal's, and turn what it raises into our own errors, which hold no frame of msal's.

    :param settings: the connection's settings, for the sentences.
    :param call: the call.
    :raises SettingsError: msal cannot make such a call.
    :raises SignInError: Entra is failing.
    :raises ServiceUnreachable: Entra could not be reached, or gave no readable answer.
    """
    useless = f"msal cannot ask {settings.authority} for such a token. Check the connection's scopes."
    return _ask(settings.authority, lambda: EntraAnswer(call()), useless)


def ask_identity(call: Callable[[], EntraAnswer], nowhere: str) -> EntraAnswer:
    """
    Ask this machine for a token of its managed identity; errors hold no frame of msal's.

    :param call: the call.
    :param nowhere: what to say where no endpoint answers as it should, without a full stop.
    :raises SignInError: the machine has no such identity, or its endpoint is failing.
    :raises ServiceUnreachable: there is no endpoint, or it cannot be read.
    """
    failure: TeamsRegistrationError
    try:
        return call()
    except TeamsRegistrationError as error:
        failure = bare(error)
    except (OSError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        failure = ServiceUnreachable(f"{nowhere} ({type(error).__name__}).")
    except BaseException as error:
        # A task's time limit strikes in the midst of it.
        raise bare(error)  # noqa: B904
    raise failure


def _ask(authority: str, call: Callable[[], T], useless: str) -> T:
    failure: TeamsRegistrationError
    try:
        return call()
    except TeamsRegistrationError as error:
        failure = bare(error)
    except requests.RequestException as error:
        # A token request may be repeated, so a broken answer is no worse than none.
        failure = connection_failure(authority, error) or ServiceUnreachable(
            f"{authority} broke off its answer ({type(error).__name__})."
        )
    except ValueError:
        failure = SettingsError(useless)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
        failure = _unreadable(authority, f"something that msal cannot read ({type(error).__name__})")
    except BaseException as error:
        # A task's time limit strikes in the midst of it.
        raise bare(error)  # noqa: B904
    # Not in the blocks above, where it would chain to an error whose frames hold the secrets that were sent.
    raise failure


def _unreadable(authority: str, what: str) -> ServiceUnreachable:
    return ServiceUnreachable(f"{authority} answered with {what}.")


@dataclass(frozen=True)
class Answer:
    """An answer in the shape that msal reads."""

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)

    def raise_for_status(self) -> None:
        """Do nothing: what msal may not read never gets here."""


class _EntraHttp:
    """
    The HTTP client of msal, which reads any answer below 500 as if it were Entra's, and logs what is no JSON.

    :param http: the session.
    :param authority: the Entra host, for the sentences.
    """

    def __init__(self, http: HttpSession, authority: str) -> None:
        self._http = http
        self._authority = authority

    def post(self, url: str, **kwargs: Any) -> Answer:
        """Post a form, which holds secrets."""
        return self._read(self._http.post(url, **kwargs), is_json_due=True)

    def get(self, url: str, **kwargs: Any) -> Answer:
        """Get a document."""
        return self._read(self._http.get(url, **kwargs), is_json_due=False)

    def close(self) -> None:
        """Leave the session open: it is everybody's."""

    def _read(self, response: requests.Response, *, is_json_due: bool) -> Answer:
        status = response.status_code
        if status >= 500:
            raise SignInError("server error", "Entra is failing; try again later.", transient=True)
        if status == requests.codes.too_many_requests:
            raise SignInError("too many requests", "Entra asks to wait; try again later.", transient=True)
        if 300 <= status < 400:
            raise _unreadable(
                self._authority, f"a redirect ({status}), which is never followed. Check authority and the proxies"
            )
        answer = Answer(status, response.headers, response.content.decode(errors="replace"))
        if status == requests.codes.ok or is_json_due:
            problem = problem_of(answer)
            if problem:
                raise _unreadable(self._authority, problem)
        return answer


def problem_of(answer: Answer) -> str | None:
    """Return what msal could not make sense of, if anything."""
    try:
        found = json.loads(answer.text)
    except (ValueError, RecursionError):
        return "something else than JSON"
    if not isinstance(found, dict):
        return "something else than a JSON object"
    is_number = str(found.get("expires_in", 0)).isascii() and str(found.get("expires_in", 0)).isdigit()
    tokens = [found[name] for name in ("access_token", "refresh_token", "id_token") if name in found]
    return None if is_number and all(isinstance(token, str) for token in tokens) else "something else than a token"
