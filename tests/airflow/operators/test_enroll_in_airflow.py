from __future__ import annotations

from datetime import timedelta

import pytest

from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow


def enrolled(emulator):
    return [record.id for record in emulator.store.enrolled(emulator.meeting_id)]


def test_everybody_comes_back_with_their_own_link(run_dag, emulator):
    run = run_dag(enroll(emulator, [{"id": "ada", "city": "Bern"}, {"id": "grace"}]))
    links = {record.id: record.join_web_url for record in emulator.store.enrolled(emulator.meeting_id)}
    assert run.state == "success"
    assert run.rows() == [
        {"id": "ada", "city": "Bern", "outcome": "enrolled", "join_web_url": links["ada"], "error": None},
        {"id": "grace", "outcome": "enrolled", "join_web_url": links["grace"], "error": None},
    ]
    assert run.summary() == {
        "rows": 2,
        "repeated": 0,
        "outcomes": {"enrolled": 2},
        "links_missing": 0,
        "links_withheld": 0,
        "changed": 0,
        "reasons": {},
        "event": {
            "meeting_id": emulator.meeting_id,
            "title": "Open to everyone",
            "start": "2027-03-01T09:00:00Z",
            "end": "2027-03-01T10:00:00Z",
        },
    }


@pytest.mark.parametrize(
    "registrants",
    [
        pytest.param("['ada']", id="a list of ids"),
        pytest.param("{'id': 'ada'}", id="one dict"),
        pytest.param("({'id': name} for name in ['ada'])", id="a generator"),
        pytest.param("({'id': 'ada'},)", id="a tuple"),
        pytest.param("""'[{"id": "ada"}]'""", id="a string of JSON"),
        pytest.param("'{{ [\"ada\"] | tojson }}'", id="a template of JSON"),
        pytest.param("['{{ \"ada\" }}']", id="a list of templates"),
        pytest.param("[{'id': '{{ \"ada\" }}'}]", id="templates in dicts"),
    ],
)
def test_registrants_come_in_many_shapes(run_dag, emulator, registrants):
    run = run_dag(enroll(emulator, registrants))
    assert run.state == "success"
    assert enrolled(emulator) == ["ada"]
    assert run.rendered["enroll"]["registrants"] == "1 registrant"


def test_rows_of_a_task_before_are_enrolled_and_never_shown(run_dag, emulator):
    run = run_dag(
        f"""
        @task
        def attendees():
            return [{{"id": f"person-{{number}}", "email": "canary@example.org"}} for number in range(57)]

        {enroll(emulator, "attendees()")}
        """
    )
    assert len(enrolled(emulator)) == 57
    assert run.rendered["enroll"]["registrants"] == "57 registrants"
    assert "canary" not in str(run.rendered["enroll"])


def test_what_a_warehouse_holds_is_never_taken_for_a_template(run_dag, emulator):
    run = run_dag(
        f"""
        @task
        def attendees():
            return ["{{{{ 1 / 0 }}}}"]

        {enroll(emulator, "attendees()")}
        """
    )
    assert run.state == "success"
    assert enrolled(emulator) == ["{{ 1 / 0 }}"]


def test_a_mapped_task_enrolls_its_own_rows(run_dag, emulator):
    run = run_dag(
        f"""
        @task
        def chunks():
            return [[{{"id": "ada"}}, {{"id": "{{{{ 1 / 0 }}}}"}}], [{{"id": "grace"}}]]

        EnrollRegistrantOperator.partial(
            task_id="enroll", meeting_id={emulator.meeting_id!r}, organizer_id={emulator.organizer_id!r}
        ).expand(registrants=chunks())
        """
    )
    assert run.tasks["enroll"] == ["success", "success"]
    assert sorted(enrolled(emulator)) == ["ada", "grace", "{{ 1 / 0 }}"]


def test_the_rows_of_mapped_tasks_before_are_all_enrolled(run_dag, emulator):
    run = run_dag(
        f"""
        @task
        def attendee(name):
            return {{"id": name}}

        {enroll(emulator, "attendee.expand(name=['ada', 'grace', 'edsger'])")}
        """
    )
    assert run.state == "success"
    assert enrolled(emulator) == ["ada", "grace", "edsger"]


def test_a_row_made_of_other_tasks_results_waits_for_them(run_dag, emulator):
    run = run_dag(
        f"""
        @task
        def name():
            return "ada"

        {enroll(emulator, "[{'id': name()}]")}
        """
    )
    assert run.state == "success"
    assert enrolled(emulator) == ["ada"]


def test_a_refusal_fails_the_task_after_everybody_else_is_enrolled(run_dag, emulator):
    emulator.add_fault("POST registrants", registrant_id="grace", status=400, code="BadRequest", message="grace? No")
    run = run_dag(enroll(emulator, ["ada", "grace", "edsger", ""], retries=3))
    assert run.tasks["enroll"] == "failed"
    assert run.tries["enroll"] == 1
    assert [row["outcome"] for row in run.rows()] == ["enrolled", "rejected", "enrolled", "invalid"]
    assert run.summary()["outcomes"] == {"enrolled": 2, "invalid": 1, "rejected": 1}
    assert enrolled(emulator) == ["ada", "edsger"]


def test_tolerated_refusals_leave_the_task_green(run_dag, emulator):
    run = run_dag(enroll(emulator, ["ada", "grace", "edsger", ""], max_rejected="25%"))
    assert run.tasks["enroll"] == "success"
    assert [row["outcome"] for row in run.rows()] == ["enrolled", "enrolled", "enrolled", "invalid"]


@pytest.mark.parametrize("duplicate", ["same", "new_link", "conflict", "bad_request", "second_record"])
def test_a_lost_answer_is_settled_and_the_lost_link_repaired(run_dag, emulator, duplicate):
    emulator.set_switches(duplicate=duplicate)
    emulator.add_fault("POST $batch", when="after", status=503)
    run = run_dag(enroll(emulator, ["ada"], settle_after=1))
    (ada,) = emulator.store.enrolled(emulator.meeting_id)
    assert run.tasks["enroll"] == "success"
    assert run.rows() == [{"id": "ada", "outcome": "enrolled", "join_web_url": ada.join_web_url, "error": None}]


def test_a_send_that_never_landed_is_sent_again(run_dag, emulator):
    emulator.add_fault("POST $batch", when="before", status=503)
    run = run_dag(enroll(emulator, ["ada"], settle_after=0))
    assert run.tasks["enroll"] == "success"
    assert enrolled(emulator) == ["ada"]


def test_a_service_in_trouble_leaves_the_task_to_its_retries(run_dag, emulator):
    emulator.add_fault("GET registration", times=4, status=503)
    run = run_dag(enroll(emulator, ["ada"], retries=1, retry_delay=timedelta(0)))
    assert run.tasks["enroll"] == "success"
    assert run.tries["enroll"] == 2


def test_nobody_at_all_is_a_success_without_a_call(run_dag, emulator):
    run = run_dag(enroll(emulator, []))
    assert run.state == "success"
    assert run.rows() == []
    assert emulator.store.journal == []


def test_the_link_to_the_meeting_is_at_hand(run_dag, emulator):
    run = run_dag(enroll(emulator, ["ada"]))
    meeting = emulator.store.meeting(emulator.meeting_id)
    assert run.xcoms[("enroll", "meeting_link")] == meeting.join_web_url


def test_a_task_without_a_link_to_its_meeting_logs_no_error_about_it(run_dag, emulator, capfd):
    run = run_dag(enroll(emulator, ["ada"], meeting_id=emulator.closed_meeting_id))
    assert run.tasks["enroll"] == "failed"
    assert "XCom not found" not in "".join(capfd.readouterr())


def test_more_rows_than_airflow_maps_over_are_refused_before_the_first_send(run_dag, emulator):
    run = run_dag(
        f"""
        enrolled = {enroll(emulator, "list(range(1025))")}

        @task
        def mail(row):
            pass

        mail.expand(row=enrolled.output)
        """
    )
    assert run.tasks["enroll"] == "failed"
    assert emulator.store.journal == []


def test_many_rows_without_a_mapped_task_are_enrolled(run_dag, emulator):
    run = run_dag(enroll(emulator, "list(range(1025))", xcom_limit=1025))
    assert run.tasks["enroll"] == "success"
    assert len(enrolled(emulator)) == 1025


def test_the_rows_feed_a_mapped_task(run_dag, emulator):
    run = run_dag(
        f"""
        enrolled = {enroll(emulator, ["ada", "grace", ""], max_rejected=1)}

        def with_link(row):
            if not row["join_web_url"]:
                raise AirflowSkipException
            return row["id"]

        @task
        def mail(name):
            return name

        mail.expand(name=enrolled.output.map(with_link))
        """
    )
    assert run.tasks["mail"] == ["success", "success", "skipped"]


def test_an_unknown_connection_fails_at_once(run_dag, emulator):
    run = run_dag(enroll(emulator, ["ada"], conn_id="nowhere", retries=3))
    assert run.tasks["enroll"] == "failed"
    assert run.tries["enroll"] == 1


@pytest.mark.parametrize(
    "registrants",
    [
        pytest.param("None", id="nothing"),
        pytest.param("'{{ none }}'", id="a template of nothing"),
        pytest.param("'{{ none | tojson }}'", id="a template of null"),
        pytest.param("'{{ [1, 2] }} people'", id="a template of prose"),
        pytest.param("[{'id': 'ada', 'photo': b'canary'}]", id="what XCom cannot hold"),
    ],
)
def test_what_is_no_list_of_people_fails_at_once_and_sends_nothing(run_dag, emulator, registrants):
    run = run_dag(enroll(emulator, registrants, retries=2))
    assert run.tasks["enroll"] == "failed"
    assert run.tries["enroll"] == 1
    assert emulator.store.journal == []


def test_a_template_of_one_id_is_one_person(run_dag, emulator):
    run = run_dag(enroll(emulator, "'{{ \"crm-1\" | tojson }}'"))
    assert run.state == "success"
    assert enrolled(emulator) == ["crm-1"]


def test_a_time_limit_leaves_the_rows_of_who_is_enrolled_and_sends_nobody_twice(run_dag, emulator):
    emulator.add_fault("POST $batch", nth=3, times=0, delay=1.0)
    run = run_dag(
        enroll(
            emulator,
            "list(range(200))",
            retries=1,
            retry_delay=timedelta(0),
            execution_timeout=timedelta(seconds=2),
            max_parallel_requests=1,
        )
    )
    assert run.tasks["enroll"] == "failed"
    outcomes = {row["id"]: row["outcome"] for row in run.rows()}
    assert {str(name) for name, outcome in outcomes.items() if outcome == "enrolled"} == set(enrolled(emulator))
    assert len(emulator.store.registrants(emulator.meeting_id)) == len(set(enrolled(emulator))) < 200


def test_without_a_ledger_conn_id_somebody_who_is_on_the_event_twice_fails_the_task_for_good(run_dag, emulator, capfd):
    emulator.set_switches(duplicate="second_record")
    meeting = emulator.store.meeting(emulator.meeting_id)
    for _ in range(2):
        emulator.store.enroll(meeting, "canary-1")
    run = run_dag(enroll(emulator, ["canary-1", "canary-2"], on_missing_join_url="ignore", retries=2))
    said = "".join(capfd.readouterr())
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    assert "1 registrant is on the event more than once (row 1)." in said
    assert said.count("Without ledger_conn_id this task does not see") == 1
    assert [row["outcome"] for row in run.rows()] == ["already_enrolled", "enrolled"]
