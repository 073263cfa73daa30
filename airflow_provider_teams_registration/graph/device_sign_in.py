"""Signing in once, by hand, for a refresh token."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_teams_registration.graph.credentials.refusal import refusal
from airflow_provider_teams_registration.graph.entra import ask_entra, client_application
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.graph.transport import HttpSession

SCOPES = ["https://graph.microsoft.com/OnlineMeetings.ReadWrite"]


def refresh_token(settings: GraphSettings, say: Callable[[str], None]) -> str:
    """
    Let somebody sign in with a code on any device, and return their refresh token, a secret.

    Service page: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code

    :param settings: tenant, client and authority; the app registration must allow public client flows.
    :param say: told what the person has to do.
    :raises SettingsError: the tenant or authority cannot work.
    :raises SignInError: Entra refused, or nobody signed in.
    :raises ServiceUnreachable: Entra could not be reached.
    """
    http = HttpSession(settings)
    app = client_application(settings, http, None)
    flow = ask_entra(settings, lambda: app.initiate_device_flow(SCOPES))
    if not flow.text("user_code"):
        raise refusal(flow)
    say(flow.text("message"))
    answer = ask_entra(settings, lambda: app.acquire_token_by_device_flow(flow.fields()))
    token = answer.secret("refresh_token")
    if token is None:
        raise refusal(answer)
    return token
