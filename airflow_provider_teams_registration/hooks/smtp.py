"""A mail server, as any Airflow connection of the smtp provider reaches it."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException, BaseHook

from airflow_provider_teams_registration.hooks.missing_connection import unknown_connection
from airflow_provider_teams_registration.mail.sender import MailServerFailure


def connect_with(smtp_conn_id: str) -> Callable[[], smtplib.SMTP]:
    """
    Return a function that opens a connection to the mail server and signs in, by password or OAuth2.

    Each call makes a hook of its own, so a connection that is opened anew signs in with a fresh token.

    :param smtp_conn_id: the Airflow connection, of type ``smtp``.
    """
    hook_class = _hook_class()

    def connect() -> smtplib.SMTP:
        failure: MailServerFailure
        try:
            hook = hook_class(smtp_conn_id=smtp_conn_id).get_conn()
            # The attribute lost its public name in the course of the provider's versions.
            client = getattr(hook, "_smtp_client", None) or getattr(hook, "smtp_client", None)
            if isinstance(client, smtplib.SMTP):
                client.set_debuglevel(0)
                _sign_in_after_greeting(hook, client)
                return client
            failure = MailServerFailure(
                "The hook of this version of apache-airflow-providers-smtp holds no SMTP client where this provider "
                "looks for it. Install another version.",
                transient=False,
            )
        except Exception as error:
            failure = _failure(error, smtp_conn_id)
        # Raised out here, the error carries nothing of what the mail server said.
        raise failure

    return connect


def sender_of(smtp_conn_id: str) -> str | None:
    """
    Return the address that a connection sends from: its extra ``from_email``, or else its login if that is an address.

    :param smtp_conn_id: the Airflow connection.
    :raises MailServerFailure: there is no such connection.
    """
    try:
        connection: Any = BaseHook.get_connection(smtp_conn_id)
    except AirflowNotFoundException:
        raise _no_connection(smtp_conn_id) from None
    named = connection.extra_dejson.get("from_email")
    if isinstance(named, str) and named.strip():
        return named
    login: str | None = connection.login
    return login if login and "@" in login else None


def _sign_in_after_greeting(hook: Any, client: smtplib.SMTP) -> None:
    """
    Sign in by OAuth2 if the hook did so before it sent EHLO, as over implicit TLS.

    A mail server answers 503 to that, and smtplib takes 503 for "signed in already".
    """
    if getattr(hook, "auth_type", "") != "oauth2" or client.ehlo_resp is not None:
        return
    client.ehlo()
    user = hook.smtp_user or hook.from_email
    client.auth("XOAUTH2", lambda _=None: f"user={user}\x01auth=Bearer {hook.access_token}\x01\x01")


def _hook_class() -> Any:
    try:
        from airflow.providers.smtp.hooks.smtp import SmtpHook
    except ImportError:
        raise MailServerFailure(
            "The package apache-airflow-providers-smtp is not installed. Install airflow-provider-teams-registration"
            "[mail].",
            transient=False,
        ) from None
    return SmtpHook


def _failure(error: Exception, smtp_conn_id: str) -> MailServerFailure:
    """Return the failure without the server's own words, which may repeat a login or an address."""
    if isinstance(error, AirflowNotFoundException) or "connection is not found" in str(error):
        return _no_connection(smtp_conn_id)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return MailServerFailure(
            f"The mail server refused the sign-in ({error.smtp_code}). Correct login, password or OAuth2 fields of "
            f"the connection {smtp_conn_id!r}.",
            transient=400 <= error.smtp_code < 500,
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return MailServerFailure(
            f"The mail server does not offer TLS or the sign-in that the connection {smtp_conn_id!r} asks for.",
            transient=False,
        )
    if isinstance(error, AirflowException) and ("oauth2" in str(error).lower() or "access token" in str(error)):
        return MailServerFailure(
            f"There is no OAuth2 token for the connection {smtp_conn_id!r}. Its extra takes access_token, or client_id "
            "and client_secret with tenant_id and scope. Its login, or from_email, names the mailbox.",
            transient=False,
        )
    code = getattr(error, "smtp_code", None)
    said = f"{type(error).__name__} ({code})" if isinstance(code, int) else type(error).__name__
    is_of_settings = isinstance(error, ValueError | TypeError | RuntimeError)
    return MailServerFailure(
        f"The mail server of the connection {smtp_conn_id!r} is out of reach: {said}.", transient=not is_of_settings
    )


def _no_connection(smtp_conn_id: str) -> MailServerFailure:
    return MailServerFailure(
        f"{unknown_connection('smtp_conn_id', smtp_conn_id)}. Create it with: airflow connections add {smtp_conn_id} "
        "--conn-type smtp --conn-host HOST",
        transient=False,
    )
