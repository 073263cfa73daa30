"""``teams-registration crash-test``: kill runs of a DAG, and print what became of everybody."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from airflow_provider_teams_registration.crash_test.airflow_home import AirflowHome
from airflow_provider_teams_registration.crash_test.crash_test import CrashTest, CrashTestFailed, Options
from airflow_provider_teams_registration.crash_test.fork_server import ForkServer, ForkServerEnded
from airflow_provider_teams_registration.crash_test.gate import Gate
from airflow_provider_teams_registration.emulator.behaviour.switches import BadSwitch
from airflow_provider_teams_registration.emulator.command import read_switches
from airflow_provider_teams_registration.emulator.server import Emulator

_MOST_SECONDS = 86_400


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number <= _MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to {_MOST_SECONDS}")
    return number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("dag_file", type=Path, help="file with the DAG")
    parser.add_argument("--dag-id", default="", help="which DAG, where the file has several")
    parser.add_argument("--every", type=_count, default=1, metavar="N", help="kill at every n-th point only")
    parser.add_argument("--max", type=_count, metavar="N", help="kill this many times at most, spread evenly")
    parser.add_argument("--meeting", action="append", default=[], metavar="ID", help="have an online meeting, open")
    parser.add_argument("--webinar", action="append", default=[], metavar="ID", help="have a webinar, published")
    parser.add_argument(
        "--auth",
        choices=("client_secret", "refresh_token"),
        default="client_secret",
        help="sign in as the application or as the organizer (default: %(default)s)",
    )
    parser.add_argument(
        "--switch",
        action="append",
        default=["duplicate=second_record"],
        metavar="NAME=VALUE",
        help="set a switch of the emulator; a second registration makes a second record unless you say otherwise",
    )
    parser.add_argument(
        "--settle-after",
        type=_seconds,
        default=1.0,
        metavar="SECONDS",
        help="the operators' settle_after: the emulator shows people at once (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=600.0, metavar="SECONDS", help="for one attempt (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """
    Kill and judge.

    :return: the exit code: 0 where all is well after every kill, 1 where something is wrong, 2 where the DAG cannot be
        tested.
    """
    options = Options(
        dag_file=arguments.dag_file.absolute(),
        dag_id=arguments.dag_id,
        every=arguments.every,
        most=arguments.max,
        timeout=arguments.timeout,
        settle_after=arguments.settle_after,
        auth=arguments.auth,
        meetings=tuple(arguments.meeting),
        webinars=tuple(arguments.webinar),
    )
    if not options.dag_file.is_file():
        print(f"There is no file {options.dag_file}.", file=sys.stderr)
        return 2
    folder, code = Path(tempfile.mkdtemp(prefix="teams-registration-crash-test-")), 2
    gate = Gate()
    try:
        switches = {"write_limit": "0", "read_limit": "0", **read_switches(arguments.switch)}
        home = AirflowHome(folder / "airflow", options.dag_file)
        with (
            ForkServer(home.environment, folder / "fork-server.log") as forks,
            Emulator(switches=switches, middleware=gate.before) as emulator,
        ):
            code = _judge_all(CrashTest(options, emulator, gate, home, forks))
    except ForkServerEnded:
        print(f"Airflow cannot be imported; {folder / 'fork-server.log'} says why.", file=sys.stderr)
    except (BadSwitch, CrashTestFailed) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    if code == 1:
        print(f"Logs and databases are in {folder}.")
    elif code == 0:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _judge_all(test: CrashTest, say: Callable[[str], None] = lambda text: print(text, flush=True)) -> int:
    say("Running the DAG undisturbed …")
    points, undisturbed = test.plan()
    people, rows = len(undisturbed.registered), len(undisturbed.handed_on)
    say(f"{people} people registered, {rows} rows with a link returned. {len(points)} kills follow.")
    if not rows:
        say("No task returned rows with links through XCom: links are not judged.")
    say(f"\n{'':>4}  {'request':<34}  {'killed':<22}  afterwards")
    wrong = 0
    for number, verdict in enumerate(test.verdicts(points, undisturbed), 1):
        wrong += bool(verdict.findings)
        said = "; ".join(verdict.findings) or "everybody once, with their own link"
        request = f"{verdict.kill_point.exchange} {verdict.request or '(not reached this time)'}"
        say(f"{number:>4}  {request:<34}  {verdict.kill_point!s:<22}  {'WRONG: ' if verdict.findings else ''}{said}")
    say(f"\n{len(points) - wrong} of {len(points)} kills are harmless.")
    return 1 if wrong else 0
