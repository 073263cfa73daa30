from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from airflow_provider_teams_registration.read_enrollments import read_enrollments
from dev.demo.mail_sink import MailSink
from tests.run_dag import load_dags, run_dag_file
from tests.servers import POSTGRES, connect_or_skip

pytestmark = pytest.mark.airflow

EXAMPLES = Path(__file__).parents[3] / "example_dags"
TO_INBOX = ["warehouse_to_inbox", "warehouse_to_inbox_taskflow", "big_list_to_inbox"]
LEDGER = [f"teams_registration_ledger{ending}" for ending in ("", "_runs", "_rows", "_apps")]
PEOPLE = [
    ("crm-1", "Ada", "ada@example.org"),
    ("", "Grace", "grace@example.org"),
    *((f"crm-{number}", f"Person {number}", f"person{number}@example.org") for number in range(3, 21)),
]


def fill(connection, placeholder):
    cursor = connection.cursor()
    for table in ("attendees", "webinar_attendees", *LEDGER):
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute("CREATE TABLE attendees (signed_up_at INTEGER, id TEXT, first_name TEXT, email TEXT)")
    cursor.executemany(
        f"INSERT INTO attendees VALUES ({', '.join([placeholder] * 4)})",
        [(number, *person) for number, person in enumerate(PEOPLE)],
    )
    cursor.execute(
        "CREATE TABLE webinar_attendees (signed_up_at INTEGER, id TEXT, first_name TEXT, last_name TEXT, email TEXT)"
    )
    cursor.executemany(
        f"INSERT INTO webinar_attendees VALUES ({', '.join([placeholder] * 5)})",
        [(number, f"crm-{number}", "Ada", "Example", f"webinar{number}@example.org") for number in range(5)],
    )
    connection.commit()


def sqlite_warehouse(folder):
    path = folder / "warehouse.db"
    with closing(sqlite3.connect(path)) as connection:
        fill(connection, "?")
    return json.dumps({"conn_type": "sqlite", "host": str(path)})


def postgres_warehouse(folder):
    psycopg2 = pytest.importorskip("psycopg2")
    connection = connect_or_skip(
        "PostgreSQL", lambda: psycopg2.connect(POSTGRES, connect_timeout=3), psycopg2.OperationalError
    )
    with closing(connection):
        fill(connection, "%s")
    return POSTGRES.replace("postgresql://", "postgres://")


@pytest.fixture
def mail_sink():
    with MailSink() as sink:
        yield sink


@pytest.fixture
def run_example(airflow_database, emulator, mail_sink, monkeypatch):
    """Run an example DAG, as it is or edited, connected to the emulator and the mail sink."""
    smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": mail_sink.port}
    smtp["extra"] = {"disable_ssl": True, "disable_tls": True}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(smtp))
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))
    monkeypatch.setenv("AIRFLOW_VAR_TEAMS_MEETING_ID", emulator.meeting_id)
    monkeypatch.setenv("AIRFLOW_VAR_TEAMS_ORGANIZER_ID", emulator.organizer_id)
    monkeypatch.setenv("AIRFLOW_VAR_TEAMS_WEBINAR_ID", emulator.waitlist_webinar_id)

    def run(dag_id, edit=str, **more):
        """Run it edited, but for the waits of sensors, or with more arguments for the task that enrolls."""
        folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
        for other in folder.glob("*.py"):
            other.unlink()
        path = folder / f"{dag_id}.py"
        written = "".join(f", {name}={value!r}" for name, value in more.items())
        text = edit((EXAMPLES / path.name).read_text()).replace("poke_interval=300", "poke_interval=0.05")
        path.write_text(text.replace('task_id="enroll"', f'task_id="enroll"{written}'))
        return run_dag_file(path, dag_id)

    return run


@pytest.mark.parametrize("dag_id", TO_INBOX)
@pytest.mark.parametrize("warehouse", [sqlite_warehouse, postgres_warehouse], ids=["SQLite", "PostgreSQL"])
def test_everybody_enrolled_is_mailed_their_own_link(
    run_example, emulator, mail_sink, monkeypatch, tmp_path, dag_id, warehouse
):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse(tmp_path))
    run = run_example(dag_id)
    links = {record.id: [record.join_web_url] for record in emulator.store.enrolled(emulator.meeting_id)}
    assert run.state == "success"
    assert len(links) == len(PEOPLE) - 1
    assert mail_sink.links() == {email: links[name] for name, _, email in PEOPLE if name}
    shown = json.dumps(run.rendered)
    assert "example.org" not in shown.replace("events@example.org", "")
    assert "meetup-join" not in shown


@pytest.mark.parametrize("dag_id", TO_INBOX)
def test_the_next_run_enrolls_and_mails_only_those_who_are_new(
    run_example, emulator, mail_sink, monkeypatch, tmp_path, dag_id
):
    def links():
        return {record.id: record.join_web_url for record in emulator.store.enrolled(emulator.meeting_id)}

    def outcomes_and_links(run):
        rows = list(read_enrollments(run.rows()))
        return Counter(row["outcome"] for row in rows), {row["id"]: row["join_web_url"] for row in rows if row["id"]}

    emulator.set_switches(duplicate="second_record")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", sqlite_warehouse(tmp_path))
    assert run_example(dag_id).state == "success"
    first_links, first_mails = links(), mail_sink.links()
    emulator.clear_journal()

    again = run_example(dag_id)

    assert again.state == "success"
    assert {entry.method for entry in emulator.store.journal} == {"GET"}
    assert outcomes_and_links(again) == ({"already_enrolled": len(PEOPLE) - 1, "invalid": 1}, first_links)
    assert mail_sink.links() == first_mails

    with closing(sqlite3.connect(tmp_path / "warehouse.db")) as warehouse, warehouse:
        warehouse.execute("INSERT INTO attendees VALUES (99, 'crm-99', 'Radia', 'radia@example.org')")
    run_example(dag_id)

    assert mail_sink.links() == first_mails | {"radia@example.org": [links()["crm-99"]]}
    assert links() == first_links | {"crm-99": links()["crm-99"]}


def test_a_long_list_leaves_nothing_personal_with_airflow(run_example, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", sqlite_warehouse(tmp_path))
    kept = json.dumps([str(value) for value in run_example("big_list_to_inbox").xcoms.values()])
    assert "example.org" not in kept
    assert "crm-" not in kept


def test_the_meeting_is_waited_for_and_then_filled(run_example, emulator):
    emulator.add_fault("GET registration", status=404, code="NotFound")
    emulator.add_fault("GET registration", nth=2, status=None)
    run = run_example("wait_until_open_then_enroll")
    assert run.state == "success"
    assert len(emulator.store.enrolled(emulator.meeting_id)) == 3


def links_of(emulator):
    """The links that the webinar's books have, by address."""
    registered = emulator.store.webinars.registered(emulator.waitlist_webinar_id)
    return {one.email: [one.join_web_url] for one in registered}


def waiting(emulator):
    registrations = emulator.store.webinars.registrations(emulator.waitlist_webinar_id)
    return [one for one in registrations if one.status == "waitlisted"]


@pytest.mark.parametrize("warehouse", [sqlite_warehouse, postgres_warehouse], ids=["SQLite", "PostgreSQL"])
def test_webinar_mails_whoever_has_a_seat_and_the_next_run_whoever_got_in_since(
    run_example, emulator, mail_sink, monkeypatch, tmp_path, warehouse
):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse(tmp_path))

    run = run_example("webinar_to_inbox")

    assert run.summary()["outcomes"] == {"enrolled": 3, "waitlisted": 2}
    assert mail_sink.links() == links_of(emulator)
    emulator.store.webinars.promote(emulator.waitlist_webinar_id, waiting(emulator)[0].id)

    run = run_example("webinar_to_inbox")

    assert run.summary()["outcomes"] == {"enrolled": 1, "already_enrolled": 3, "waitlisted": 1}
    assert mail_sink.links() == links_of(emulator)


def test_webinar_whose_links_may_not_be_read_fails_the_run_instead_of_mailing_nobody(
    run_example, emulator, mail_sink, monkeypatch, tmp_path
):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", sqlite_warehouse(tmp_path))
    emulator.set_switches(application_may_read_registration_sessions=False)

    run = run_example("webinar_to_inbox")

    assert (run.state, run.summary()["links_withheld"]) == ("failed", 3)
    assert mail_sink.links() == {}


def test_the_same_dag_runs_on_a_meeting_once_the_event_argument_names_one(
    run_example, emulator, mail_sink, monkeypatch, tmp_path
):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", sqlite_warehouse(tmp_path))
    monkeypatch.setenv("AIRFLOW_VAR_TEAMS_WEBINAR_ID", emulator.webinar_id)
    on_webinar = 'webinar_id="{{ var.value.teams_webinar_id }}"'
    on_meeting = 'meeting_id="{{ var.value.teams_meeting_id }}", organizer_id="{{ var.value.teams_organizer_id }}"'

    def move(text):
        assert text.count(on_webinar) == 1
        return text.replace(on_webinar, on_meeting)

    webinar = run_example("webinar_to_inbox")
    webinar_mails = mail_sink.links()
    meeting = run_example("webinar_to_inbox", move)

    addresses = {row["id"]: row["email"] for row in meeting.rows()}
    enrolled = {addresses[one.id]: one.join_web_url for one in emulator.store.enrolled(emulator.meeting_id)}
    registered = {one.email: one.join_web_url for one in emulator.store.webinars.registered(emulator.webinar_id)}
    assert meeting.state == webinar.state == "success"
    assert meeting.tasks == webinar.tasks
    assert [list(row) for row in meeting.rows()] == [list(row) for row in webinar.rows()]
    assert [{**row, "join_web_url": enrolled[row["email"]]} for row in webinar.rows()] == meeting.rows()
    assert webinar_mails == {email: [link] for email, link in registered.items()}
    assert mail_sink.links() == {email: [link, enrolled[email]] for email, link in registered.items()}


def test_webinar_mails_everybody_else_where_somebody_is_refused(
    run_example, emulator, mail_sink, monkeypatch, tmp_path
):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", sqlite_warehouse(tmp_path))
    emulator.store.webinars.change(emulator.waitlist_webinar_id, capacity=100)
    emulator.add_fault("POST registrations", registrant_id="crm-1", status=403, code="Forbidden")

    run = run_example("webinar_to_inbox")

    assert run.summary()["outcomes"] == {"enrolled": 4, "rejected": 1}
    assert (run.state, run.tasks["mail"]) == ("failed", "failed")
    assert len(links_of(emulator)) == 4
    assert mail_sink.links() == links_of(emulator)

    run = run_example("webinar_to_inbox")

    assert run.summary()["outcomes"] == {"enrolled": 1, "already_enrolled": 4}
    assert run.state == "success"
    assert len(links_of(emulator)) == 5
    assert mail_sink.links() == links_of(emulator)


@pytest.fixture
def organizer_lets_everybody_in(emulator):
    """Whoever waits is let in as soon as the run has seen that they wait."""
    stop = threading.Event()

    def run_sees_that_they_wait():
        """The enrolling task reads the webinar itself once, and the sensors do where they go on waiting."""
        read = [entry for entry in list(emulator.store.journal) if "/" not in entry.path.partition("/webinars/")[2]]
        return len([entry for entry in read if entry.method == "GET" and "/webinars/" in entry.path]) > 1

    def let_everybody_in():
        while not stop.wait(0.01):
            for one in waiting(emulator) if run_sees_that_they_wait() else ():
                emulator.store.webinars.promote(emulator.waitlist_webinar_id, one.id)

    organizer = threading.Thread(target=let_everybody_in)
    organizer.start()
    yield
    stop.set()
    organizer.join()


@pytest.mark.usefixtures("organizer_lets_everybody_in")
@pytest.mark.parametrize("more", [{}, {"xcom_limit": 2}], ids=["rows in XCom", "rows in the ledger"])
def test_people_on_the_waitlist_are_mailed_when_they_get_in(
    run_example, emulator, mail_sink, monkeypatch, tmp_path, more
):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", sqlite_warehouse(tmp_path))

    run = run_example("waitlist_to_inbox", **more)

    assert run.state == "success"
    late = {row["email"] for row in read_enrollments(run.rows()) if row["outcome"] == "waitlisted"}
    assert len(late) == 2
    assert {address: links for address, links in links_of(emulator).items() if address in late} == mail_sink.links()


@pytest.mark.usefixtures("organizer_lets_everybody_in")
def test_somebody_who_gets_in_and_whose_link_may_not_be_read_fails_the_run(
    run_example, emulator, mail_sink, monkeypatch, tmp_path
):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", sqlite_warehouse(tmp_path))
    emulator.set_switches(application_may_read_registration_sessions=False)

    run = run_example("waitlist_to_inbox")

    assert run.state == "failed"
    assert mail_sink.links() == {}


@pytest.mark.parametrize("path", EXAMPLES.glob("*.py"), ids=lambda path: path.stem)
def test_examples_hold_no_secret_and_parse_with_nothing_set_up(airflow_database, path):
    assert "password" not in path.read_text()
    assert path.stem in load_dags(path)
