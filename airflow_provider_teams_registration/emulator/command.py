"""``teams-registration emulator``: serve until stopped, and say how to connect."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from airflow_provider_teams_registration.emulator.server import Emulator
from airflow_provider_teams_registration.emulator.switches import BadSwitch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8443, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path.home() / ".teams-registration-emulator",
        help="where the certificate is kept (default: %(default)s)",
    )
    parser.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a switch, such as duplicate=conflict; docs/emulator.md lists them",
    )


def run(arguments: argparse.Namespace) -> int:
    """
    Serve until interrupted or terminated.

    :return: the exit code: 0 when stopped, 1 where the port cannot be had, 2 for a bad switch.
    """
    try:
        emulator = Emulator(arguments.host, arguments.port, arguments.directory.absolute(), _switches(arguments.switch))
    except BadSwitch as error:
        print(error, file=sys.stderr)
        return 2
    # A container or an init system ends us this way; it is no failure.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        emulator.run(lambda: print(_greeting(emulator), flush=True))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _switches(given: Sequence[str]) -> dict[str, str]:
    for switch in given:
        if "=" not in switch:
            raise BadSwitch(f"--switch takes NAME=VALUE, not {switch!r}.")
    return dict(switch.split("=", 1) for switch in given)


def _greeting(emulator: Emulator) -> str:
    connections = "\n".join(
        f"  # {who}\n  export AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT='{json.dumps(emulator.connection(auth))}'"
        for who, auth in (("as the application", "client_secret"), ("as the organizer", "refresh_token"))
    )
    return f"""Microsoft Entra and Microsoft Graph, emulated. Stop with Ctrl-C.

  Page         {emulator.url}/
  CA file      {emulator.ca_file}
  Organizer    {emulator.organizer_id}
  Meetings     {emulator.meeting_id} (open to everyone)
               {emulator.organization_meeting_id} (open to the organization)
               {emulator.closed_meeting_id} (not open yet)
  Webinars     {emulator.webinar_id} (open)
               {emulator.questions_webinar_id} (asks questions)
               {emulator.waitlist_webinar_id} (3 seats, waitlist)
               {emulator.small_webinar_id} (3 seats)
               {emulator.approval_webinar_id} (approval)
               {emulator.draft_webinar_id} (draft)
               {emulator.canceled_webinar_id} (canceled)

{connections}
"""
