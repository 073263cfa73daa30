"""
Install a Teams app in the chat of an event, and consent to what it asks for.

Service pages: https://learn.microsoft.com/graph/api/chat-post-installedapps and
https://learn.microsoft.com/graph/api/appcatalogs-list-teamsapps
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_provider_teams_registration.exceptions import (
    Conflict,
    Forbidden,
    GraphError,
    NotFound,
    SettingsError,
    Unauthorized,
)
from airflow_provider_teams_registration.graph.address import odata_string, segment
from airflow_provider_teams_registration.graph.event_search import explained
from airflow_provider_teams_registration.graph.paging import is_last_page
from airflow_provider_teams_registration.graph.shapes import (
    Unreadable,
    an_id,
    an_object_or_none,
    objects,
    text,
    text_or_none,
)

if TYPE_CHECKING:
    from airflow_provider_teams_registration.graph.session import GraphSession

VERSION = "v1.0"
_INSTALL = "TeamsAppInstallation.ReadWriteAndConsentForChat"
_NOT_ALLOWED = (
    "Installing takes {permission}, and the organizer of the event or an application. A Teams administrator must allow "
    "the app for the organizer, and allow consent for chats (Get-MgBetaChatRscConfiguration shows it)."
)


@dataclass(frozen=True)
class TeamsApp:
    """
    An app of the organization's catalog.

    :param id: its id in the catalog.
    :param client_id: the Entra app whose tokens get the consent; None if Graph does not say.
    :param permissions: what it asks for, as Graph shows it: the name and the type of each permission.
    """

    id: str
    client_id: str | None
    permissions: tuple[tuple[str, str], ...]


def app_of_catalog(session: GraphSession, teams_app_id: str) -> TeamsApp:
    """
    Return an app of the organization's catalog.

    :param session: the authorized session.
    :param teams_app_id: the app's id in the catalog, or the id in its manifest.
    :raises NotFound: there is no such app.
    :raises Forbidden: the connection may not read the catalog.
    :raises SettingsError: the id is empty, or several apps have it.
    """
    if not teams_app_id.strip():
        raise SettingsError("teams_app_id is empty. The command 'teams-registration teams-app' prints it.")
    with explained(session, application="AppCatalog.Read.All", user="AppCatalog.Read.All"):
        for name in ("id", "externalId"):
            query = quote(f"{name} eq {odata_string(teams_app_id)}", safe="'")
            path = f"/appCatalogs/teamsApps?$filter={query}&$expand=appDefinitions"
            found = session.read(VERSION, path, partial(_read_apps, name=name, wanted=teams_app_id))
            if len(found) > 1:
                raise SettingsError("The catalog has several Teams apps of this id. Name one by its id in the catalog.")
            if found:
                return found[0]
    raise NotFound(
        404, "NotFound", "The organization's catalog has no such Teams app. A Teams administrator uploads its package."
    )


def chat_of_webinar(session: GraphSession, webinar_id: str) -> str:
    """
    Return the id of a webinar's chat.

    :param session: the authorized session.
    :param webinar_id: the webinar's ``id``.
    :raises NotFound: Graph shows no chat of the webinar.
    """
    path = f"/solutions/virtualEvents/webinars/{segment('webinar_id', webinar_id)}/sessions"
    application = "VirtualEvent.Read.All, with an application access policy for the organizer"
    with explained(session, application=application, user="VirtualEvent.Read"):
        chats = session.read(VERSION, path, _read_chats)
    if not chats:
        raise NotFound(404, "NotFound", "Graph shows no chat of the webinar. Publish a draft first, or give chat_id.")
    return chats[0]


def install(session: GraphSession, chat_id: str, app: TeamsApp) -> bool:
    """
    Install an app in a chat, and consent to all that it asks for.

    :param session: the authorized session.
    :param chat_id: the chat's id.
    :param app: the app.
    :return: whether this call installed it. False if the chat had it already.
    :raises AnswerLost: no answer came. A second call finds out whether the app is installed.
    :raises Forbidden: the connection may not install apps, or the tenant does not allow it.
    """
    body = {
        "teamsApp@odata.bind": f"{session.settings.base_url}/{VERSION}/appCatalogs/teamsApps/{segment('id', app.id)}",
        "consentedPermissionSet": {
            "resourceSpecificPermissions": [
                {"permissionValue": name, "permissionType": kind} for name, kind in app.permissions
            ]
        },
    }
    try:
        session.write("POST", VERSION, f"/chats/{segment('chat_id', chat_id)}/installedApps", body)
    except Conflict:
        return False
    except (Forbidden, Unauthorized) as error:
        _advise(session, error)
        raise
    return True


def _advise(session: GraphSession, error: GraphError) -> None:
    kind = _INSTALL if session.settings.signs_in_a_user else f"{_INSTALL}.All"
    error.advise(_NOT_ALLOWED.format(permission=kind))


def _read_apps(body: Any, name: str, wanted: str) -> list[TeamsApp]:
    listed = objects(body)
    # A service that ignores the filter lists the whole catalog, and consent must not go to another app.
    if any(text(item, name).lower() != wanted.lower() for item in listed):
        raise Unreadable("it holds another Teams app than the one that was searched for")
    if not listed and not is_last_page(body):
        raise Unreadable("it is an empty page, and not the last one")
    return [_read_app(item) for item in listed]


def _read_app(item: Mapping[str, Any]) -> TeamsApp:
    definitions = objects(item, "appDefinitions")
    # The last definition is the newest version.
    authorization = an_object_or_none(definitions[-1], "authorization") if definitions else {}
    required = an_object_or_none(authorization, "requiredPermissionSet")
    name = "resourceSpecificPermissions"
    asked = objects(required, name) if required.get(name) is not None else []
    return TeamsApp(
        id=an_id(item),
        client_id=text_or_none(authorization, "clientAppId"),
        permissions=tuple((text(one, "permissionValue"), text(one, "permissionType")) for one in asked),
    )


def _read_chats(body: Any) -> list[str]:
    found = (text_or_none(an_object_or_none(one, "chatInfo"), "threadId") for one in objects(body))
    return [one for one in found if one]
