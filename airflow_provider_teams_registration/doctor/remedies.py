"""
What to do about what is missing, ready to paste.

Service pages: https://learn.microsoft.com/entra/identity-platform/v2-admin-consent and
https://learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_provider_teams_registration.doctor.permissions import APPLICATION_IDS, DELEGATED_IDS
from airflow_provider_teams_registration.exceptions import NO_CLIENT_ID, grant_access_policy

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.credentials.token import Token
    from airflow_provider_teams_registration.graph.settings import GraphSettings

_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
_NO_TENANT_ID = "<tenant id>"


class Remedies:
    """
    Writes remedies with one connection's ids filled in.

    :param settings: the connection's settings.
    :param token: its token.
    """

    def __init__(self, settings: GraphSettings, token: Token) -> None:
        self._settings = settings
        self._is_delegated = settings.signs_in_a_user
        # A managed identity's client id may stand in its token only.
        self._client_id = settings.client_id or token.client_id or ""
        self._tenant_id = settings.tenant_id or token.tenant_id or _NO_TENANT_ID

    def grant(self, permission: str) -> str:
        """Return how to grant a permission to whom the token is of."""
        if self._settings.auth == "managed_identity":
            return self._grant_to_identity(permission)
        kind, ids = ("Scope", DELEGATED_IDS) if self._is_delegated else ("Role", APPLICATION_IDS)
        client_id = self._client_id or NO_CLIENT_ID
        page = "Delegated permissions" if self._is_delegated else "Application permissions"
        return (
            f"az ad app permission add --id {client_id} --api {_GRAPH_APP_ID} --api-permissions "
            f"{ids[permission]}={kind} (in the Entra admin center: App registrations > {client_id} > API permissions > "
            f"Add a permission > Microsoft Graph > {page} > {permission}). {self._consent(permission)}"
        )

    def policy(self, organizer_id: str | None) -> str:
        """
        Return how to let the app act for an organizer.

        :param organizer_id: object id of the organizer; None where it is not known.
        """
        return grant_access_policy(self._client_id, organizer_id)

    def event_consent(self, permission: str) -> str:
        """
        Return how to give the app a permission for one event (resource-specific consent).

        :param permission: the event's own permission.
        """
        return (
            f"teams-registration teams-app --client-id {self._client_id or NO_CLIENT_ID} makes a Teams app that asks "
            f"for {permission}. A Teams administrator uploads it. Then the organizer adds it to the event's chat, or "
            "ConsentForEventOperator does. https://learn.microsoft.com/graph/"
            "cloud-communications-virtual-events-webinar-usecases"
        )

    def sign_in_again(self) -> str:
        """Return how the organizer signs in again."""
        return (
            f"The event's organizer signs in: teams-registration refresh-token --tenant-id {self._tenant_id} "
            f"--client-id {self._client_id or NO_CLIENT_ID} (the refresh token goes into the connection)."
        )

    def _consent(self, permission: str) -> str:
        address = (
            f"{self._settings.authority}/{quote(self._tenant_id, safe='<>')}/adminconsent"
            f"?client_id={quote(self._client_id or NO_CLIENT_ID, safe='<>')}"
        )
        consent = f"Then an administrator consents at {address}"
        if not self._is_delegated:
            return consent
        if not permission.startswith("VirtualEvent."):
            return f"Then: {self.sign_in_again()}"
        return f"{consent} . {self.sign_in_again()}"

    def _grant_to_identity(self, permission: str) -> str:
        """Return how: an identity has no app registration, and what it is assigned is granted."""
        return (
            f"$identity = Get-MgServicePrincipal -Filter \"appId eq '{self._client_id or NO_CLIENT_ID}'\"; "
            f"$graph = Get-MgServicePrincipal -Filter \"appId eq '{_GRAPH_APP_ID}'\"; "
            "New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $identity.Id -PrincipalId $identity.Id "
            f"-ResourceId $graph.Id -AppRoleId {APPLICATION_IDS[permission]} # {permission}"
        )
