"""``teams-registration teams-app``: make the package of a Teams app that asks for consent for one event."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from airflow_provider_teams_registration.graph.teams_app_package import (
    EVENT_PERMISSIONS,
    TeamsAppSettings,
    package,
)

_CANNOT_RUN = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--client-id", required=True, help="application (client) id of the app registration")
    parser.add_argument("--output", default="teams-app.zip", type=Path, help="the file to write (default: %(default)s)")
    parser.add_argument("--name", default="Teams Registration", help="the app's name in Teams (default: %(default)s)")
    parser.add_argument("--developer", default="Teams Registration", help="your organization's name")
    parser.add_argument("--website", help="address of a page about the app, on https")
    parser.add_argument("--app-version", default="1.0.0", help="the package's version (default: %(default)s)")


def run(chosen: argparse.Namespace) -> int:
    """
    Write the package.

    :return: the exit code.
    """
    website = {"website": chosen.website} if chosen.website else {}
    try:
        settings = TeamsAppSettings(
            chosen.client_id, chosen.name, chosen.developer, version=chosen.app_version, **website
        )
        chosen.output.write_bytes(package(settings))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return _CANNOT_RUN
    print(f"Wrote {chosen.output}. The app's id is {settings.app_id}. It asks for {', '.join(EVENT_PERMISSIONS)}.")
    print("A Teams administrator uploads the file: Teams admin center > Teams apps > Manage apps.")
    print("Then the organizer adds the app to the event's chat, or ConsentForEventOperator does.")
    return 0
