"""
Install a Teams app in the chat of an event, and consent to what it asks for.

Service pages: https://learn.microsoft.com/graph/api/chat-post-installedapps and
https://learn.microsoft.com/graph/api/appcatalogs-list-teamsapps
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
_NOT_PUBLISHED = ("submitted", "rejected")
_NUMBERS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})*")


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

    def asks_for_the_same(self, other: TeamsApp) -> bool:
        """Return whether a consent to another version of the app is a consent to this one."""
        return self.client_id == other.client_id and set(self.permissions) == set(other.permissions)


@dataclass(frozen=True)
class _Version:
    """
    A version of an app, which Graph calls an app definition.

    :param app: the app in this version.
    :param number: the version number in the manifest; None if it does not consist of numbers.
    :param is_published: whether an administrator has approved the version, as far as Graph says.
    """

    app: TeamsApp
    number: tuple[int, ...] | None
    is_published: bool


def app_of_catalog(session: GraphSession, teams_app_id: str) -> TeamsApp:
    """
    Return an app of the organization's catalog, in its newest published version.

    :param session: the authorized session.
    :param teams_app_id: the app's id in the catalog, or the id in its manifest.
    :raises NotFound: there is no such app.
    :raises Forbidden: the connection may not read the catalog.
    :raises SettingsError: the id is empty, several apps have it, or Graph does not tell which version is the newest.
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
                return _newest(found[0])
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


def _newest(versions: Sequence[_Version]) -> TeamsApp:
    """Return the only version, or the newest published one. Graph documents no order of the versions."""
    if len(versions) == 1:
        return versions[0].app
    published = [one for one in versions if one.is_published]
    if not published:
        raise SettingsError("No version of the Teams app is published. A Teams administrator publishes one.")
    numbers = [one.number for one in published if one.number is not None]
    candidates = published
    if len(numbers) == len(published):
        candidates = [one for one in published if one.number == max(numbers)]
    first = candidates[0].app
    if all(first.asks_for_the_same(one.app) for one in candidates):
        return first
    raise SettingsError(
        "The Teams app has several published versions that ask for different permissions, and their version numbers do "
        "not tell which is the newest. A Teams administrator deletes the app from the catalog, and uploads its newest "
        "package once more."
    )


def _read_apps(body: Any, name: str, wanted: str) -> list[Sequence[_Version]]:
    listed = objects(body)
    # A service that ignores the filter lists the whole catalog, and consent must not go to another app.
    if any(text(item, name).lower() != wanted.lower() for item in listed):
        raise Unreadable("it holds another Teams app than the one that was searched for")
    if not listed and not is_last_page(body):
        raise Unreadable("it is an empty page, and not the last one")
    return [_read_versions(item) for item in listed]


def _read_versions(item: Mapping[str, Any]) -> Sequence[_Version]:
    if item.get("appDefinitions@odata.nextLink") is not None:
        raise Unreadable("it lists some of the versions of the Teams app, and not all")
    # An app without a definition asks for nothing.
    return [_read_version(item, definition) for definition in objects(item, "appDefinitions") or [{}]]


def _read_version(item: Mapping[str, Any], definition: Mapping[str, Any]) -> _Version:
    authorization = an_object_or_none(definition, "authorization")
    required = an_object_or_none(authorization, "requiredPermissionSet")
    name = "resourceSpecificPermissions"
    asked = objects(required, name) if required.get(name) is not None else []
    app = TeamsApp(
        id=an_id(item),
        client_id=text_or_none(authorization, "clientAppId"),
        permissions=tuple((text(one, "permissionValue"), text(one, "permissionType")) for one in asked),
    )
    state = text_or_none(definition, "publishingState") or ""
    return _Version(app, _read_number(definition), is_published=state.lower() not in _NOT_PUBLISHED)


def _read_number(definition: Mapping[str, Any]) -> tuple[int, ...] | None:
    number = text_or_none(definition, "version") or ""
    if _NUMBERS.fullmatch(number) is None:
        return None
    # 1.0 and 1.0.0 are the same version.
    return tuple(int(one) for one in re.sub(r"(\.0+)+$", "", number).split("."))


def _read_chats(body: Any) -> list[str]:
    found = (text_or_none(an_object_or_none(one, "chatInfo"), "threadId") for one in objects(body))
    return [one for one in found if one]
