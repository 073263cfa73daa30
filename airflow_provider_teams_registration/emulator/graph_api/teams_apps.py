"""
Routes of the catalog of Teams apps, and of the apps in chats.

Service pages: https://learn.microsoft.com/graph/api/teamsapp-publish and
https://learn.microsoft.com/graph/api/chat-post-installedapps
"""

from __future__ import annotations

from typing import Any

from airflow_provider_teams_registration.emulator.graph_api.odata import read_equality
from airflow_provider_teams_registration.emulator.graph_api.paging import ListAnswer
from airflow_provider_teams_registration.emulator.http.messages import (
    Caller,
    GraphAnswer,
    GraphRequest,
    no_such_method,
    no_such_segment,
    refusal,
)
from airflow_provider_teams_registration.emulator.store.meeting_store import MeetingStore
from airflow_provider_teams_registration.emulator.store.seeded import ORGANIZER_ID
from airflow_provider_teams_registration.emulator.store.teams_apps import BadPackage, TeamsApp

_CATALOG = ["appcatalogs", "teamsapps"]
_UPLOAD = ("AppCatalog.ReadWrite.All", "AppCatalog.Submit")
_READ = ("AppCatalog.Read.All", *_UPLOAD)
_INSTALL = "TeamsAppInstallation.ReadWriteAndConsentForChat"


def is_upload(request: GraphRequest) -> bool:
    """Whether a request uploads a package, which is no JSON."""
    return request.method == "POST" and [one.lower() for one in request.segments] == _CATALOG


class TeamsApps:
    """
    Answers below ``/appCatalogs/teamsApps`` and ``/chats/{id}``.

    :param store: the data.
    """

    def __init__(self, store: MeetingStore) -> None:
        self._store = store

    def answer(self, request: GraphRequest) -> GraphAnswer:
        """Answer a request."""
        segments = [one.lower() for one in request.segments]
        if segments == _CATALOG:
            return self._catalog(request)
        if segments[0] == "chats" and segments[2:] == ["installedapps"]:
            return self._install(request) if request.method == "POST" else no_such_method(request.method)
        return no_such_segment(request.segments[-1])

    def _catalog(self, request: GraphRequest) -> GraphAnswer:
        if request.method == "POST":
            return self._upload(request)
        if request.method != "GET":
            return no_such_method(request.method)
        refused = _lacking(request.caller, _READ)
        if refused is not None:
            return refused
        wanted = read_equality(request.query.get("$filter", ""))
        if wanted is None or wanted.name not in ("id", "externalid"):
            return refusal(400, "BadRequest", "The emulator knows filters by id and by externalId only.")
        find = self._store.teams_apps.app if wanted.name == "id" else self._store.teams_apps.app_of_manifest
        app = find(wanted.value)
        found = [] if app is None else [_app_body(app)]
        return ListAnswer(200, {"value": found}, total=len(found))

    def _upload(self, request: GraphRequest) -> GraphAnswer:
        if request.caller.user_id is None:
            return refusal(403, "Forbidden", "Application permissions are not supported for this operation.")
        refused = _lacking(request.caller, _UPLOAD)
        if refused is not None:
            return refused
        try:
            app = self._store.teams_apps.add(request.content)
        except BadPackage:
            return refusal(400, "BadRequest", "UnableToParseTeamsAppManifest")
        body = _app_body(app)
        del body["appDefinitions"]
        return GraphAnswer(201, body, effect="uploaded")

    def _install(self, request: GraphRequest) -> GraphAnswer:
        of_all = "" if request.caller.user_id is not None else ".All"
        refused = _lacking(request.caller, (f"{_INSTALL}{of_all}",))
        if refused is not None:
            return refused
        if request.caller.user_id not in (None, ORGANIZER_ID):
            return refusal(401, "UserNotAuthorizedToGrantResourceSpecificPermission", "Not authorized.")
        body = request.body if isinstance(request.body, dict) else {}
        app = self._store.teams_apps.app(str(body.get("teamsApp@odata.bind")).rpartition("/")[2])
        if app is None:
            return refusal(404, "NotFound", "The app was not found.")
        if _consented(body) != set(app.permissions):
            return refusal(400, "ResourceSpecificPermissionsMismatch", "The consented permissions do not match.")
        if not self._store.teams_apps.install(request.segments[1], app):
            return refusal(409, "Conflict", "The app is already installed in this chat.")
        return GraphAnswer(201, effect="installed")


def _lacking(caller: Caller, enough: tuple[str, ...]) -> GraphAnswer | None:
    if not caller.permissions.isdisjoint(enough):
        return None
    kind, kinds = ("role", "Roles") if caller.user_id is None else ("scope", "Scopes")
    wanted, given = ", ".join(enough), ", ".join(sorted(caller.permissions))
    return refusal(
        403,
        "Forbidden",
        f"Missing {kind} permissions on the request. API requires one of '{wanted}'. {kinds} on the request '{given}'.",
    )


def _consented(body: dict[str, Any]) -> set[str]:
    given = body.get("consentedPermissionSet")
    listed = given.get("resourceSpecificPermissions") if isinstance(given, dict) else None
    items = listed if isinstance(listed, list) else []
    return {str(one.get("permissionValue")) for one in items if isinstance(one, dict)}


def _app_body(app: TeamsApp) -> dict[str, Any]:
    permissions = [{"permissionValue": name, "permissionType": "application"} for name in app.permissions]
    required = {"resourceSpecificPermissions": permissions}
    definition = {
        "teamsAppId": app.id,
        "displayName": app.display_name,
        "version": app.version,
        "publishingState": "published",
        "authorization": {"clientAppId": app.client_id, "requiredPermissionSet": required},
    }
    return {
        "id": app.id,
        "externalId": app.external_id,
        "displayName": app.display_name,
        "distributionMethod": "organization",
        "appDefinitions": [definition],
    }
