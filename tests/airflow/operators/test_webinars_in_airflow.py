from __future__ import annotations

from collections import Counter

import pytest

from tests.run_dag import enroll_text as enroll

pytestmark = pytest.mark.airflow

PEOPLE = [
    {"id": f"crm-{number}", "email": f"person{number}@example.org", "first_name": "Person", "last_name": str(number)}
    for number in range(1, 11)
]
DEFAULTS = {"preferred_timezone": "Europe/Rome", "preferred_language": "en-us"}


@pytest.fixture
def registrations(emulator):
    """Who is on a webinar: status and link by e-mail address."""

    def read(webinar_id=emulator.webinar_id):
        return {one.email: (one.status, one.join_web_url) for one in emulator.store.webinars.registrations(webinar_id)}

    return read


def writes(emulator):
    return [entry for entry in emulator.store.journal if entry.method == "POST" and "/registrations" in entry.path]


def test_moving_from_a_meeting_to_a_webinar_changes_the_event_argument_and_nothing_else(
    run_dag, emulator, registrations
):
    on_meeting = enroll(emulator, PEOPLE, **DEFAULTS)
    on_webinar = on_meeting.replace(f"meeting_id={emulator.meeting_id!r}", f"webinar_id={emulator.webinar_id!r}")
    rows = {kind: run_dag(text).rows() for kind, text in {"meeting": on_meeting, "webinar": on_webinar}.items()}
    links = {
        "meeting": {record.id: record.join_web_url for record in emulator.store.enrolled(emulator.meeting_id)},
        "webinar": {row["id"]: registrations()[row["email"]][1] for row in PEOPLE},
    }
    assert on_webinar != on_meeting
    assert [list(row) for row in rows["webinar"]] == [list(row) for row in rows["meeting"]]
    for kind, own in links.items():
        expected = [{**row, "outcome": "enrolled", "join_web_url": own[row["id"]], "error": None} for row in PEOPLE]
        assert rows[kind] == expected
        assert len({row["join_web_url"] for row in rows[kind]}) == len(PEOPLE)


def test_the_defaults_and_the_people_may_be_templates_and_are_not_shown(run_dag, emulator):
    run = run_dag(
        f"""
        @task
        def attendees():
            return {PEOPLE[:2]!r}

        {
            enroll(
                emulator,
                "attendees()",
                webinar_id="{{ var.value.get('webinar', '" + emulator.webinar_id + "') }}",
                preferred_timezone="{{ 'Europe/' ~ 'Rome' }}",
                preferred_language="{{ 'en-' ~ 'us' }}",
                referrer="{{ dag.dag_id }}",
            )
        }
        """
    )
    one, _ = emulator.store.webinars.registered(emulator.webinar_id)
    assert run.state == "success"
    assert (one.preferred_timezone, one.preferred_language) == ("W. Europe Standard Time", "en-us")
    assert one.referrer == run.dag_id
    assert run.rendered["enroll"]["registrants"] == "2 registrants"


def test_columns_answer_the_questions_and_a_row_without_a_required_answer_is_never_sent(run_dag, emulator):
    answered = {**PEOPLE[0], "Who told you of us?": "a friend", "Which track?": "data", "May we write to you?": "no"}
    webinar = {"webinar_id": emulator.questions_webinar_id, "max_rejected": 1}
    run = run_dag(enroll(emulator, [answered, PEOPLE[1]], **webinar, **DEFAULTS))
    (one,) = emulator.store.webinars.registered(emulator.questions_webinar_id)
    assert [row["outcome"] for row in run.rows()] == ["enrolled", "invalid"]
    assert "the questions 'Who told you of us?' and 'Which track?' are required" in run.rows()[1]["error"]
    assert [(answer["questionId"], answer.get("value")) for answer in one.answers][:2] == [
        ("q-text", "a friend"),
        ("q-single-choice", "Data"),
    ]
    assert len(writes(emulator)) == 1


STATUSES = {
    "registered": "enrolled",
    "waitlisted": "waitlisted",
    "pendingApproval": "pending_approval",
    "rejectedByOrganizer": "declined",
}


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_its_outcome_and_only_the_registered_have_a_link(run_dag, emulator, status):
    emulator.set_switches(new_registration_status=status)
    run = run_dag(enroll(emulator, PEOPLE[:1], webinar_id=emulator.webinar_id, max_rejected=1, **DEFAULTS))
    (row,) = run.rows()
    assert run.state == "success"
    assert row["outcome"] == STATUSES[status]
    assert bool(row["join_web_url"]) == (status == "registered")


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        ({}, "success"),
        ({"success_outcomes": ["enrolled"]}, "failed"),
        ({"success_outcomes": ["enrolled"], "max_rejected": 1}, "success"),
    ],
    ids=["by default", "not among the outcomes that are fine", "tolerated"],
)
def test_the_author_says_whether_a_waitlist_will_do(run_dag, emulator, capfd, arguments, state):
    webinar = {"webinar_id": emulator.waitlist_webinar_id, "retries": 2, "settle_after": 1}
    run = run_dag(enroll(emulator, PEOPLE[:4], **webinar, **DEFAULTS, **arguments))
    said = "".join(capfd.readouterr())
    assert (run.state, run.tries["enroll"]) == (state, 1)
    assert run.summary()["outcomes"] == {"enrolled": 3, "waitlisted": 1}
    assert [row["outcome"] for row in run.rows()] == ["enrolled"] * 3 + ["waitlisted"]
    assert ("1 waitlisted (row 4)" in said) == bool(arguments)


@pytest.mark.parametrize("wrong", ["enrolled", ["enroled"]], ids=["no list", "no outcome"])
def test_outcomes_that_there_are_none_of_break_the_dag_and_not_a_run(wrong):
    from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator

    with pytest.raises(ValueError, match="it must be a list of enrolled, already_enrolled, waitlisted"):
        EnrollRegistrantOperator(task_id="enroll", registrants=[], webinar_id="w", success_outcomes=wrong)


def test_a_link_that_stays_refused_fails_the_task_with_the_reason_and_what_can_be_done(run_dag, emulator, capfd):
    emulator.add_fault("GET sessions", times=0, status=404, code="NotFound", message="No such session.")
    webinar = {"webinar_id": emulator.webinar_id, "settle_after": 0.5, "retries": 2}
    run = run_dag(enroll(emulator, PEOPLE[:1], **webinar, **DEFAULTS))
    said = "".join(capfd.readouterr())
    assert (run.state, run.tries["enroll"], run.summary()["links_missing"]) == ("failed", 1, 1)
    assert "the link cannot be read: 404 NotFound: No such session." in said
    assert "To accept them, set on_missing_join_url='ignore'" in said
    assert "re_enroll" not in said


def test_links_that_may_not_be_read_fail_nothing_and_are_told_of(run_dag, emulator, capfd):
    emulator.set_switches(application_may_read_registration_sessions=False)
    run = run_dag(enroll(emulator, PEOPLE[:2], webinar_id=emulator.webinar_id, **DEFAULTS))
    said = "".join(capfd.readouterr())
    assert (run.state, run.summary()["links_missing"], run.summary()["links_withheld"]) == ("success", 0, 2)
    assert "2 registrants may join, and the connection lacks the permission to read their links." in said
    assert [row["outcome"] for row in run.rows()] == ["enrolled"] * 2
    assert "XCom not found" not in said


def test_a_link_that_stays_refused_may_be_ignored(run_dag, emulator):
    emulator.add_fault("GET sessions", times=0, status=404, code="NotFound")
    webinar = {"webinar_id": emulator.webinar_id, "settle_after": 0.5, "on_missing_join_url": "ignore"}
    run = run_dag(enroll(emulator, PEOPLE[:1], **webinar, **DEFAULTS))
    assert run.state == "success"
    assert [(row["outcome"], row["join_web_url"]) for row in run.rows()] == [("enrolled", None)]


@pytest.mark.parametrize(("meeting_id", "webinar_id"), [(None, None), ("m", "w")], ids=["neither", "both"])
def test_exactly_one_event_is_named(meeting_id, webinar_id):
    from airflow_provider_teams_registration.operators.enroll import EnrollRegistrantOperator

    with pytest.raises(ValueError, match="Give exactly one"):
        EnrollRegistrantOperator(task_id="enroll", registrants=[], meeting_id=meeting_id, webinar_id=webinar_id)


@pytest.mark.parametrize("event", ["draft_webinar_id", "canceled_webinar_id"])
def test_a_webinar_that_takes_nobody_fails_at_once_and_clearly(run_dag, emulator, capfd, event):
    run = run_dag(enroll(emulator, PEOPLE, webinar_id=getattr(emulator, event), retries=2, **DEFAULTS))
    said = "".join(capfd.readouterr())
    assert (run.state, run.tries["enroll"]) == ("failed", 1)
    assert f"The webinar is {event.split('_')[0]}, not published" in said
    assert "PublishWebinarOperator" in said
    assert writes(emulator) == []


def test_a_wait_in_the_middle_is_deferred_and_then_gone_on_from(run_dag, emulator, ledger, registrations, capfd):
    emulator.set_switches(duplicate="second_record")
    emulator.add_fault("POST registrations", nth=4, times=3, status=429, retry_after="2")
    waiting = {"deferrable": True, "defer_over": 1, "settle_after": 1, "ledger_conn_id": "ledger"}
    run = run_dag(enroll(emulator, PEOPLE, webinar_id=emulator.webinar_id, **waiting, **DEFAULTS))
    said = "".join(capfd.readouterr())
    assert run.state == "success"
    assert "Deferring the task, which frees its worker slot." in said
    assert Counter(one.email for one in emulator.store.webinars.registrations(emulator.webinar_id)) == Counter(
        row["email"] for row in PEOPLE
    )
    assert [row["join_web_url"] for row in run.rows()] == [registrations()[row["email"]][1] for row in PEOPLE]
    assert run.summary()["outcomes"] == {"enrolled": 10}


def test_a_second_run_sends_nobody_and_returns_the_same_links(run_dag, emulator, ledger):
    text = enroll(emulator, PEOPLE, webinar_id=emulator.webinar_id, ledger_conn_id="ledger", **DEFAULTS)
    first = run_dag(text)
    emulator.clear_journal()
    second = run_dag(text)
    assert writes(emulator) == []
    assert second.summary()["outcomes"] == {"already_enrolled": 10}
    assert [row["join_web_url"] for row in second.rows()] == [row["join_web_url"] for row in first.rows()]
