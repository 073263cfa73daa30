"""The command ``teams-registration emulator``: serve until stopped, and print how to connect."""

from __future__ import annotations

import argparse
import json
import signal
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow_provider_teams_registration.emulator.behaviour.switches import BadSwitch, Switches
from airflow_provider_teams_registration.emulator.http.json_text import UnreadableJson, read_json
from airflow_provider_teams_registration.emulator.server import Emulator

_MOST_BYTES = 64 * 1024


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
    parser.add_argument(
        "--like",
        type=Path,
        metavar="FILE",
        help='start with the switches of a JSON file such as {"duplicate": "conflict"}, or of what "teams-registration '
        'doctor --with-test-person ADDRESS --json" printed; --switch overrides them',
    )


def run(arguments: argparse.Namespace) -> int:
    """
    Serve until interrupted or terminated.

    :return: the exit code: 0 when stopped, 1 if the emulator cannot listen on the port, 2 for a bad argument.
    """
    try:
        switches = {**_switches_of_file(arguments.like), **read_switches(arguments.switch)}
        emulator = Emulator(arguments.host, arguments.port, arguments.directory.absolute(), switches)
    except BadSwitch as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        said = f"--directory {arguments.directory}: No certificate can be kept there: {error.strerror or error}."
        print(said, file=sys.stderr)
        return 2
    except ValueError:
        print(f"--host {arguments.host!r}: It is neither an address nor the name of a host.", file=sys.stderr)
        return 2
    # A container or an init system stops the process this way, which is not a failure.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        emulator.run(lambda: _announce(emulator))
    except ssl.SSLError:
        print(
            f"The certificate in {arguments.directory} cannot be used. Delete the .pem files there: the emulator makes "
            "new ones.",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _switches_of_file(path: Path | None) -> dict[str, Any]:
    """
    Read the switches of a file.

    :raises BadSwitch: the file cannot be read, is no JSON object, names an unknown switch, or has a wrong value.
    """
    if path is None:
        return {}
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise BadSwitch(f"The file has more than {_MOST_BYTES} bytes.")
        values = read_json(content, called="The file")
        if not isinstance(values, dict):
            raise BadSwitch("The file must hold a JSON object of switches, from name to value.")
        # The doctor's report holds the switches beside what it found.
        values = values.get("switches", values)
        if not isinstance(values, dict):
            raise BadSwitch("switches must be a JSON object, from name to value.")
        # Checked here, so that the error names the file.
        Switches().changed(values)
    except OSError as error:
        raise BadSwitch(f"--like {path}: The file cannot be read: {error.strerror or error}.") from None
    except (BadSwitch, UnreadableJson) as error:
        raise BadSwitch(f"--like {path}: {error}") from None
    return values


def read_switches(given: Sequence[str]) -> dict[str, str]:
    """
    Read switches from a command line.

    :param given: each as ``NAME=VALUE``; of a name that is given twice, the last one counts.
    :raises BadSwitch: one has no ``=``.
    """
    for switch in given:
        if "=" not in switch:
            raise BadSwitch(f"--switch takes NAME=VALUE, not {switch!r}.")
    return dict(switch.split("=", 1) for switch in given)


def _announce(emulator: Emulator) -> None:
    if not emulator.is_on_loopback:
        print(
            f"The emulator listens on {emulator.host or 'every address'}, which is not only this machine's own. "
            f"Everybody who reaches port {emulator.port} can use all of it, the admin API included. "
            "Leave --host out unless you know who they are.",
            file=sys.stderr,
        )
    print(_greeting(emulator), flush=True)


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
