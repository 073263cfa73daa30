"""What a session needs to know of one connection, already read and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_teams_registration.graph.backoff import Backoff

GLOBAL_AUTHORITY = "https://login.microsoftonline.com"
GLOBAL_BASE_URL = "https://graph.microsoft.com"
DEFAULT_TIMEOUT = 30.0
DEFAULT_WRITE_LIMIT = 15
DEFAULT_WRITE_WINDOW = 30.0

AUTH_CHOICES = ("client_secret", "certificate", "workload_identity", "managed_identity", "default", "refresh_token")

_GRAPH_HOSTS = frozenset(
    {
        "graph.microsoft.com",
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
    }
)


@dataclass(frozen=True)
class GraphSettings:
    """
    One connection's settings.

    :param tenant_id: directory (tenant) id or domain; empty for a managed identity.
    :param client_id: application (client) id; for a managed identity that of the user-assigned one, or empty.
    :param client_secret: the app's secret; may be absent for a public client with a refresh token.
    :param auth: how to sign in: one of :data:`AUTH_CHOICES`.
    :param refresh_token: the signed-in organizer's refresh token, for ``auth="refresh_token"``.
    :param certificate_path: the file of the key and the certificate, for ``auth="certificate"``.
    :param certificate_data: the same as a text, where there is no file.
    :param certificate_passphrase: what the key is encrypted with; None where it is not.
    :param federated_token_file: the file of the platform's token, for ``auth="workload_identity"``.
    :param authority: address of the Entra host, without the tenant, as
        :func:`~airflow_provider_teams_registration.graph.address.service_address` spells it.
    :param base_url: address of the Graph host, without the version, in the same spelling.
    :param verify: True for public certificates, False for none, or the path of a CA file; None leaves it to the
        environment (``REQUESTS_CA_BUNDLE``). Anything but None wins over the environment.
    :param proxies: proxies and exceptions, as
        :func:`~airflow_provider_teams_registration.graph.proxies.read_proxies` reads them; None leaves them to the
        environment.
    :param timeout: seconds for one HTTP call: connection, request and answer together.
    :param scopes: scopes to ask for; empty asks for ``.default`` of the Graph host.
    :param disable_instance_discovery: do not ask the global Entra host whether ``authority`` is known to it.
    :param write_limit: how many writes to webinars the service takes from the application in ``write_window``.
    :param write_window: seconds.
    :param backoff: the waits where the service names none.
    """

    tenant_id: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    auth: str = "client_secret"
    refresh_token: str | None = field(default=None, repr=False)
    certificate_path: str | None = field(default=None, repr=False)
    certificate_data: str | None = field(default=None, repr=False)
    certificate_passphrase: str | None = field(default=None, repr=False)
    federated_token_file: str | None = field(default=None, repr=False)
    authority: str = GLOBAL_AUTHORITY
    base_url: str = GLOBAL_BASE_URL
    verify: bool | str | None = None
    proxies: Mapping[str, Any] | None = field(default=None, repr=False)
    timeout: float = DEFAULT_TIMEOUT
    scopes: tuple[str, ...] = ()
    disable_instance_discovery: bool = False
    write_limit: int = DEFAULT_WRITE_LIMIT
    write_window: float = DEFAULT_WRITE_WINDOW
    backoff: Backoff = field(default_factory=Backoff)

    @property
    def signs_in_a_user(self) -> bool:
        """Whether tokens are a user's; only then is there a ``/me``."""
        return self.auth == "refresh_token"

    @property
    def quota_key(self) -> str:
        """A hash that all connections of one app have in common, because the service counts the writes of an app."""
        return hashlib.sha256("\0".join([self.base_url, self.tenant_id, self.client_id]).encode()).hexdigest()

    @property
    def token_scopes(self) -> list[str]:
        """The scopes to ask Entra for. A gateway in front of Graph still wants tokens made out to Graph."""
        if self.scopes:
            return list(self.scopes)
        host = urlsplit(self.base_url).hostname
        return [f"https://{host}/.default" if host in _GRAPH_HOSTS else f"{GLOBAL_BASE_URL}/.default"]

    @property
    def token_resource(self) -> str:
        """The service to ask a managed identity's token for: the scope's, without its last part."""
        return self.token_scopes[0].removesuffix("/.default")
