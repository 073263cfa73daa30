"""The package of the Teams app that asks for consent for one event."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import pytest

from airflow_provider_teams_registration.cli import main
from airflow_provider_teams_registration.graph.teams_app_package import (
    EVENT_PERMISSIONS,
    TeamsAppSettings,
    manifest,
    package,
)

CLIENT_ID = "22222222-2222-4222-8222-222222222222"


def test_manifest_names_the_entra_app_and_the_permissions_of_an_event():
    made = manifest(TeamsAppSettings(CLIENT_ID))

    assert made["webApplicationInfo"]["id"] == CLIENT_ID
    assert made["webApplicationInfo"]["resource"]
    asked = made["authorization"]["permissions"]["resourceSpecific"]
    assert asked == [{"name": name, "type": "Application"} for name in EVENT_PERMISSIONS]
    assert made["configurableTabs"][0]["scopes"] == ["groupChat"]


def test_manifest_keeps_to_the_lengths_that_teams_takes():
    made = manifest(TeamsAppSettings(CLIENT_ID, name="n" * 30, developer="d" * 32))

    assert len(made["name"]["short"]) <= 30
    assert len(made["description"]["short"]) <= 80
    assert len(made["description"]["full"]) <= 4000
    assert {"name", "websiteUrl", "privacyUrl", "termsOfUseUrl"} == made["developer"].keys()


def test_package_holds_the_manifest_and_two_icons_of_the_sizes_that_teams_takes():
    with zipfile.ZipFile(io.BytesIO(package(TeamsAppSettings(CLIENT_ID)))) as archive:
        assert sorted(archive.namelist()) == ["color.png", "manifest.json", "outline.png"]
        icons = json.loads(archive.read("manifest.json"))["icons"]
        sizes = {kind: struct.unpack(">II", archive.read(name)[16:24]) for kind, name in icons.items()}

    assert sizes == {"color": (192, 192), "outline": (32, 32)}


def test_package_of_one_entra_app_is_the_same_each_time_and_that_of_another_is_not():
    assert package(TeamsAppSettings(CLIENT_ID)) == package(TeamsAppSettings(CLIENT_ID))
    other = CLIENT_ID.replace("2", "3")
    assert TeamsAppSettings(CLIENT_ID).app_id != TeamsAppSettings(other).app_id


def test_command_writes_the_package_and_prints_the_apps_id(tmp_path, capsys):
    path = tmp_path / "app.zip"

    assert (
        main(["teams-app", "--client-id", CLIENT_ID, "--output", str(path), "--website", "https://intranet.example"])
        == 0
    )

    assert zipfile.is_zipfile(path)
    assert TeamsAppSettings(CLIENT_ID).app_id in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--client-id", "canary"], "client_id is no GUID"),
        # Other spellings would give the app another id, so that Teams would take it for a second app.
        (["--client-id", f"{{{CLIENT_ID}}}"], "client_id is no GUID"),
        (["--client-id", CLIENT_ID.replace("-", "")], "client_id is no GUID"),
        (["--client-id", f"urn:uuid:{CLIENT_ID}"], "client_id is no GUID"),
        (["--client-id", CLIENT_ID, "--name", " "], "name takes 1 to 30 characters"),
        (["--client-id", CLIENT_ID, "--developer", "a\nb"], "developer takes 1 to 32 characters"),
        (["--client-id", CLIENT_ID, "--website", "https://"], "website is no address"),
        (["--client-id", CLIENT_ID, "--website", "https://user:secret@example.org"], "website is no address"),
        (["--client-id", CLIENT_ID, "--app-version", "2"], "version takes three numbers"),
        (["--client-id", CLIENT_ID, "--app-version", "1.0.0-beta"], "version takes three numbers"),
        (["--client-id", CLIENT_ID, "--name", "n" * 31], "name takes 1 to 30 characters"),
        (["--client-id", CLIENT_ID, "--website", "http://example.org"], "website must begin with https://"),
        (["--client-id", CLIENT_ID, "--output", "/nowhere/app.zip"], "/nowhere/app.zip"),
    ],
)
def test_command_refuses_what_cannot_be_right(arguments, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert main(["teams-app", *arguments]) == 2

    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
