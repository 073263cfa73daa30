"""A gateway that refuses a whole batch about a webinar, of writes and of reads: for one person, or for everybody."""

import pytest

from airflow_provider_teams_registration.core.record import TaskRun
from airflow_provider_teams_registration.enrollment.cancel import cancel
from airflow_provider_teams_registration.enrollment.status import fetch_status
from airflow_provider_teams_registration.graph.webinar import Webinar

pytestmark = pytest.mark.usefixtures("no_backoff")
OTHER_DAG = TaskRun("other dag", "run 1", "enroll")
WHOLE = "POST $batch"
REGISTRATIONS = "POST registrations"
every_status = pytest.mark.parametrize("status", [400, 403, 413, 422])


def people(number):
    return [
        {"id": f"crm {one}", "email": f"person{one}@example.org", "first_name": "Ada", "last_name": f"Example {one}"}
        for one in range(number)
    ]


def links(report):
    return {row["email"]: row["join_web_url"] for row in report.rows() if row["join_web_url"]}


def row_of(report, person):
    return next(row for row in report.rows() if row["email"] == person["email"])


@every_status
@pytest.mark.parametrize("number", [2, 20, 60])
def test_one_person_whom_a_gateway_refuses_keeps_nobody_else_off(
    status, number, register_all, emulator, live_links, calls
):
    everybody = people(number)
    culprit = everybody[number // 2]
    emulator.add_fault(WHOLE, registrant_id=culprit["email"], status=status, code="Blocked", times=0)

    report = register_all(everybody)

    assert report.counts == {"enrolled": number - 1, "rejected": 1}
    assert f"{status} Blocked" in row_of(report, culprit)["error"]
    assert links(report) == live_links()
    assert len(calls(WHOLE)) <= number / 5 + 80


@every_status
def test_person_who_cannot_be_looked_up_is_not_taken_for_absent(status, register_all, emulator, put_on, sent):
    emulator.set_switches(duplicate="second_record", application_may_list_registrations=False)
    everybody = people(20)
    culprit = everybody[7]
    for row in everybody[:10]:
        put_on(row["email"])
    emulator.add_fault(WHOLE, registrant_id=culprit["email"], status=status, code="Blocked", times=0)

    report = register_all(everybody)

    assert report.counts == {"already_enrolled": 9, "enrolled": 10, "rejected": 1}
    assert f"{status} Blocked" in row_of(report, culprit)["error"]
    assert culprit["id"] not in sent()


@every_status
def test_people_whose_reads_are_refused_together_get_their_links(status, register_all, emulator, live_links):
    everybody = people(20)
    register_all(everybody)
    for row in everybody[::6]:
        emulator.add_fault(WHOLE, registrant_id=row["email"], status=status, code="Blocked", times=0)

    report = register_all(everybody, as_run=OTHER_DAG)

    assert report.counts == {"already_enrolled": 20}
    assert links(report) == live_links()


@every_status
@pytest.mark.parametrize("listed", [True, False])
def test_person_whose_link_a_gateway_refuses_costs_nobody_else_theirs(
    listed, status, register_all, emulator, put_on, live_links
):
    emulator.set_switches(application_may_list_registrations=listed)
    everybody = people(30)
    for row in everybody:
        put_on(row["email"])
    culprit = everybody[11]
    emulator.add_fault(WHOLE, registrant_id=culprit["email"], status=status, code="Blocked", times=0)

    report = register_all(everybody, settle_after=0.2)

    real = live_links()
    assert links(report) == {email: link for email, link in real.items() if email != culprit["email"]}
    assert f"{status} Blocked" in row_of(report, culprit)["error"]


@every_status
@pytest.mark.parametrize("number", [20, 300])
def test_refusal_of_everybody_takes_few_calls(status, number, register_all, emulator, live, calls):
    emulator.add_fault(WHOLE, status=status, code="Forbidden", times=0)

    report = register_all(people(number))

    assert report.counts == {"rejected": number}
    assert live() == {}
    # The two ways of looking somebody up, and the sending.
    assert len(calls(WHOLE)) <= 100


def test_refusal_of_everybodys_links_takes_few_calls(register_all, emulator, put_on, calls):
    everybody = people(200)
    for row in everybody:
        put_on(row["email"])
    emulator.add_fault(WHOLE, status=403, code="Blocked", times=0)

    report = register_all(everybody)

    assert report.counts == {"already_enrolled": 200}
    assert all("403 Blocked" in row["error"] for row in report.rows())
    assert len(calls(WHOLE)) <= 25


@every_status
def test_one_person_whom_a_gateway_refuses_keeps_nobody_else_on(
    status, open_event, register_all, open_ledger, emulator, live
):
    everybody = people(30)
    register_all(everybody)
    emulator.add_fault(WHOLE, registrant_id=everybody[7]["email"], status=status, code="Blocked", times=0)

    report = cancel(open_event(), everybody, ledger=open_ledger())

    assert report.counts == {"cancelled": 29, "rejected": 1}
    assert list(live()) == [everybody[7]["email"]]


@pytest.mark.parametrize("listed", [True, False])
def test_cancelling_somebody_who_cannot_be_looked_up_says_so(listed, open_event, open_ledger, emulator, put_on, live):
    emulator.set_switches(application_may_list_registrations=listed)
    everybody = people(6)
    for row in everybody[:4]:
        put_on(row["email"])
    emulator.add_fault(WHOLE, registrant_id=everybody[2]["email"], status=404, code="Blocked", times=0)

    report = cancel(open_event(), everybody, ledger=open_ledger())

    assert report.counts == {"cancelled": 5, "rejected": 1}
    assert "404 Blocked" in row_of(report, everybody[2])["error"]
    assert list(live()) == [everybody[2]["email"]]


@pytest.mark.parametrize("number", [20, 200])
def test_refused_cancelling_of_everybody_takes_few_calls(
    number, open_event, register_all, open_ledger, emulator, live, calls
):
    everybody = people(number)
    register_all(everybody)
    emulator.clear_journal()
    emulator.add_fault(WHOLE, status=400, code="Blocked", times=0)

    report = cancel(open_event(), everybody, ledger=open_ledger())

    assert report.counts == {"rejected": number}
    assert len(live()) == number
    assert len(calls(WHOLE)) <= 100


@pytest.mark.parametrize("listed", [True, False])
def test_look_at_everybody_tells_only_the_truth_of_those_who_cannot_be_read(
    listed, open_event, graph_session, emulator, put_on
):
    emulator.set_switches(application_may_list_registrations=listed)
    everybody = people(20)
    for row in everybody[:19]:
        put_on(row["email"])
    for culprit in everybody[3], everybody[19]:
        emulator.add_fault(WHOLE, registrant_id=culprit["email"], status=404, code="Blocked", times=0)
    event = open_event()
    event.prepare()

    webinar = Webinar(graph_session, emulator.webinar_id)
    report = fetch_status(event, webinar, everybody, link_pauses=[0.01] * 4).report

    assert {row["outcome"] for row in report.rows() if row not in (everybody[3], everybody[19])} >= {"enrolled"}
    absent = row_of(report, everybody[19])
    if listed:
        assert row_of(report, everybody[3])["outcome"] == "enrolled"
        assert absent["error"] == "not registered for the webinar"
    else:
        assert row_of(report, everybody[3])["outcome"] == "unknown"
        assert absent["outcome"] == "unknown"
        assert "possibly registered" in absent["error"]


@pytest.mark.parametrize("times", [1, 2])
def test_token_that_one_item_does_not_take_is_renewed_and_the_person_is_sent_again(
    times, register_all, emulator, live_links, sent
):
    everybody = people(5)
    emulator.add_fault(REGISTRATIONS, registrant_id="crm 2", status=401, times=1)
    emulator.add_fault(REGISTRATIONS, registrant_id="crm 3", status=401, times=times)

    report = register_all(everybody)

    refused = times - 1
    assert report.counts == ({"enrolled": 4, "rejected": 1} if refused else {"enrolled": 5})
    assert links(report) == live_links()
    assert sent().count("crm 2") == 2
    assert "POST token" in [f"{one.method} {one.path.rpartition('/')[2]}" for one in emulator.store.sign_ins][1:]


@pytest.mark.parametrize("route", ["GET registrations(email=*", "GET sessions"])
def test_token_that_one_read_does_not_take_is_renewed_and_the_person_is_read_again(
    route, register_all, emulator, put_on, live_links
):
    everybody = people(5)
    for row in everybody:
        put_on(row["email"])
    emulator.add_fault(route, registrant_id=everybody[2]["email"], status=401)

    report = register_all(everybody)

    assert report.counts == {"already_enrolled": 5}
    assert links(report) == live_links()


def test_token_that_a_cancellation_does_not_take_is_renewed(open_event, register_all, open_ledger, emulator, live):
    register_all(people(3))
    emulator.add_fault("POST cancel", status=401)

    report = cancel(open_event(), people(3), ledger=open_ledger())

    assert report.counts == {"cancelled": 3}
    assert live() == {}
