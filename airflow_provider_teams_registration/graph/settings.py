"""What a session needs to know of one connection, already read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

GLOBAL_AUTHORITY = "https://login.microsoftonline.com"
GLOBAL_BASE_URL = "https://graph.microsoft.com"
DEFAULT_TIMEOUT = 30.0
DEFAULT_WRITE_LIMIT = 15
DEFAULT_WRITE_WINDOW = 30.0

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

    :param tenant_id: directory (tenant) id or domain.
    :param client_id: application (client) id.
    :param client_secret: the app's secret; may be absent for a public client with a refresh token.
    :param auth: how to sign in: ``client_secret`` or ``refresh_token``.
    :param refresh_token: the signed-in organizer's refresh token, for ``auth="refresh_token"``.
    :param authority: address of the Entra host, without the tenant.
    :param base_url: address of the Graph host, without the version.
    :param verify: True for public certificates, False for none, or the path of a CA file; None leaves it to the
        environment (``REQUESTS_CA_BUNDLE``). Anything but None wins over the environment.
    :param proxies: proxies by scheme (``http``, ``https``, ``all``) and ``no_proxy``; None leaves them to the
        environment.
    :param timeout: seconds to wait for a connection, and then for each answer.
    :param scopes: scopes to ask for; empty asks for ``.default`` of the Graph host.
    :param disable_instance_discovery: do not ask the global Entra host whether ``authority`` is known to it.
    :param write_limit: how many writes to webinars the service takes from the application in ``write_window``.
    :param write_window: seconds.
    """

    tenant_id: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    auth: str = "client_secret"
    refresh_token: str | None = field(default=None, repr=False)
    authority: str = GLOBAL_AUTHORITY
    base_url: str = GLOBAL_BASE_URL
    verify: bool | str | None = None
    proxies: Mapping[str, str] | None = field(default=None, repr=False)
    timeout: float = DEFAULT_TIMEOUT
    scopes: tuple[str, ...] = ()
    disable_instance_discovery: bool = False
    write_limit: int = DEFAULT_WRITE_LIMIT
    write_window: float = DEFAULT_WRITE_WINDOW

    @property
    def signs_in_a_user(self) -> bool:
        """Whether tokens are a user's; only then is there a ``/me``."""
        return self.auth == "refresh_token"

    @property
    def token_scopes(self) -> list[str]:
        """The scopes to ask Entra for. A gateway in front of Graph still wants tokens made out to Graph."""
        if self.scopes:
            return list(self.scopes)
        known = urlsplit(self.base_url).hostname in _GRAPH_HOSTS
        return [f"{self.base_url if known else GLOBAL_BASE_URL}/.default"]
