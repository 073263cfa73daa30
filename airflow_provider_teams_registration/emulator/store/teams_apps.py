"""The organization's Teams apps, and the chats that have them."""

from __future__ import annotations

import io
import json
import threading
import uuid
import zipfile
from dataclasses import dataclass


class BadPackage(ValueError):
    """The package of a Teams app cannot be read."""


@dataclass(frozen=True)
class TeamsApp:
    """
    One app of the catalog.

    :param id: its id in the catalog.
    :param external_id: its id in the manifest.
    :param display_name: its name.
    :param version: its version.
    :param client_id: the Entra app whose tokens get the consent.
    :param permissions: the names of the permissions that it asks for.
    """

    id: str
    external_id: str
    display_name: str
    version: str
    client_id: str
    permissions: tuple[str, ...]


class TeamsAppStore:
    """
    The catalog of the organization, and what is installed in which chat.

    :param lock: the lock of the whole store; code that changes several things at once holds it.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self.reset()

    def reset(self) -> None:
        """Empty the catalog, and remove the apps from all chats."""
        with self._lock:
            self._apps: dict[str, TeamsApp] = {}
            self._installed: dict[str, dict[str, TeamsApp]] = {}

    def add(self, package: bytes) -> TeamsApp:
        """
        Add an app to the catalog.

        :param package: the zipped package.
        :raises BadPackage: it cannot be read.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(package)) as archive:
                manifest = json.loads(archive.read("manifest.json"))
                for icon in manifest["icons"].values():
                    archive.read(icon)
            asked = manifest["authorization"]["permissions"]["resourceSpecific"]
            app = TeamsApp(
                id=str(uuid.uuid4()),
                external_id=manifest["id"],
                display_name=manifest["name"]["short"],
                version=manifest["version"],
                client_id=manifest["webApplicationInfo"]["id"],
                permissions=tuple(one["name"] for one in asked),
            )
        except (KeyError, TypeError, AttributeError, ValueError, zipfile.BadZipFile) as error:
            raise BadPackage("The package cannot be read.") from error
        with self._lock:
            self._apps[app.id] = app
        return app

    def app(self, app_id: str) -> TeamsApp | None:
        """Return an app of the catalog; None if there is no such app."""
        return self._apps.get(app_id)

    def app_of_manifest(self, external_id: str) -> TeamsApp | None:
        """Return the newest app with an id in its manifest; None if there is no such app."""
        return next((one for one in reversed(self._apps.values()) if one.external_id == external_id), None)

    def install(self, chat_id: str, app: TeamsApp) -> bool:
        """Install an app in a chat. Return False if the chat has it already."""
        with self._lock:
            installed = self._installed.setdefault(chat_id, {})
            is_new = app.id not in installed
            installed[app.id] = app
            return is_new

    def granted(self, chat_id: str, client_id: str) -> frozenset[str]:
        """
        Return the permissions that an Entra app has for the event of a chat.

        :param chat_id: the chat.
        :param client_id: the Entra app.
        """
        installed = self._installed.get(chat_id, {}).values()
        return frozenset(name for app in installed if app.client_id == client_id for name in app.permissions)
