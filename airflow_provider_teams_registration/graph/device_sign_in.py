"""Signing in once, by hand, for a refresh token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_teams_registration.graph.credentials import answering, refusal
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
    import msal

    with answering(settings):
        app = msal.PublicClientApplication(
            settings.client_id,
            authority=f"{settings.authority}/{settings.tenant_id}",
            instance_discovery=False if settings.disable_instance_discovery else None,
            http_client=HttpSession(settings),
        )
        flow: dict[str, Any] = app.initiate_device_flow(SCOPES)
        if "user_code" not in flow:
            raise refusal(flow)
        say(flow["message"])
        answer: dict[str, Any] = app.acquire_token_by_device_flow(flow)
    if "refresh_token" not in answer:
        raise refusal(answer)
    return str(answer["refresh_token"])
