"""``teams-registration doctor``: check a connection, an event and a ledger, and say what to do."""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import TYPE_CHECKING

from airflow_provider_teams_registration.doctor.finding import exit_status
from airflow_provider_teams_registration.doctor.report import as_json, as_text, trial_as_text
from airflow_provider_teams_registration.events.id_checks import is_link_to
from airflow_provider_teams_registration.events.kinds import WEBINAR

if TYPE_CHECKING:
    from airflow_provider_teams_registration.doctor.finding import Finding
    from airflow_provider_teams_registration.doctor.trial import Trial
    from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook

_SOMETHING_LEFT, _CANNOT_RUN = 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--conn-id", default="teams_registration_default", help="the Airflow connection (default: %(default)s)"
    )
    event = parser.add_mutually_exclusive_group()
    event.add_argument("--webinar-id", help="check a webinar, by its id in Graph or its join URL")
    event.add_argument("--meeting-id", help="check an online meeting, by its id in Graph or its join URL")
    event.add_argument("--join-url", help="check an online meeting, by its organizer's link")
    event.add_argument("--meeting-number", help="check an online meeting, by the number that people type in to join")
    event.add_argument("--event-id", help="check an online meeting, by its id in the organizer's calendar")
    event.add_argument("--name", help="check a webinar, by its name")
    parser.add_argument("--organizer-id", help="object id of the event's organizer")
    parser.add_argument(
        "--attendance", action="store_true", help="count a missing permission to read attendance as missing"
    )
    parser.add_argument("--ledger-conn-id", help="check a ledger: the Airflow connection to its database")
    parser.add_argument("--ledger-table", help="the ledger's table, where it is not the default one")
    parser.add_argument(
        "--with-test-person",
        metavar="ADDRESS",
        help="afterwards register this address for the webinar of --webinar-id, twice, and cancel it: this writes",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int:
    """
    Check, and print what was found.

    :return: the exit code: 0 where all is fine, 1 where something is missing, 2 where the checks cannot run.
    """
    if chosen.with_test_person and (not chosen.webinar_id or is_link_to(WEBINAR, chosen.webinar_id)):
        print("--with-test-person takes a webinar: name it by its id (--webinar-id).", file=sys.stderr)
        return _CANNOT_RUN
    # Airflow 2 logs to the standard output, which is for what was found.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            from airflow_provider_teams_registration.hooks.teams_registration import TeamsRegistrationHook
        except ImportError as error:
            print(f"Airflow cannot be used here: {error}", file=sys.stderr)
            return _CANNOT_RUN
        hook = TeamsRegistrationHook(chosen.conn_id)
        findings = _check(hook, chosen)
    if not chosen.json:
        print(as_text(findings), flush=True)
    trial, status = None, exit_status(findings)
    if chosen.with_test_person:
        with contextlib.redirect_stdout(sys.stderr):
            trial, status = _try(hook, chosen, status)
    if chosen.json:
        print(as_json(findings, trial))
    elif trial is not None:
        print(f"\n{trial_as_text(trial)}")
    return status


def _check(hook: TeamsRegistrationHook, chosen: argparse.Namespace) -> list[Finding]:
    return hook.check(
        webinar_id=chosen.webinar_id,
        meeting_id=chosen.meeting_id,
        join_web_url=chosen.join_url,
        join_meeting_id=chosen.meeting_number,
        event_id=chosen.event_id,
        webinar_name=chosen.name,
        organizer_id=chosen.organizer_id,
        needs_attendance=chosen.attendance,
        ledger_conn_id=chosen.ledger_conn_id,
        ledger_table=chosen.ledger_table,
    )


def _try(hook: TeamsRegistrationHook, chosen: argparse.Namespace, status: int) -> tuple[Trial | None, int]:
    from airflow_provider_teams_registration.doctor.trial import TrialRefused, try_with_test_person

    if status != 0:
        print("Nobody was registered: what stands above comes first.", file=sys.stderr)
        return None, status
    print(
        "Now this writes: it registers the test person for the webinar, registers them again, and cancels. Teams may "
        "mail them.",
        file=sys.stderr,
        flush=True,
    )
    try:
        trial = try_with_test_person(hook.session, chosen.webinar_id, chosen.with_test_person)
    except TrialRefused as error:
        print(f"Nobody was registered. {error}", file=sys.stderr)
        return None, _CANNOT_RUN
    return trial, _SOMETHING_LEFT if trial.left else status
