"""``python -m dev.demo`` runs the main job twice; ``python -m dev.demo serve`` keeps it running in Airflow's UI."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter

from rich.console import Console

from airflow_provider_teams_registration.emulator.server import Emulator
from dev.demo.airflow_home import AIRFLOW, DATABASE, HOME, ROOT, WAREHOUSE, environment, ui_environment
from dev.demo.mail_sink import MailSink
from dev.demo.ports import free_port, read_ui_port
from dev.demo.results import (
    Result,
    compare,
    compare_webinar,
    enrolled_rows,
    is_as_it_should_be,
    people_sent,
    same_links,
    show,
    show_mail,
)
from dev.demo.warehouse import make_warehouse

DAG_ID = "warehouse_to_inbox"
WEBINAR_DAG_ID = "webinar_to_inbox"
REFUSED_BY_GRAPH = "crm-000042"
EMULATOR_PORT, MAIL_PORT = 8443, 8025
console = Console(highlight=False)


def run() -> int:
    """Run the example DAG in an Airflow made for it, show what became of everybody, and run it again."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    people = make_warehouse(WAREHOUSE)
    log = HOME / "airflow.log"
    with Emulator(directory=HOME / "emulator") as emulator, MailSink() as mail_sink, log.open("w") as output:
        emulator.add_fault("POST registrants", registrant_id=REFUSED_BY_GRAPH, status=400, code="BadRequest")
        emulator.add_fault("POST $batch", nth=2, status=429, retry_after="1")
        told = environment(emulator, mail_sink)
        console.print(f"A warehouse of {people} attendees, Graph at {emulator.url}, mail at port {mail_sink.port}.")
        steps = {
            "Airflow makes its database": ["db", "migrate"],
            f"Airflow runs the DAG '{DAG_ID}'": ["dags", "test", DAG_ID],
            "Airflow runs it again": ["dags", "test", DAG_ID],
        }
        results: list[Result] = []
        for step, command in steps.items():
            console.print(f"{step} …")
            emulator.clear_journal()
            done = subprocess.run([AIRFLOW, *command], env=told, stdout=output, stderr=output, check=False)
            if done.returncode:
                console.print(f"[red]'airflow {' '.join(command)}' failed; {_shown(log)} says why.[/]")
                return 1
            before, results = results, compare(enrolled_rows(DATABASE, DAG_ID), emulator, mail_sink)
            sent = people_sent(emulator)
        console.print(f"Airflow runs the DAG '{WEBINAR_DAG_ID}', for a webinar with three seats …")
        webinar_test = [str(AIRFLOW), "dags", "test", WEBINAR_DAG_ID]
        done = subprocess.run(webinar_test, env=told, stdout=output, stderr=output, check=False)
        webinar = compare_webinar(enrolled_rows(DATABASE, WEBINAR_DAG_ID), emulator, mail_sink)
    show(before, console)
    show(webinar, console, title="And for a webinar")
    show_mail(mail_sink.first_text(), console)
    if done.returncode or not is_as_it_should_be(webinar):
        console.print(f"[red]The webinar is not as it should be; {_shown(log)} says why.[/]")
        return 1
    return _verdict(before, results, sent)


def serve() -> int:
    """Serve Airflow's UI with the example DAGs, the emulator and the mail server, until stopped."""
    port = read_ui_port(os.environ.get("PORT"))
    directory = HOME / "emulator"
    emulator = Emulator(port=free_port(EMULATOR_PORT), directory=directory)
    with emulator, MailSink(free_port(MAIL_PORT)) as mail_sink:
        make_warehouse(WAREHOUSE)
        console.print(
            f"Airflow    http://localhost:{port}/dags/{WEBINAR_DAG_ID} (in half a minute; trigger the DAG there)"
        )
        console.print(f"           http://localhost:{port}/dags/{DAG_ID} is the same for an online meeting")
        console.print(f"Emulator   {emulator.url}/")
        console.print(
            "           Its certificate is its own, so the browser warns you: choose 'Advanced', then continue."
        )
        console.print("Stop with Ctrl-C.")
        told = environment(emulator, mail_sink) | ui_environment(port)
        airflow = subprocess.Popen([AIRFLOW, "standalone"], env=told, start_new_session=True)
        # However this ends, Airflow's processes must not keep the port.
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, signal.default_int_handler)
        try:
            return airflow.wait()
        except KeyboardInterrupt:
            os.killpg(airflow.pid, signal.SIGTERM)
            airflow.wait()
            return 0


def _verdict(first: list[Result], second: list[Result], sent_again: list[str]) -> int:
    outcomes = Counter(result.row["outcome"] for result in first)
    mails, mails_by_now = (sum(result.mails for result in results) for results in (first, second))
    console.print(f"{', '.join(f'{count} {outcome}' for outcome, count in outcomes.items())}; {mails} mails.")
    console.print(
        f"Run again: {len(sent_again)} sent ({', '.join(sent_again) or 'nobody'}), {mails_by_now - mails} mailed, "
        f"{same_links(first, second)} with the same link as before."
    )
    console.print(
        "Where to look next: 'make airflow' shows the same in Airflow's UI, example_dags/ holds the DAGs to copy,\n"
        f"README.md shows how to write your first DAG; this run's log is {_shown(HOME / 'airflow.log')}."
    )
    if is_as_it_should_be(first) and is_as_it_should_be(second) and sent_again == [REFUSED_BY_GRAPH]:
        console.print("[green]Everybody enrolled has one mail with their own link, and nobody else has one.[/]")
        return 0
    console.print("[red]Something is not as it should be.[/]")
    return 1


def _shown(path: object) -> str:
    return str(path).removeprefix(f"{ROOT}/")


if __name__ == "__main__":
    try:
        sys.exit(serve() if sys.argv[1:] == ["serve"] else run())
    except OSError as error:
        sys.exit(str(error))
