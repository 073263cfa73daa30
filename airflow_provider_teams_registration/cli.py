"""The command ``teams-registration``."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from airflow_provider_teams_registration import __version__, doctor_command, teams_app_command


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    :param arguments: the command line without the program's name; ``sys.argv`` by default.
    :return: the exit code.
    """
    parser = argparse.ArgumentParser(prog="teams-registration", description=__doc__)
    parser.add_argument("--version", action="version", version=_versions())
    verbs = parser.add_subparsers(dest="verb", required=True)
    sign_in = verbs.add_parser("refresh-token", help="sign in as the organizer and print a refresh token")
    sign_in.add_argument("--tenant-id", required=True, help="directory (tenant) id")
    sign_in.add_argument("--client-id", required=True, help="application (client) id")
    sign_in.add_argument("--authority", help="address of the Entra host, where it is not the global one")
    sign_in.add_argument("--verify", help="path of a CA file, where the authority's certificate is not a public one")
    emulator = verbs.add_parser("emulator", help="serve an emulated Microsoft Entra and Graph on this machine")
    crash_test = verbs.add_parser("crash-test", help="kill runs of a DAG at their requests to the emulator, and judge")
    try:
        from airflow_provider_teams_registration.crash_test import command as crash_test_command
        from airflow_provider_teams_registration.emulator import command as emulator_command
    except ImportError:
        if (arguments or sys.argv[1:])[:1] in (["emulator"], ["crash-test"]):
            parser.error("this command needs: pip install 'airflow-provider-teams-registration[emulator]'")
    else:
        emulator_command.add_arguments(emulator)
        emulator.set_defaults(run=emulator_command.run)
        crash_test_command.add_arguments(crash_test)
        crash_test.set_defaults(run=crash_test_command.run)
    doctor = verbs.add_parser("doctor", help="check a connection, an event and a ledger; it only reads")
    doctor_command.add_arguments(doctor)
    doctor.set_defaults(run=doctor_command.run)
    teams_app = verbs.add_parser("teams-app", help="make a Teams app that asks for consent for one event")
    teams_app_command.add_arguments(teams_app)
    teams_app.set_defaults(run=teams_app_command.run)
    sign_in.set_defaults(run=_print_refresh_token)
    chosen = parser.parse_args(arguments)
    return int(chosen.run(chosen))


def _versions() -> str:
    """Return the versions that an issue needs."""
    found = [f"airflow-provider-teams-registration {__version__}"]
    for package in ("apache-airflow", "msal", "requests"):
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return ", ".join([*found, f"Python {platform.python_version()}"])


def _print_refresh_token(chosen: argparse.Namespace) -> int:
    from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
    from airflow_provider_teams_registration.graph.device_sign_in import refresh_token
    from airflow_provider_teams_registration.graph.settings import GLOBAL_AUTHORITY, GraphSettings

    settings = GraphSettings(
        tenant_id=chosen.tenant_id,
        client_id=chosen.client_id,
        auth="refresh_token",
        authority=chosen.authority or GLOBAL_AUTHORITY,
        verify=chosen.verify,
        disable_instance_discovery=chosen.authority is not None,
    )
    try:
        token = refresh_token(settings, say=lambda text: print(text, file=sys.stderr, flush=True))
    except TeamsRegistrationError as error:
        print(error, file=sys.stderr)
        return 1
    print(token)
    return 0
