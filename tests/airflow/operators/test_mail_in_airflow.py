"""Join links mailed by a task in real Airflow, over a real mail server."""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator
from tests.mail_server import MailServer
from tests.run_dag import HAS_TASK_STATE_STORE, metadata_database, said_by_tasks, task_text
from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow

PEOPLE = [
    {
        "id": f"canary-{number}",
        "email": f"canary-{number}@example.org",
        "first_name": f"Canary{number}",
        "last_name": "Example",
        "preferred_timezone": "Europe/Rome",
    }
    for number in range(1, 5)
]
DEFAULTS = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}
CANARIES = re.compile(r"canary|prid|meetup-join", re.IGNORECASE)


@pytest.fixture
def mail_server(monkeypatch):
    with MailServer() as server:
        smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port}
        smtp["extra"] = {"disable_ssl": True, "disable_tls": True, "from_email": "Events <events@example.com>"}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(smtp))
        yield server


def mail_text(registrants="enroll.output", **arguments):
    return task_text("MailJoinLinksOperator", "mail", {"registrants": registrants}, **arguments)


def links_on(emulator):
    registered = emulator.store.webinars.registered(emulator.webinar_id)
    return {one.email: one.join_web_url for one in registered}


def links_in(mails):
    texts = {mail["To"].addresses[0].addr_spec: mail.get_body(("plain",)).get_content() for mail in mails}
    return {address: re.search(r"https://\S+", text).group() for address, text in texts.items()}


def on_webinar(emulator, people=PEOPLE, **arguments):
    return "enroll = " + enroll(emulator, people, webinar_id=emulator.webinar_id, **DEFAULTS, **arguments)


def test_each_person_gets_their_own_link_once_over_several_runs(run_dag, emulator, ledger, mail_server):
    tasks = f"""
    {on_webinar(emulator, ledger_conn_id="ledger")}
    {mail_text(ledger_conn_id="ledger", verify_links=True)}
    """
    first = run_dag(tasks)
    second = run_dag(tasks)
    assert (first.state, second.state) == ("success", "success")
    assert first.summary("mail") == first.rows("mail") == {"rows": 4, "mailed": 4, "reasons": {}}
    assert second.summary("mail") == {"rows": 4, "already_mailed": 4, "reasons": {}}
    assert len(mail_server.mails) == 4
    assert links_in(mail_server.mails) == links_on(emulator)
    assert mail_server.mails[0]["Subject"] == f"Your link to {first.summary()['event']['title']}"
    assert "1 March 2027, 10:00 to 11:00 (Europe/Rome)" in mail_server.mails[0].get_body(("html",)).get_content()
    stored = str([first.rendered["mail"], first.summary("mail")])
    assert CANARIES.search(stored) is None
    assert first.rendered["mail"]["registrants"] == "4 registrants"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"meeting_id": "m", "webinar_id": "w"}, "More than one event is given"),
        ({"webinar_id": "ada@example.org"}, "webinar_id looks like an e-mail address"),
        ({"meeting_id": "m", "verify_links": True}, "Graph shows no links of the people on an online meeting"),
    ],
)
def test_an_event_that_cannot_be_right_is_refused_when_the_dag_is_parsed(arguments, said):
    with pytest.raises(ValueError, match=said):
        MailJoinLinksOperator(task_id="mail", registrants=[], **arguments)


def test_templates_come_from_files_and_name_columns(run_dag, emulator, ledger, mail_server):
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    (folder / "link.txt").write_text("{{ row.first_name }} of {{ row.last_name }}: {{ join_web_url }}")
    run = run_dag(
        f"""
        {on_webinar(emulator, ledger_conn_id="ledger")}
        mail_join_links(
            enroll.output,
            task_id="mail",
            ledger_conn_id="ledger",
            text="link.txt",
            subject="For {{{{ name }}}}",
        )
        """
    )
    (folder / "link.txt").unlink()
    assert run.state == "success"
    mail = mail_server.mails[0]
    assert mail["Subject"] == "For Canary1 Example"
    assert mail.get_body(("plain",)).get_content().startswith("Canary1 of Example: https://")


def test_pages_of_a_long_list_are_mailed_by_mapped_tasks(run_dag, emulator, ledger, mail_server):
    run = run_dag(
        f"""
        {on_webinar(emulator, ledger_conn_id="ledger", xcom_limit=1)}

        @task
        def pages(result):
            return enrollment_pages(result, page_size=3)

        MailJoinLinksOperator.partial(task_id="mail", ledger_conn_id="ledger").expand(registrants=pages(enroll.output))
        """
    )
    assert run.state == "success"
    assert links_in(mail_server.mails) == links_on(emulator)


def on_meeting(emulator, people=PEOPLE, **arguments):
    event = {"meeting_id": emulator.meeting_id, "organizer_id": emulator.organizer_id}
    return "enroll = " + enroll(emulator, people, **event, ledger_conn_id="ledger", **arguments)


def test_rows_of_a_meeting_that_xcom_does_not_hold_are_read_from_the_ledger(run_dag, emulator, ledger, mail_server):
    run = run_dag(
        f"""
        {on_meeting(emulator, xcom_limit=1)}
        {mail_text(ledger_conn_id="ledger")}
        """
    )
    assert run.state == "success"
    assert run.rows()["rows"] == 4
    assert run.summary("mail") == {"rows": 4, "mailed": 4, "reasons": {}}
    links = {f"{one.id}@example.org": one.join_web_url for one in emulator.store.enrolled(emulator.meeting_id)}
    assert links_in(mail_server.mails) == links
    assert {mail["To"].addresses[0].display_name for mail in mail_server.mails} == {
        f"Canary{number} Example" for number in range(1, 5)
    }


def test_people_of_a_meeting_whose_rows_never_came_are_mailed_by_their_input_rows(
    run_dag, emulator, ledger, mail_server
):
    run_dag(on_meeting(emulator))
    event = {"meeting_id": emulator.meeting_id, "organizer_id": emulator.organizer_id}
    run = run_dag(mail_text(repr(PEOPLE), ledger_conn_id="ledger", **event))
    assert run.summary("mail") == {"rows": 4, "mailed": 4, "reasons": {}}
    links = {f"{one.id}@example.org": one.join_web_url for one in emulator.store.enrolled(emulator.meeting_id)}
    assert links_in(mail_server.mails) == links


def test_a_meeting_without_rows_in_xcom_mails_nobody_and_says_what_to_do(run_dag, emulator, ledger, mail_server, capfd):
    run_dag(on_meeting(emulator))
    event = {"meeting_id": emulator.meeting_id, "organizer_id": emulator.organizer_id}
    run = run_dag(
        f"""
        @task
        def enroll():
            pass

        {mail_text("enroll()", ledger_conn_id="ledger", wait_for_rows=1, **event)}
        """
    )
    said = "".join(capfd.readouterr())
    assert run.tasks["mail"] == "failed"
    assert "give its input rows as registrants, with a ledger_conn_id" in said
    assert mail_server.mails == []


def test_a_template_that_names_a_missing_column_fails_without_retries_and_mails_nobody(
    run_dag, emulator, ledger, mail_server, capfd
):
    run = run_dag(
        f"""
        {on_webinar(emulator, ledger_conn_id="ledger")}
        {mail_text(ledger_conn_id="ledger", text="Dear {{ row.title }}", retries=2)}
        """
    )
    said = "".join(capfd.readouterr())
    assert (run.tasks["mail"], run.tries["mail"]) == ("failed", 1)
    assert "The template text names 'title', which is not there" in said
    assert mail_server.mails == []


def test_people_who_were_not_enrolled_fail_the_task_after_the_others_were_mailed(
    run_dag, emulator, ledger, mail_server
):
    people = [*PEOPLE, {"id": "x", "email": "no address", "first_name": "x", "last_name": "x"}]
    run = run_dag(
        f"""
        {on_webinar(emulator, people, ledger_conn_id="ledger", max_rejected=1)}
        {mail_text(ledger_conn_id="ledger")}
        """
    )
    assert (run.tasks["enroll"], run.tasks["mail"]) == ("success", "failed")
    assert run.summary("mail")["reasons"] == {"not on the event (invalid)": 1}
    assert len(mail_server.mails) == 4


def test_without_a_durable_ledger_a_retry_is_refused_once_a_mail_went_out(run_dag, emulator, mail_server, capfd):
    mail_server.behaviour.refused["canary-3@example.org"] = "550 5.1.1 no such canary"
    run = run_dag(
        f"""
        {on_webinar(emulator)}
        {mail_text(retries=2)}
        """
    )
    said = said_by_tasks("".join(capfd.readouterr()))
    assert (run.tasks["mail"], run.tries["mail"]) == ("failed", 1)
    assert ("No durable ledger notes who was mailed" in said) == (not HAS_TASK_STATE_STORE)
    assert len(mail_server.mails) == 3


def test_rows_that_never_come_are_read_from_the_ledger_and_fail_the_run(run_dag, emulator, ledger, mail_server):
    run_dag(on_webinar(emulator, ledger_conn_id="ledger"))
    run = run_dag(
        f"""
        @task
        def enroll():
            pass

        {mail_text("enroll()", ledger_conn_id="ledger", webinar_id=emulator.webinar_id, wait_for_rows=1)}
        """
    )
    assert run.tasks["mail"] == "failed"
    assert links_in(mail_server.mails) == links_on(emulator)


def test_people_who_were_taken_off_get_a_cancellation(run_dag, emulator, ledger, mail_server):
    run_dag(
        f"""
        {on_webinar(emulator, ledger_conn_id="ledger")}
        {mail_text(ledger_conn_id="ledger")}
        """
    )
    cancel = task_text(
        "CancelRegistrantOperator",
        "cancel",
        {"registrants": PEOPLE[:1]},
        webinar_id=emulator.webinar_id,
        ledger_conn_id="ledger",
    )
    run = run_dag(
        f"""
        cancel = {cancel}
        {mail_text("cancel.output", ledger_conn_id="ledger")}
        """
    )
    assert run.summary("mail") == {"rows": 1, "mailed_cancellation": 1, "reasons": {}}
    (part,) = [part for part in mail_server.mails[-1].walk() if part.get_content_type() == "text/calendar"]
    assert part["Content-Type"].params["method"] == "CANCEL"


def test_rows_of_another_event_mail_nobody(run_dag, emulator, ledger, mail_server, capfd):
    cancel = task_text("CancelRegistrantOperator", "cancel", {"registrants": PEOPLE}, webinar_id=emulator.webinar_id)
    run = run_dag(
        f"""
        cancel = {cancel}
        {mail_text("cancel.output", webinar_id=emulator.waitlist_webinar_id)}
        """
    )
    assert run.tasks["mail"] == "failed"
    assert "The rows are those of another event than webinar_id names" in "".join(capfd.readouterr())
    assert mail_server.mails == []


@pytest.fixture
def at_debug(monkeypatch):
    monkeypatch.setenv("AIRFLOW__LOGGING__LOGGING_LEVEL", "DEBUG")
    yield
    # What Airflow still says at the end of the process finds no output any more.
    for name in ("airflow", "airflow.task"):
        logging.getLogger(name).setLevel(logging.INFO)


@pytest.mark.parametrize("trouble", ["refused", "swapped", "lost", "away"])
def test_nothing_personal_shows_whatever_goes_wrong(
    run_dag, emulator, ledger, mail_server, monkeypatch, capfd, at_debug, trouble
):
    behaviour = mail_server.behaviour
    if trouble == "refused":
        behaviour.refused["canary-2@example.org"] = "550 5.1.1 <canary-2@example.org> Canary unknown"
    elif trouble == "lost":
        behaviour.drop_after.add("canary-2@example.org")
    elif trouble == "away":
        smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": 1, "extra": {"disable_ssl": True}}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(smtp))
    swapped = "[{**row, 'join_web_url': rows[(number + 1) % 4]['join_web_url']} for number, row in enumerate(rows)]"
    run = run_dag(
        f"""
        {on_webinar(emulator, ledger_conn_id="ledger")}

        @task(show_return_value_in_logs=False)
        def rows_of(ti=None):
            rows = ti.xcom_pull(task_ids="enroll")
            return {swapped if trouble == "swapped" else "rows"}

        rows = rows_of()
        enroll >> rows
        {mail_text("rows", ledger_conn_id="ledger", webinar_id=emulator.webinar_id)}
        """
    )
    said = said_by_tasks("".join(capfd.readouterr()))
    assert run.tasks["mail"] == "failed"
    assert "PermanentFailure" in said or "TransientFailure" in said
    assert [line for line in said.splitlines() if CANARIES.search(line)] == []
    with closing(sqlite3.connect(metadata_database())) as airflow:
        present = {name for (name,) in airflow.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        tables = present & {"rendered_task_instance_fields", "rtif_v2", "log", "task_instance", "serialized_dag"}
        shown = str([airflow.execute(f"SELECT * FROM {table}").fetchall() for table in sorted(tables)])
    links = [one.join_web_url for one in emulator.store.webinars.registrations(emulator.webinar_id)]
    assert len(links) == 4
    assert [link for link in links if link in shown] == []
    assert len(mail_server.mails) == {"refused": 3, "swapped": 0, "lost": 4, "away": 0}[trouble]
