"""
The scopes that a client requests from Entra.

Service page: https://learn.microsoft.com/entra/identity-platform/scopes-oidc
"""

from __future__ import annotations

GRAPH = "https://graph.microsoft.com"
# A client may name Graph by its application id as well.
_GRAPH_NAMES = (GRAPH, "00000003-0000-0000-c000-000000000000", "api://00000003-0000-0000-c000-000000000000")


def foreign_resource(scope: str) -> str | None:
    """
    Return the first resource other than Graph that scopes name; None if there is none.

    :param scope: the scopes, separated by spaces. A scope without a resource is one of Graph.
    """
    named = [one.rpartition("/")[0].rstrip("/") for one in scope.split()]
    return next((resource for resource in named if resource and resource.lower() not in _GRAPH_NAMES), None)


def wants_id_token(scope: str) -> bool:
    """
    Whether scopes request an id token, by name or with ``.default``.

    :param scope: the scopes, separated by spaces; empty means the scopes of the sign-in.
    """
    asked = scope.split()
    return not asked or any(one == "openid" or one.endswith(".default") for one in asked)
