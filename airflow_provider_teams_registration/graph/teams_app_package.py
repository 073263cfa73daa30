"""
The package of a Teams app that asks for consent for one event: a manifest and two icons, zipped.

Service pages: https://learn.microsoft.com/microsoftteams/platform/resources/schema/manifest-schema and
https://learn.microsoft.com/microsoftteams/platform/graph-api/rsc/grant-resource-specific-consent
"""

from __future__ import annotations

import io
import json
import re
import struct
import uuid
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

from airflow_provider_teams_registration.graph.join_url import is_join_url

EVENT_PERMISSIONS = (
    "VirtualEvent.Read.Chat",
    "VirtualEventRegistration-Anon.ReadWrite.Chat",
    "OnlineMeetingArtifact.Read.Chat",
)
"""They let the app read the event, its registrations and links, register people and cancel, and read attendance."""

NOT_USED = "https://notused.example"
_MANIFEST_VERSION = "1.19"
_ACCENT = "#4F52B2"
_COLOR_SIZE, _OUTLINE_SIZE = 192, 32
_APPS = uuid.UUID("6f2a9f0e-8d5b-4b62-9c3f-0a5f9a0a4f11")
# A fixed date makes the package the same bytes each time.
_DATE = (2026, 1, 1, 0, 0, 0)
_LONGEST_NAME, _LONGEST_DEVELOPER = 30, 32
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_VERSION = re.compile(r"(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){2}", re.ASCII)


@dataclass(frozen=True)
class TeamsAppSettings:
    """
    What the manifest says.

    :param client_id: application (client) id of the Entra app whose tokens get the consent.
    :param name: the app's name in Teams, up to 30 characters.
    :param developer: the organization's name, up to 32 characters.
    :param website: address of a page about the app, on https. Teams shows it, and its tab opens it.
    :param version: the package's version. Teams takes a new package of the same app only with another version.
    :raises ValueError: a value cannot be right. The sentence names it.
    """

    client_id: str
    name: str = "Teams Registration"
    developer: str = "Teams Registration"
    website: str = NOT_USED
    version: str = "1.0.0"

    def __post_init__(self) -> None:
        if _GUID.fullmatch(self.client_id) is None:
            raise ValueError("client_id is no GUID. Take the application (client) id of the app registration.")
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > _LONGEST_NAME:
            raise ValueError(f"name takes 1 to {_LONGEST_NAME} characters.")
        if not self.developer.strip() or not self.developer.isprintable() or len(self.developer) > _LONGEST_DEVELOPER:
            raise ValueError(f"developer takes 1 to {_LONGEST_DEVELOPER} characters.")
        if not self.website.startswith("https://"):
            raise ValueError("website must begin with https://.")
        if not is_join_url(self.website):
            raise ValueError("website is no address. Give one like https://intranet.example/teams.")
        if _VERSION.fullmatch(self.version) is None:
            raise ValueError("version takes three numbers, such as 1.0.1.")

    @property
    def app_id(self) -> str:
        """The app's id in the manifest. It is the same for each package of the same Entra app."""
        return str(uuid.uuid5(_APPS, self.client_id.lower()))


def manifest(settings: TeamsAppSettings) -> dict[str, Any]:
    """
    Return the manifest.

    :param settings: what it says.
    """
    return {
        "$schema": f"https://developer.microsoft.com/json-schemas/teams/v{_MANIFEST_VERSION}/MicrosoftTeams.schema.json",
        "manifestVersion": _MANIFEST_VERSION,
        "version": settings.version,
        "id": settings.app_id,
        "developer": {
            "name": settings.developer,
            "websiteUrl": settings.website,
            "privacyUrl": settings.website,
            "termsOfUseUrl": settings.website,
        },
        "name": {"short": settings.name},
        "description": {
            "short": "Registers people for the event whose chat it is added to.",
            "full": "Gives an application of your organization the permission to read this event, to register people "
            "for it, to cancel registrations and to read attendance. The app shows nothing and sends no messages.",
        },
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": _ACCENT,
        # An app can be added to a chat only if it has a tab or a bot there.
        "configurableTabs": [
            {"configurationUrl": settings.website, "canUpdateConfiguration": False, "scopes": ["groupChat"]}
        ],
        "defaultInstallScope": "groupChat",
        "webApplicationInfo": {"id": settings.client_id, "resource": NOT_USED},
        "authorization": {
            "permissions": {"resourceSpecific": [{"name": name, "type": "Application"} for name in EVENT_PERMISSIONS]}
        },
    }


def package(settings: TeamsAppSettings) -> bytes:
    """
    Return the package, as Teams takes it for an upload.

    :param settings: what the manifest says.
    """
    files = {
        "manifest.json": json.dumps(manifest(settings), indent=2, ensure_ascii=False).encode(),
        "color.png": _icon(_COLOR_SIZE, background=(0x4F, 0x52, 0xB2, 255)),
        "outline.png": _icon(_OUTLINE_SIZE, background=(0, 0, 0, 0)),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content)
    return made.getvalue()


def _icon(size: int, background: tuple[int, int, int, int]) -> bytes:
    """Return a PNG of a white tick."""
    ink, ground = bytes((255, 255, 255, 255)), bytes(background)
    rows = (b"\0" + b"".join(ink if _is_tick(x / size, y / size) else ground for x in range(size)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _is_tick(x: float, y: float) -> bool:
    is_short_stroke = 0.22 <= x <= 0.42 and abs(y - (0.52 + (x - 0.22))) < 0.07
    is_long_stroke = 0.42 <= x <= 0.8 and abs(y - (0.72 - (x - 0.42) * 1.1)) < 0.07
    return is_short_stroke or is_long_stroke


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
