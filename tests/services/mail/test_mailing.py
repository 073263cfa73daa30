"""Mails over a real mail server and a real ledger."""

from __future__ import annotations

import smtplib
import threading
from email.message import EmailMessage

import pytest

from airflow_provider_teams_registration.core.mail import MailKind
from airflow_provider_teams_registration.core.outcome import Outcome
from airflow_provider_teams_registration.core.record import RecordState, TaskRun
from airflow_provider_teams_registration.exceptions import Fenced, LedgerFailure
from airflow_provider_teams_registration.ledger.mail import MemoryMailLedger, StateStoreMailLedger
from airflow_provider_teams_registration.mail.job import ListRefused, rows_of_ledger
from airflow_provider_teams_registration.mail.sender import MailServerFailure, SendingPace
from airflow_provider_teams_registration.mail.templating import MailTemplates, TemplateProblem, TemplateSource
from tests.emulated.mail.conftest import WEBINAR, address, link, row


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def links_by_address(mail_server):
    found = {}
    for mail in mail_server.mails:
        (word,) = [word for word in text_of(mail).split() if word.startswith("https://")]
        found.setdefault(mail["To"].addresses[0].addr_spec, []).append(word)
    return found


def test_everybody_gets_their_own_link_over_one_connection(desk, mail_server):
    desk.enroll(1, 2, 3)
    report = desk.mail([row(1), row(2), row(3)])
    assert links_by_address(mail_server) == {address(number): [link(number)] for number in (1, 2, 3)}
    assert report.summary() == {"rows": 3, "mailed": 3, "reasons": {}}
    assert mail_server.connections == 1


def test_three_more_attempts_and_another_run_mail_nobody_again(desk, mail_server):
    desk.enroll(1, 2)
    for run in ("run", "run", "run", "another"):
        report = desk.mail([row(1), row(2)], run=run)
    assert report.summary() == {"rows": 2, "already_mailed": 2, "reasons": {}}
    assert len(mail_server.mails) == 2


def test_the_ledger_tells_who_was_mailed_what_and_when(desk):
    desk.enroll(1)
    desk.mail([row(1)])
    ((state, kind, number, start, message_id, is_mailed),) = desk.ask(
        "SELECT mail_state, mail_kind, mail_number, mail_event_start, mail_message_id, mailed_at IS NOT NULL "
        "FROM teams_registration_ledger"
    )
    assert (state, kind, number, start, is_mailed) == ("mailed", "join", 1, "2026-12-01T09:00:00Z", 1)
    assert message_id.endswith("@example.com>")


def test_a_mail_of_which_the_ledger_does_not_say_what_it_told_mails_nobody(desk, mail_server):
    desk.enroll(1)
    desk.ask("UPDATE teams_registration_ledger SET mail_state = 'mailed'")
    with pytest.raises(LedgerFailure, match="a mail_state without a mail_kind"):
        desk.mail([row(1)])
    assert mail_server.mails == []


def test_a_later_run_of_the_enrolling_task_keeps_what_is_noted_of_mails(desk, mail_server):
    desk.enroll(1)
    desk.mail([row(1)])
    desk.enroll(1)
    desk.mail([row(1)])
    assert len(mail_server.mails) == 1


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(1, join_web_url=link(2)), row(2, join_web_url=link(1))], "Rows 1, 2 hold another link than the ledger"),
        ([row(1), row(2, join_web_url=link(1))], "Rows 1, 2 share a link"),
        ([row(1), row(2, join_web_url="http://teams.microsoft.com/x")], "Row 2 holds what is no link to join on https"),
        ([row(1), row(9)], "Row 2 names a person who is not in the ledger"),
    ],
)
def test_nobody_is_mailed_if_a_link_may_not_be_the_right_persons(desk, mail_server, rows, said):
    desk.enroll(1, 2)
    with pytest.raises(ListRefused) as refused:
        desk.mail(rows)
    assert said in str(refused.value)
    assert "canary" not in str(refused.value).lower()
    assert mail_server.mails == []


def test_nobody_is_mailed_if_the_service_shows_other_links(desk, mail_server):
    desk.enroll(1, 2)
    swapped = {address(1): link(2), address(2): link(1)}
    with pytest.raises(ListRefused, match="Rows 1, 2 hold another link than the service shows"):
        desk.mail([row(1), row(2)], show_links=lambda recipients: swapped)
    assert mail_server.mails == []


def test_a_person_without_a_link_an_address_or_a_seat_is_left_out_and_said(desk, mail_server):
    desk.enroll(1)
    desk.enroll(2, join_web_url=None)
    rows = [
        row(1),
        row(2, join_web_url=None),
        row(3, email=None),
        row(4, email="canary-4@example.org; canary-5@example.org"),
        row(5, outcome="rejected", join_web_url=None),
        row(6, outcome="waitlisted", join_web_url=None),
    ]
    desk.enroll(6, outcome=Outcome.WAITLISTED, join_web_url=None)
    report = desk.mail(rows, templates=join_only())
    assert mail_server.addresses == [address(1)]
    assert report.refused == 4
    assert report.error_summary() == (
        "Row 3: no address in its column 'email'; Row 4: its column 'email' holds several addresses; give one; "
        "Row 5: not on the event (rejected); Row 2: no link"
    )
    assert report.number("not_asked_for") == 1


def join_only(text="{{ join_web_url }}", subject="Link"):
    return MailTemplates({MailKind.JOIN: TemplateSource(subject, text)})


def test_the_ledger_completes_rows_that_were_handed_over_too_early(desk, mail_server):
    desk.enroll(1, 2)
    given = [{"email": address(1), "first_name": "Canary1"}, row(2, outcome="unknown", join_web_url=None)]
    desk.mail(given)
    assert links_by_address(mail_server) == {address(1): [link(1)], address(2): [link(2)]}


def test_without_rows_the_ledger_names_the_people_of_a_webinar(desk, mail_server):
    desk.enroll(1, 2)
    desk.enroll(3, event="webinar-2")
    ledger = desk.open_ledger()
    desk.mail(rows_of_ledger(ledger.everybody()), ledger=ledger)
    assert links_by_address(mail_server) == {address(1): [link(1)], address(2): [link(2)]}


def test_a_person_who_was_taken_off_since_is_not_mailed_a_link(desk, mail_server):
    desk.enroll(1, outcome=Outcome.CANCELLED, join_web_url=None)
    report = desk.mail([row(1)])
    assert mail_server.mails == []
    assert report.refused == 1


@pytest.mark.parametrize(
    ("given", "known", "reason"),
    [
        ("enrolled", {"outcome": Outcome.REJECTED}, "not on the event since (rejected)"),
        ("enrolled", {"state": RecordState.CANCELLING}, "being taken off the event"),
        (None, {"state": RecordState.CANCELLING}, "being taken off the event"),
        ("not_sent", {"state": RecordState.CANCELLING}, "being taken off the event"),
        ("enrolled", {"state": RecordState.CLAIMED, "outcome": Outcome.UNKNOWN}, "being enrolled anew"),
        ("cancelled", {"state": RecordState.CLAIMED, "outcome": Outcome.UNKNOWN}, None),
        ("cancelled", {}, None),
    ],
)
def test_a_row_that_the_ledger_has_outdated_is_not_mailed(desk, mail_server, given, known, reason):
    desk.enroll(1, 2)
    desk.mail([row(1)])
    desk.enroll(1, **known)
    report = desk.mail([row(1, outcome=given), row(2)], run="next")
    assert mail_server.addresses == [address(1), address(2)]
    assert report.error_summary() == (f"Row 1: {reason}, as the ledger has it" if reason else "")


@pytest.mark.parametrize("gap", [float("nan"), None, "", [], {"Ada": 1}])
def test_a_gap_of_a_data_frame_is_neither_a_name_nor_an_outcome_nor_a_link(desk, mail_server, gap):
    desk.enroll(1)
    nothing = gap if not isinstance(gap, dict) else None
    desk.mail([row(1, first_name=gap, last_name="Example", outcome=nothing, join_web_url=nothing)])
    assert mail_server.mails[0]["To"].addresses[0].display_name == "Example"
    assert links_by_address(mail_server) == {address(1): [link(1)]}


def test_half_a_surrogate_pair_in_a_row_keeps_nobody_from_their_mail(desk, mail_server):
    desk.enroll(1, 2)
    templates = join_only("{{ row.company }} {{ join_web_url }}", subject="{{ row.company }}")
    desk.mail([row(1, company="A\ud800"), row(2, company="B")], templates=templates)
    assert [text_of(mail).split()[0] for mail in mail_server.mails] == ["A?", "B"]


def test_a_refused_recipient_is_that_persons_outcome_and_the_others_are_mailed(desk, mail_server):
    desk.enroll(1, 2, 3)
    mail_server.behaviour.refused[address(2)] = "550 5.1.1 canary-2@example.org unknown"
    report = desk.mail([row(1), row(2), row(3)])
    assert mail_server.addresses == [address(1), address(3)]
    assert report.error_summary() == "Row 2: the mail server answered 550 5.1.1"
    assert desk.ask("SELECT mail_state, mail_error_code FROM teams_registration_ledger ORDER BY registrant")[1] == (
        "mail_refused",
        "550 5.1.1",
    )


def test_a_server_that_closes_the_connection_with_a_refusal_has_refused_that_person(desk, mail_server):
    desk.enroll(1, 2)
    mail_server.behaviour.refused[address(1)] = "550 5.1.1 unknown"
    mail_server.behaviour.closes_with_refusal = True
    report = desk.mail([row(1), row(2)])
    assert mail_server.addresses == [address(2)]
    assert report.error_summary() == "Row 1: the mail server answered 550 5.1.1"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("200 fine", "mailed"), ("251 forwarded", "mailed"), ("354 go on", "mail_unknown"), ("999 eh", "mail_unknown")],
)
def test_the_first_digit_of_an_answer_decides_and_only_a_refusal_frees_a_person_for_another_mail(
    desk, mail_server, answer, outcome
):
    desk.enroll(1)
    mail_server.behaviour.content_answer = answer
    assert desk.mail([row(1)]).number(outcome) == 1
    mail_server.behaviour.content_answer = None
    desk.mail([row(1)], run="next")
    assert mail_server.mails == []


def test_greylisting_is_waited_for(desk, mail_server):
    desk.enroll(1, 2)
    mail_server.behaviour.later[address(1)] = 2
    report = desk.mail([row(1), row(2)])
    assert mail_server.addresses == [address(2), address(1)]
    assert report.summary()["mailed"] == 2


def test_a_person_whom_the_mail_server_never_takes_is_left_for_a_retry(desk, mail_server):
    desk.enroll(1)
    mail_server.behaviour.later[address(1)] = 3
    assert desk.mail([row(1)]).later == 1
    assert desk.mail([row(1)]).summary()["mailed"] == 1
    assert len(mail_server.mails) == 1


def test_a_mail_whose_answer_was_lost_is_unknown_and_not_sent_again_blindly(desk, mail_server):
    desk.enroll(1, 2)
    mail_server.behaviour.drop_after.add(address(1))
    report = desk.mail([row(1), row(2)])
    assert (report.unknown, report.number("mailed")) == (1, 1)
    mail_server.behaviour.drop_after.clear()
    assert desk.mail([row(1), row(2)]).unknown == 1
    assert desk.mail([row(1), row(2)], run="next", again="changed").number("mail_unknown_in_an_earlier_run") == 1
    assert mail_server.addresses == [address(1), address(2)]
    desk.mail([row(1)], run="last", again="all")
    assert mail_server.addresses == [address(1), address(2), address(1)]


def test_a_connection_that_breaks_before_the_mail_is_opened_anew(desk, mail_server):
    desk.enroll(*range(1, 8))
    mail_server.behaviour.close_every = 2
    mail_server.behaviour.drop_before[address(4)] = 1
    report = desk.mail([row(number) for number in range(1, 8)])
    assert mail_server.addresses == [address(number) for number in range(1, 8)]
    assert report.summary()["mailed"] == 7


def test_a_server_that_refuses_the_sender_ends_the_task_with_nobody_noted(desk, mail_server):
    desk.enroll(1, 2)
    mail_server.behaviour.sender_answer = "550 5.7.60 not allowed to send as events@example.com"
    with pytest.raises(MailServerFailure, match=r"550 5\.7\.60") as failure:
        desk.mail([row(1), row(2)])
    assert not failure.value.transient
    assert desk.ask("SELECT DISTINCT mail_state FROM teams_registration_ledger") == [(None,)]


def test_a_server_that_is_away_is_transient_and_claims_nobody(desk):
    desk.enroll(1)

    def connect() -> smtplib.SMTP:
        raise MailServerFailure("away", transient=True)

    desk.connect = connect
    with pytest.raises(MailServerFailure):
        desk.mail([row(1)])
    assert desk.ask("SELECT mail_state FROM teams_registration_ledger") == [(None,)]


def test_a_task_that_was_killed_while_mailing_mails_that_person_again_with_the_same_message_id(desk, mail_server):
    class Killed(BaseException):
        pass

    class KilledAfter(smtplib.SMTP):
        def getreply(self):
            answer = super().getreply()
            if mail_server.mails:
                raise Killed
            return answer

    desk.enroll(1, 2)
    connect, desk.connect = desk.connect, lambda: KilledAfter("127.0.0.1", mail_server.port, timeout=10)
    with pytest.raises(Killed):
        desk.mail([row(1), row(2)])
    assert desk.ask("SELECT mail_state FROM teams_registration_ledger ORDER BY registrant") == [("mailing",), (None,)]
    desk.connect = connect
    desk.mail([row(1), row(2)])
    assert mail_server.addresses == [address(1), address(1), address(2)]
    assert len({mail["Message-ID"] for mail in mail_server.mails}) == 2


def mail_twice_at_once(desk, mail_server):
    numbers = list(range(1, 21))
    desk.enroll(*numbers)
    reports = []
    tasks = [
        threading.Thread(
            target=lambda run=run, rows=rows: reports.append(
                desk.mail(rows, run=run, recheck=(0.05, 0.2, 0.5, 1.0, 2.0))
            )
        )
        for run, rows in (("one", [row(n) for n in numbers]), ("two", [row(n) for n in reversed(numbers)]))
    ]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    assert sorted(mail_server.addresses) == sorted(address(number) for number in numbers)
    assert sum(report.number("mailed") for report in reports) == 20
    assert sum(report.later for report in reports) == 0


def test_two_tasks_at_the_same_time_mail_each_person_once(desk, mail_server):
    mail_twice_at_once(desk, mail_server)


def test_database_servers_let_one_task_mail_each_person_once(server_desk, mail_server):
    mail_twice_at_once(server_desk, mail_server)
    report = server_desk.mail([row(1)], run="later")
    assert report.number("already_mailed") == 1


def test_an_older_attempt_mails_nobody_any_more_once_a_newer_one_has_started(desk, mail_server):
    desk.enroll(1)
    older = desk.open_ledger()
    desk.open_ledger().close()
    with pytest.raises(Fenced):
        desk.mail([row(1)], ledger=older)
    assert mail_server.mails == []


def test_a_change_is_mailed_only_if_asked_for_and_says_so(desk, mail_server):
    desk.enroll(1)
    desk.mail([row(1)])
    moved = {"start": "2026-12-02T09:00:00Z", "end": "2026-12-02T10:00:00Z"}
    assert desk.mail([row(1)], run="2", facts=moved).number("changed_since_mailed") == 1
    desk.mail([row(1)], run="3", facts=moved, again="changed")
    assert desk.mail([row(1)], run="4", facts=moved, again="changed").number("already_mailed") == 1
    first, second = mail_server.mails
    assert "something changed" not in text_of(first)
    assert "something changed" in text_of(second)
    assert second["Subject"] == "Changed: Your link to Launch day"
    assert first["Message-ID"] != second["Message-ID"]


def test_mailing_all_again_mails_each_person_once_a_run(desk, mail_server):
    desk.enroll(1)
    desk.mail([row(1)])
    for _ in range(3):
        desk.mail([row(1)], run="again", again="all")
    assert len(mail_server.mails) == 2


def test_people_are_mailed_on_the_waitlist_when_they_get_in_and_when_they_are_taken_off(desk, mail_server):
    desk.enroll(1, outcome=Outcome.WAITLISTED, join_web_url=None)
    waiting = [row(1, outcome="waitlisted", join_web_url=None)]
    desk.mail(waiting)
    desk.mail(waiting, run="2")
    desk.mail([row(1)], run="3")
    desk.enroll(1, outcome=Outcome.CANCELLED, join_web_url=None)
    off = [row(1, outcome="cancelled", join_web_url=None), row(2, outcome="cancelled", join_web_url=None)]
    report = desk.mail(off, run="4")
    desk.mail(off, run="5")
    assert [mail["Subject"] for mail in mail_server.mails] == [
        "You are on the waitlist of Launch day",
        "Your link to Launch day",
        "You are no longer registered for Launch day",
    ]
    assert report.number("never_mailed") == 1


def test_a_template_that_names_a_missing_column_fails_before_the_first_mail(desk, mail_server):
    desk.enroll(1, 2)
    rows = [row(1), {name: value for name, value in row(2).items() if name != "first_name"}]
    with pytest.raises(TemplateProblem) as problem:
        desk.mail(rows, templates=join_only("{{ row.first_name }}: {{ join_web_url }}"))
    assert str(problem.value) == (
        "The template text names 'first_name', which is not there. Correct the name, or test it with 'is defined'. "
        "Row 2 was the first for which it did."
    )
    assert mail_server.mails == []


def claims(desk):
    return desk.ask("SELECT mail_state FROM teams_registration_ledger WHERE mail_state IS NOT NULL")


def test_a_template_that_fails_for_one_row_fails_before_the_first_mail_and_leaves_no_claim(desk, mail_server):
    desk.enroll(1, 2)
    rows = [row(1, seats=2), row(2, seats=0)]
    with pytest.raises(TemplateProblem, match=r"fails with ZeroDivisionError\. Row 2 was the first"):
        desk.mail(rows, templates=join_only("{{ 10 / row.seats }}: {{ join_web_url }}"))
    assert (mail_server.mails, claims(desk)) == ([], [])


class FailingTheSecondTime(MailTemplates):
    """Templates that render everybody's mail once, and one person's mail never again."""

    def __init__(self, error):
        super().__init__({MailKind.JOIN: TemplateSource("Link", "{{ join_web_url }}")})
        self._error = error
        self._rendered = set()

    def render(self, kind, values):
        if values["row"]["email"] == address(2) and address(2) in self._rendered:
            raise self._error
        self._rendered.add(values["row"]["email"])
        return super().render(kind, values)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TemplateProblem("The template text fails."), "The template text fails."),
        (OverflowError(address(2)), "the mail could not be built (OverflowError)"),
    ],
)
def test_a_mail_that_cannot_be_built_leaves_no_claim_and_is_that_persons_outcome(desk, mail_server, error, reason):
    desk.enroll(1, 2, 3)
    report = desk.mail([row(1), row(2), row(3)], templates=FailingTheSecondTime(error))
    assert mail_server.addresses == [address(1), address(3)]
    assert report.summary() == {"rows": 3, "mailed": 2, "no_mail": 1, "reasons": {reason: 1}}
    assert claims(desk) == [("mailed",), ("mailed",)]


def test_line_breaks_in_a_name_or_a_subject_make_no_header(desk, mail_server):
    desk.enroll(1)
    name = "Ada\r\nBcc: other@example.org\x00\u2028"
    desk.mail([row(1, first_name=name)], templates=join_only(subject="For {{ name }}"))
    (mail,) = mail_server.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "For Ada Bcc: other@example.org"
    assert mail["To"].addresses[0].display_name == "Ada Bcc: other@example.org"


def test_a_link_that_the_ledger_does_not_keep_is_mailed_from_the_row(desk, mail_server):
    desk.enroll(1, join_web_url=None)
    desk.mail([row(1)])
    assert links_by_address(mail_server) == {address(1): [link(1)]}


def test_a_rate_spreads_the_mails(desk, mail_server):
    desk.enroll(1, 2, 3)
    waits = []

    class Clock(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            return False

    from airflow_provider_teams_registration.mail.job import run_job
    from airflow_provider_teams_registration.mail.report import MailReport

    job = desk.job(pace=SendingPace(interval=2.0))
    ledger = desk.open_ledger()
    run_job(job, [row(1), row(2), row(3)], ledger, desk.connect, MailReport(), stop=Clock())
    ledger.close()
    assert [round(wait) for wait in waits] == [0, 2, 2]


class Store(dict):
    def set(self, key, value):
        self[key] = value


def test_airflows_state_store_keeps_a_retry_from_mailing_again(desk, mail_server):
    store = Store()
    for _ in range(2):
        ledger = StateStoreMailLedger(store, TaskRun("dag", "run", "mail"))
        ledger.start_attempt(WEBINAR)
        report = desk.mail([row(number) for number in range(1, 61)], ledger=ledger)
    assert len(mail_server.mails) == 60
    assert report.number("already_mailed") == 60
    assert len(store) == 3
    assert "canary" not in str(store)


def test_a_state_store_that_holds_something_else_mails_nobody(desk, mail_server):
    store = Store()
    StateStoreMailLedger(store).start_attempt(WEBINAR)
    (key,) = store
    store[key.replace("attempt", "1/0")] = {"x": {"version": "1"}}
    with pytest.raises(LedgerFailure, match="mails nobody"):
        StateStoreMailLedger(store).start_attempt(WEBINAR)


def test_without_a_shared_ledger_people_of_earlier_runs_are_not_mailed(desk, mail_server):
    ledger = MemoryMailLedger()
    ledger.start_attempt(WEBINAR)
    report = desk.mail([row(1), row(2, outcome="already_enrolled")], ledger=ledger)
    assert mail_server.addresses == [address(1)]
    assert report.number("enrolled_by_an_earlier_run") == 1
