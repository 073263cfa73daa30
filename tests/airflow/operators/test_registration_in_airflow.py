from __future__ import annotations

import json

import pytest

from tests.run_dag import enroll_text, task_text

pytestmark = pytest.mark.airflow


@pytest.fixture
def organizer(emulator, monkeypatch):
    """A connection of the signed-in organizer."""
    monkeypatch.setenv("AIRFLOW_CONN_ORGANIZER", json.dumps(emulator.connection("refresh_token")))
    return "organizer"


@pytest.fixture
def failure(run_dag, capfd):
    """Run a task that fails without burning its retries, and return what it said."""

    def fail(text):
        run = run_dag(text.replace("task_id=", "retries=2, task_id="))
        (task_id,) = run.tasks
        assert (run.state, run.tries[task_id]) == ("failed", 1)
        return "".join(capfd.readouterr())

    return fail


def meeting(emulator, name="OpenRegistrationOperator", meeting_id=None, **arguments):
    event = {"meeting_id": meeting_id or emulator.closed_meeting_id, "organizer_id": emulator.organizer_id}
    return task_text(name, "registration", **(event | arguments))


def closed(emulator, meeting_id=None, **arguments):
    return meeting(emulator, "CloseRegistrationOperator", meeting_id or emulator.meeting_id, **arguments)


def publish(webinar_id, **arguments):
    return task_text("PublishWebinarOperator", "publish", webinar_id=webinar_id, **arguments)


def find(emulator, **arguments):
    return task_text("FindEventOperator", "find", **({"organizer_id": emulator.organizer_id} | arguments))


def did(emulator):
    return [entry.effect for entry in emulator.store.journal if entry.effect]


@pytest.mark.parametrize("audience", ["everyone", "organization"])
def test_a_meeting_is_opened_and_people_can_be_enrolled(run_dag, emulator, audience):
    run = run_dag(meeting(emulator, allowed_registrant=audience))
    opened = emulator.store.meeting(emulator.closed_meeting_id)
    assert run.state == "success"
    assert opened.allowed_registrant == audience
    assert run.rows("registration") == {"id": opened.registration_id, "allowed_registrant": audience}


def test_the_organizer_opens_a_meeting_of_their_own(run_dag, emulator, organizer):
    assert run_dag(meeting(emulator, organizer_id=None, conn_id=organizer)).state == "success"
    assert emulator.store.meeting(emulator.closed_meeting_id).allowed_registrant == "everyone"


def test_a_meeting_that_is_open_already_stays_as_it_is(run_dag, emulator):
    before = emulator.store.meeting(emulator.meeting_id)
    run = run_dag(meeting(emulator, meeting_id=emulator.meeting_id))
    assert run.rows("registration")["id"] == before.registration_id
    assert did(emulator) == []


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}], ids=["no answer", "connection broken"])
def test_an_opening_whose_answer_was_lost_is_looked_up(run_dag, emulator, fault):
    emulator.add_fault("POST registration", when="after", **fault)
    run = run_dag(meeting(emulator))
    assert run.state == "success"
    assert run.rows("registration")["id"] == emulator.store.meeting(emulator.closed_meeting_id).registration_id


def test_a_meeting_that_is_open_to_others_is_not_closed_behind_anybodys_back(failure, emulator):
    said = failure(meeting(emulator, meeting_id=emulator.meeting_id, allowed_registrant="organization"))
    assert "open to everyone, not to organization" in said
    assert did(emulator) == []


def test_an_unknown_audience_is_refused_before_the_first_call(failure, emulator):
    assert "allowed_registrant is 'all'" in failure(meeting(emulator, allowed_registrant="all"))
    assert emulator.store.journal == []


def test_an_application_that_may_not_open_is_told_what_is_missing(failure, emulator):
    emulator.set_switches(application_may_enroll=False)
    assert "OnlineMeetings.ReadWrite" in failure(meeting(emulator))


def test_a_meeting_is_closed(run_dag, emulator):
    assert run_dag(closed(emulator)).state == "success"
    assert emulator.store.meeting(emulator.meeting_id).registration_id is None


def test_a_meeting_that_is_closed_already_stays_so(run_dag, emulator):
    assert run_dag(closed(emulator, meeting_id=emulator.closed_meeting_id)).state == "success"
    assert did(emulator) == []


def test_a_meeting_that_is_not_there_is_not_closed(failure, emulator):
    assert "404" in failure(closed(emulator, meeting_id="MSpnone"))


def test_a_closing_whose_answer_was_lost_is_tried_again(run_dag, emulator):
    from datetime import timedelta

    emulator.add_fault("DELETE registration", when="after", status=503)
    run = run_dag(closed(emulator, retries=1, retry_delay=timedelta(0)))
    assert (run.state, run.tries["registration"]) == ("success", 2)


def test_the_organizer_publishes_a_draft(run_dag, emulator, organizer):
    assert run_dag(publish(emulator.draft_webinar_id, conn_id=organizer)).state == "success"
    assert emulator.store.webinars.webinar(emulator.draft_webinar_id).status == "published"


def test_a_published_webinar_stays_as_it_is_whoever_asks(run_dag, emulator):
    assert run_dag(publish(emulator.webinar_id)).state == "success"
    assert did(emulator) == []


def test_a_publication_whose_answer_was_lost_is_looked_up(run_dag, emulator, organizer):
    emulator.add_fault("POST publish", when="after", status=503)
    assert run_dag(publish(emulator.draft_webinar_id, conn_id=organizer)).state == "success"


def test_an_application_is_told_that_only_the_organizer_may_publish(failure, emulator):
    said = failure(publish(emulator.draft_webinar_id))
    assert "auth refresh_token" in said
    assert "delegated permission VirtualEvent.ReadWrite" in said
    assert emulator.store.webinars.webinar(emulator.draft_webinar_id).status == "draft"


def test_a_sign_in_without_the_permission_is_told_its_name(failure, emulator, organizer):
    emulator.set_switches(scopes="VirtualEvent.Read")
    assert "delegated permission VirtualEvent.ReadWrite" in failure(
        publish(emulator.draft_webinar_id, conn_id=organizer)
    )


def test_a_cancelled_webinar_is_not_published(failure, emulator, organizer):
    assert "The webinar is canceled" in failure(publish(emulator.canceled_webinar_id, conn_id=organizer))
    assert did(emulator) == []


def numbered(number):
    return f" {number[:3]} {number[3:6]} {number[6:]}"


WAYS = {
    "by its link": lambda emulator, wanted: {"join_web_url": wanted.join_web_url},
    "by its number": lambda emulator, wanted: {"join_meeting_id": numbered(wanted.join_meeting_id)},
    "by its calendar event": lambda emulator, wanted: {"event_id": emulator.event_id},
}


@pytest.mark.parametrize("by_organizer", [False, True], ids=["application", "organizer"])
@pytest.mark.parametrize("way", WAYS)
def test_a_meeting_is_found(run_dag, emulator, organizer, way, by_organizer):
    known = WAYS[way](emulator, emulator.store.meeting(emulator.meeting_id))
    caller = {"conn_id": organizer, "organizer_id": None} if by_organizer else {}
    assert run_dag(find(emulator, **known, **caller)).rows("find") == emulator.meeting_id


GIVEN = {
    "as it is": "{link!r}",
    "as a template": "{template!r}",
    "by another task": "link()",
}


@pytest.mark.parametrize("given", GIVEN)
def test_the_link_that_a_meeting_is_found_by_is_not_shown(run_dag, emulator, given):
    link = emulator.store.meeting(emulator.meeting_id).join_web_url
    expression = GIVEN[given].format(link=link, template=f"{{{{ {link!r} }}}}")
    run = run_dag(
        f"""
        @task(show_return_value_in_logs=False)
        def link():
            return {link!r}

        FindEventOperator(task_id="find", organizer_id={emulator.organizer_id!r}, join_web_url={expression})
        """
    )
    assert run.rows("find") == emulator.meeting_id
    assert run.rendered["find"]["join_web_url"] == "a link"


WEBINAR_LINKS = {
    "its own link": lambda emulator: emulator.store.webinars.webinar(emulator.webinar_id).join_web_url,
    "a registrant's link": lambda emulator: (
        emulator.store.webinars.register(emulator.webinar_id, "ada@example.org").join_web_url
    ),
    "the registration page": lambda emulator: f"https://events.teams.microsoft.com/event/{emulator.webinar_id}",
}


@pytest.mark.parametrize("link", WEBINAR_LINKS)
def test_a_webinar_is_found_by_a_link_that_is_not_shown(run_dag, emulator, organizer, capfd, link):
    url = WEBINAR_LINKS[link](emulator)
    by_organizer = {"conn_id": organizer, "organizer_id": None}
    without_organizer = {"organizer_id": None}
    callers = [{"organizer_id": emulator.organizer_id}, without_organizer, by_organizer]
    tasks = [
        task_text("FindEventOperator", f"find{place}", join_web_url=url, kind="webinar", **caller)
        for place, caller in enumerate(callers)
    ]

    run = run_dag("\n".join(tasks))

    assert [run.rows(f"find{place}") for place in range(3)] == [emulator.webinar_id] * 3
    assert {run.rendered[f"find{place}"]["join_web_url"] for place in range(3)} == {"a link"}
    assert "meetup-join" not in "".join(capfd.readouterr())


def test_a_link_to_a_meeting_finds_no_webinar_and_the_other_way_round(failure, emulator):
    meeting_link = emulator.store.meeting(emulator.meeting_id).join_web_url
    webinar_link = WEBINAR_LINKS["its own link"](emulator)

    said = failure(find(emulator, join_web_url=meeting_link, kind="webinar"))
    assert "The link leads to no webinar" in said
    assert "join_web_url (it looks like a join URL)" in said
    assert "no such online meeting" in failure(find(emulator, join_web_url=webinar_link))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"join_meeting_id": "123", "kind": "webinar"}, "join_meeting_id finds meetings only"),
        ({"event_id": "x", "kind": "webinar"}, "event_id finds meetings only"),
        ({"webinar_name": "x", "kind": "town hall"}, "kind is 'town hall'; it must be one of meeting, webinar"),
    ],
)
def test_a_kind_that_cannot_be_is_refused_when_the_dag_is_parsed(arguments, said):
    from airflow_provider_teams_registration.operators.registration import FindEventOperator

    with pytest.raises(ValueError, match=said):
        FindEventOperator(task_id="t", **arguments)


@pytest.mark.parametrize("by_organizer", [False, True], ids=["application", "organizer"])
def test_a_webinar_is_found_by_its_name(run_dag, emulator, organizer, by_organizer):
    caller = {"conn_id": organizer, "organizer_id": None} if by_organizer else {}
    assert run_dag(find(emulator, webinar_name="Open webinar", **caller)).rows("find") == emulator.webinar_id


def test_people_are_enrolled_in_what_was_found(run_dag, emulator):
    enroll = enroll_text(emulator, ["ada"]).replace(f"meeting_id={emulator.meeting_id!r}", "meeting_id=found.output")
    number = emulator.store.meeting(emulator.meeting_id).join_meeting_id
    run = run_dag(
        f"""
        found = {find(emulator, join_meeting_id=number)}
        {enroll}
        """
    )
    assert run.state == "success"
    assert [record.id for record in emulator.store.enrolled(emulator.meeting_id)] == ["ada"]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"join_web_url": "https://teams.microsoft.com/l/meetup-join/other"}, "no such online meeting"),
        ({"join_meeting_id": "123 456 789 01"}, "no such online meeting"),
        ({"join_meeting_id": "canary"}, "join_meeting_id must be a number"),
        ({"event_id": "AAMknone"}, "404"),
        ({"webinar_name": "Another webinar"}, "no webinar of that name"),
        ({"webinar_name": "Canceled webinar"}, "no webinar of that name"),
        ({"webinar_name": "{{ none or '' }}"}, "event_id and webinar_name are empty"),
        ({"join_web_url": "{{ none or '' }}"}, "event_id and webinar_name are empty"),
        ({"webinar_name": "Open webinar", "organizer_id": None}, "organizer_id is missing"),
    ],
)
def test_an_event_that_cannot_be_found_is_said_so(failure, emulator, known, said):
    assert said in failure(find(emulator, **known))


def test_two_webinars_of_one_name_are_not_chosen_between(failure, emulator):
    emulator.store.webinars.add("Open webinar")
    assert "more than one webinar of that name" in failure(find(emulator, webinar_name="Open webinar"))


@pytest.mark.parametrize("known", [{}, {"event_id": "e", "webinar_name": "w"}], ids=["nothing", "two things"])
def test_exactly_one_way_is_named(known):
    from airflow_provider_teams_registration.operators.registration import FindEventOperator

    with pytest.raises(ValueError, match="Give exactly one"):
        FindEventOperator(task_id="find", **known)
