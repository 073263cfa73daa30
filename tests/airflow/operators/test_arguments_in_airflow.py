"""A text argument says the same with white space around it, and nothing where a template rendered nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.run_dag import enroll_text as enroll
from tests.run_dag import sql_to_teams_text, task_text

pytestmark = pytest.mark.airflow

PADDINGS = pytest.mark.parametrize(
    "padded",
    [
        pytest.param(lambda text: f" {text}\n", id="written"),
        pytest.param(lambda text: f"{{{{ ' {text}' }}}}\r\n\n", id="rendered"),
        pytest.param(lambda text: f"\u200b{text}\u00a0", id="invisible"),
    ],
)
NOTHINGS = pytest.mark.parametrize("nothing", ["{{ none }}", "{{ none | tojson }}", "{{ '' }}", " ", "None", "NULL"])


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    path = tmp_path / "warehouse.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE attendees (id TEXT)")
        connection.execute("INSERT INTO attendees VALUES ('ada')")
        connection.commit()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))


def enrolled(emulator):
    return [record.id for record in emulator.store.enrolled(emulator.meeting_id)]


@PADDINGS
def test_white_space_around_arguments_changes_nothing_for_enrolling_and_cancelling(run_dag, emulator, ledger, padded):
    arguments = {
        "meeting_id": padded(emulator.meeting_id),
        "organizer_id": padded(emulator.organizer_id),
        "conn_id": padded("teams_registration_default"),
        "ledger_conn_id": padded("ledger"),
        "ledger_table": padded("people"),
    }
    first = enroll(emulator, ["ada"], **arguments)
    cancel = task_text("CancelRegistrantOperator", "cancel", {"registrants": "first.output"}, **arguments)
    run = run_dag(f"first = {first}\n{cancel}")
    assert run.tasks == {"enroll": "success", "cancel": "success"}
    assert ledger.ask("SELECT outcome FROM people") == [("cancelled",)]


@PADDINGS
def test_white_space_around_arguments_changes_nothing_for_a_query(run_dag, emulator, warehouse, padded):
    run = run_dag(
        sql_to_teams_text(
            emulator,
            "SELECT id FROM attendees",
            sql_conn_id=padded("warehouse"),
            meeting_id=padded(emulator.meeting_id),
            organizer_id=padded(emulator.organizer_id),
        )
    )
    assert run.tasks["enroll"] == "success"
    assert enrolled(emulator) == ["ada"]


@PADDINGS
@pytest.mark.parametrize("deferrable", [False, True], ids=["in the worker", "in the triggerer"])
def test_white_space_around_arguments_changes_nothing_for_sensors(run_dag, emulator, padded, deferrable):
    organizer = padded(emulator.organizer_id)
    event = {"meeting_id": padded(emulator.meeting_id), "organizer_id": organizer, "deferrable": deferrable}
    wait = task_text("RegistrationOpenSensor", "wait", allowed_registrant=padded("everyone"), timeout=10, **event)
    people = task_text(
        "RegistrantStatusSensor",
        "people",
        registrants=["nobody@example.org"],
        webinar_id=padded(emulator.webinar_id),
        conn_id=padded("teams_registration_default"),
        timeout=0,
        deferrable=deferrable,
    )
    run = run_dag(f"{wait}\n{people}")
    assert run.tasks == {"wait": "success", "people": "success"}


@PADDINGS
def test_white_space_around_arguments_changes_nothing_for_opening_and_closing(run_dag, emulator, padded):
    event = {"meeting_id": padded(emulator.closed_meeting_id), "organizer_id": padded(emulator.organizer_id)}
    opened = task_text("OpenRegistrationOperator", "open", allowed_registrant=padded("everyone"), **event)
    closed = task_text("CloseRegistrationOperator", "close", **event)
    run = run_dag(f"{opened} >> {closed}")
    assert run.tasks == {"open": "success", "close": "success"}


@PADDINGS
@pytest.mark.parametrize("way", ["join_web_url", "join_meeting_id", "webinar_name"])
def test_white_space_around_what_an_event_is_found_by_changes_nothing(run_dag, emulator, padded, way):
    meeting = emulator.store.meeting(emulator.meeting_id)
    known = {
        "join_web_url": meeting.join_web_url,
        "join_meeting_id": meeting.join_meeting_id,
        "webinar_name": emulator.store.webinars.webinar(emulator.webinar_id).display_name,
    }
    find = task_text(
        "FindEventOperator", "find", organizer_id=padded(emulator.organizer_id), **{way: padded(known[way])}
    )
    run = run_dag(find)
    expected = emulator.webinar_id if way == "webinar_name" else emulator.meeting_id
    assert run.xcoms[("find", "return_value")] == expected


@NOTHINGS
def test_what_says_nothing_is_not_given(run_dag, emulator, nothing):
    run = run_dag(
        enroll(
            emulator,
            ["ada"],
            meeting_id=emulator.meeting_id,
            webinar_id=nothing,
            preferred_timezone=nothing,
            preferred_language=nothing,
            referrer=nothing,
            ledger_conn_id=nothing,
        )
    )
    assert run.tasks["enroll"] == "success"
    assert enrolled(emulator) == ["ada"]


@NOTHINGS
def test_an_organizer_that_says_nothing_is_the_signed_in_user(run_dag, emulator, nothing, monkeypatch):
    signed_in = emulator.connection("refresh_token")
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(signed_in))
    run = run_dag(enroll(emulator, ["ada"], meeting_id=emulator.meeting_id, organizer_id=nothing))
    assert run.tasks["enroll"] == "success"


@pytest.mark.parametrize("nothing", ["{{ none }}", "{{ '' }}"])
@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("EnrollRegistrantOperator", "No event is given"),
        ("CancelRegistrantOperator", "No event is given"),
        ("OpenRegistrationOperator", "meeting_id is ''"),
        ("CloseRegistrationOperator", "meeting_id is ''"),
        ("RegistrationOpenSensor", "No event is given"),
    ],
)
def test_an_event_that_says_nothing_fails_at_once(run_dag, emulator, capfd, task, said, nothing):
    people = {"registrants": ["ada"]} if "Registrant" in task else {}
    run = run_dag(task_text(task, "t", meeting_id=nothing, organizer_id=emulator.organizer_id, retries=2, **people))
    assert (run.tasks["t"], run.tries["t"]) == ("failed", 1)
    assert said in "".join(capfd.readouterr())
    assert emulator.store.journal == []


@pytest.mark.parametrize("argument", ["conn_id", "ledger_table"])
def test_a_required_argument_that_says_nothing_is_replaced_by_no_default(run_dag, emulator, ledger, capfd, argument):
    given = {"ledger_conn_id": "ledger", argument: "{{ none }}"}
    run = run_dag(enroll(emulator, ["ada"], meeting_id=emulator.meeting_id, retries=2, **given))
    assert (run.tasks["enroll"], run.tries["enroll"]) == ("failed", 1)
    assert argument in "".join(capfd.readouterr())
    assert emulator.store.journal == []


@pytest.mark.parametrize("name", ["None", "null", " "])
def test_a_dag_that_names_no_event_is_refused_when_it_is_parsed(name):
    from airflow_provider_teams_registration.operators.cancel import CancelRegistrantOperator
    from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator
    from airflow_provider_teams_registration.operators.registration import FindEventOperator
    from airflow_provider_teams_registration.sensors.registration import RegistrationOpenSensor

    for make in (
        lambda: CancelRegistrantOperator(task_id="t", meeting_id=name, registrants=["ada"]),
        lambda: EnrollRegistrantOperator(task_id="t", meeting_id=name, registrants=["ada"]),
        lambda: FindEventOperator(task_id="t", join_web_url=name),
        lambda: RegistrationOpenSensor(task_id="t", webinar_id=name),
    ):
        with pytest.raises(ValueError, match="exactly one of"):
            make()


@pytest.mark.parametrize("seconds", [-1, "120", float("nan")])
def test_a_time_that_is_none_is_refused_when_the_dag_is_parsed(seconds):
    from airflow_provider_teams_registration.operators.cancel import CancelRegistrantOperator

    with pytest.raises(ValueError, match=r"settle_after is .* number of seconds"):
        CancelRegistrantOperator(task_id="t", meeting_id="m", registrants=["ada"], settle_after=seconds)


def test_a_trigger_reads_its_arguments_likewise():
    from airflow_provider_teams_registration.triggers.registration import RegistrationOpenTrigger

    trigger = RegistrationOpenTrigger(
        conn_id=" teams\n", poll_interval=1, meeting_id=" m\n", organizer_id="None", webinar_id=""
    )
    assert trigger.serialize()[1] == {
        "conn_id": "teams",
        "meeting_id": "m",
        "webinar_id": None,
        "organizer_id": None,
        "allowed_registrant": None,
        "poll_interval": 1,
    }


GUID = "dc17674c-81d9-4adb-bfb2-8f6a442e4622"


@pytest.mark.parametrize(
    ("task", "named", "kinds"),
    [
        ("EnrollRegistrantOperator", {"meeting_id": "canary"}, "meeting_id (it looks like an id)"),
        ("CloseRegistrationOperator", {"meeting_id": "canary"}, "meeting_id (it looks like an id)"),
        ("PublishWebinarOperator", {"webinar_id": f"{GUID}@{GUID}"}, "webinar_id (it looks like a webinar's id)"),
        ("FindEventOperator", {"join_meeting_id": "123"}, "join_meeting_id (it looks like a number)"),
        ("RegistrationOpenSensor", {"webinar_id": "canary"}, "webinar_id (it looks like an id)"),
        ("RegistrationOpenSensor", {"webinar_id": "canary", "deferrable": True}, "webinar_id (it looks like an id)"),
    ],
)
def test_a_404_names_the_argument_and_its_kind(run_dag, emulator, capfd, task, named, kinds):
    people = {"registrants": [{"id": "ada", "email": "ada@example.org"}]} if "Registrant" in task else {}
    organizer = {} if task == "PublishWebinarOperator" else {"organizer_id": emulator.organizer_id}
    run = run_dag(task_text(task, "t", **named, **organizer, **people))
    said = "".join(capfd.readouterr())
    assert run.tasks["t"] == "failed"
    assert "404 NotFound" in said
    assert kinds in said


WRONG_IDS = [
    (
        "EnrollRegistrantOperator",
        {"meeting_id": "https://events.teams.microsoft.com/canary"},
        "meeting_id looks like a link",
    ),
    ("CancelRegistrantOperator", {"webinar_id": "123 456 789"}, "webinar_id looks like a number"),
    ("OpenRegistrationOperator", {"meeting_id": "canary@example.org"}, "meeting_id looks like an e-mail address"),
    ("CloseRegistrationOperator", {"meeting_id": GUID}, "meeting_id looks like a GUID"),
    ("PublishWebinarOperator", {"webinar_id": "https://teams.example/canary"}, "webinar_id looks like a link"),
    ("RegistrationOpenSensor", {"meeting_id": f"{GUID}@{GUID}"}, "meeting_id looks like a webinar's id"),
    ("RegistrantStatusSensor", {"webinar_id": "canary@example.org"}, "webinar_id looks like an e-mail address"),
    (
        "EnrollRegistrantOperator",
        {"meeting_id": "m", "organizer_id": "canary@example.org"},
        "organizer_id looks like an e-mail address",
    ),
    (
        "FindEventOperator",
        {"join_meeting_id": "1", "organizer_id": "canary@example.org"},
        "organizer_id looks like an e-mail address",
    ),
]


def test_an_id_of_another_kind_fails_at_once_and_without_a_call(run_dag, emulator, capfd):
    tasks = []
    for place, (task, named, _) in enumerate(WRONG_IDS):
        templates = {name: f"{{{{ {value!r} }}}}" for name, value in named.items()}
        people = {"registrants": ["ada"]} if "Registrant" in task else {}
        tasks.append(task_text(task, f"t{place}", retries=2, **templates, **people))
    run = run_dag("\n".join(tasks))
    said = "".join(capfd.readouterr())
    assert set(run.tasks.values()) == {"failed"}
    assert set(run.tries.values()) == {1}
    assert [refusal for *_, refusal in WRONG_IDS if refusal not in said] == []
    assert emulator.store.journal == []


@pytest.mark.parametrize(("task", "named", "refusal"), WRONG_IDS)
def test_an_id_of_another_kind_is_refused_when_the_dag_is_parsed(task, named, refusal):
    from airflow_provider_teams_registration.operators import cancel, enroll, registration
    from airflow_provider_teams_registration.sensors import registrant as status_sensor
    from airflow_provider_teams_registration.sensors import registration as sensor

    homes = (cancel, enroll, registration, status_sensor, sensor)
    make = next(getattr(home, task) for home in homes if hasattr(home, task))
    people = {"registrants": ["ada"]} if "Registrant" in task else {}
    with pytest.raises(ValueError, match=refusal):
        make(task_id="t", **named, **people)


@pytest.mark.parametrize(
    ("named", "said"),
    [({"webinar_id": "canary"}, "webinar_id (it looks like an id)"), ({"webinar_id": "123"}, "looks like a number")],
    ids=["404", "refused"],
)
def test_an_event_that_is_not_there_ends_the_wait_of_a_trigger(monkeypatch, emulator, named, said):
    import asyncio

    from airflow_provider_teams_registration.triggers.registration import RegistrationOpenTrigger

    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))
    trigger = RegistrationOpenTrigger(conn_id="teams_registration_default", poll_interval=1, **named)

    async def first_event():
        return await anext(trigger.run())

    assert said in asyncio.run(first_event()).payload["failure"]


@pytest.mark.parametrize(
    ("arguments", "instances"),
    [
        ({}, 1),
        ({"max_active_tis_per_dag": 3}, 3),
        ({"ledger_conn_id": "ledger"}, None),
    ],
)
def test_without_a_shared_ledger_one_instance_of_the_task_runs_at_a_time(arguments, instances):
    from airflow.providers.common.compat.sdk import DAG

    from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator

    with DAG("dag", schedule=None):
        operator = EnrollRegistrantOperator(task_id="enroll", meeting_id="MSp", registrants=[], **arguments)
    assert operator.max_active_tis_per_dag == instances
