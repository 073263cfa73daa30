"""
Microsoft's national clouds, and what does not exist in them.

Service page: https://learn.microsoft.com/graph/deployments
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.graph.settings import GraphSettings

_US_L4 = "US Government L4 (GCC High)"
_US_L5 = "US Government L5 (DoD)"
_CHINA = "China (21Vianet)"
_GRAPH = {
    "graph.microsoft.us": _US_L4,
    "dod-graph.microsoft.us": _US_L5,
    "microsoftgraph.chinacloudapi.cn": _CHINA,
}
_ENTRA = {
    "login.microsoftonline.us": (_US_L4, _US_L5),
    "login.partner.microsoftonline.cn": (_CHINA,),
    "login.chinacloudapi.cn": (_CHINA,),
}
_GLOBAL_ENTRA = "login.microsoftonline.com"
_GLOBAL_GRAPH = "graph.microsoft.com"
_SOVEREIGN = re.compile(r"login\.sovcloud-identity\.[a-z]{2}")
# Online meetings and their attendance reach the clouds of the US Government; nothing reaches China.
_GLOBAL_ONLY = re.compile(r"/solutions/virtualEvents(/|$)|/onlineMeetings/[^/]+/registration(/|$)", re.IGNORECASE)


def cloud_problem(settings: GraphSettings, path: str | None = None) -> str | None:
    """
    Say why a call cannot work in the cloud that the settings name.

    :param settings: the connection's settings.
    :param path: the path of the call below the version; by default, that of any registration.
    :return: a sentence; None if the call can work.
    """
    graph, entra = _host(settings.base_url), _host(settings.authority)
    cloud = _GRAPH.get(graph)
    if cloud is not None and (cloud == _CHINA or path is None or _GLOBAL_ONLY.search(path)):
        return (
            f"Registration for Teams events does not exist in Microsoft's cloud {cloud}, which base_url or host "
            f"({graph}) names. It exists in the global service only."
        )
    clouds = _ENTRA.get(entra) or (("a sovereign cloud",) if _SOVEREIGN.fullmatch(entra) else ())
    if clouds and graph == _GLOBAL_GRAPH:
        return (
            f"authority ({entra}) is that of {' and '.join(clouds)}, and base_url that of the global service, which "
            "takes no token of another cloud."
        )
    if cloud is not None and entra == _GLOBAL_ENTRA:
        return (
            f"authority ({entra}) is that of the global service, and base_url that of {cloud}, which takes no token "
            "of another cloud."
        )
    return None


def refuse_missing_api(settings: GraphSettings, path: str) -> None:
    """
    Refuse a call that does not exist in the cloud that the settings name.

    :param settings: the connection's settings.
    :param path: the path of the call below the version.
    :raises SettingsError: it does not exist there.
    """
    problem = cloud_problem(settings, path)
    if problem is not None:
        raise SettingsError(problem)


@lru_cache(maxsize=64)
def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").lower()
