"""A gateway that refuses a whole batch: for one person in it, or for everybody."""

import pytest

from airflow_provider_teams_registration.enrollment.cancel import cancel

WHOLE = "POST $batch"
REGISTRANTS = "POST registration/registrants"
every_status = pytest.mark.parametrize("status", [400, 403, 413, 422])


def people(number):
    return [f"person {place}" for place in range(number)]


def outcomes(report):
    return {row["id"]: row["outcome"] for row in report.rows()}


def links(report):
    return {row["id"]: row["join_web_url"] for row in report.rows() if row["join_web_url"]}


@every_status
@pytest.mark.parametrize("number", [2, 20, 60])
def test_one_row_that_a_gateway_refuses_keeps_nobody_else_off(status, number, enroll_all, emulator, books_links, calls):
    everybody = people(number)
    culprit = everybody[number // 2]
    emulator.add_fault(WHOLE, registrant_id=culprit, status=status, code="Blocked", times=0)

    report = enroll_all(everybody)

    assert report.counts == {"enrolled": number - 1, "rejected": 1}
    assert outcomes(report)[culprit] == "rejected"
    assert f"{status} Blocked" in next(row["error"] for row in report.rows() if row["id"] == culprit)
    assert links(report) == books_links()
    assert len(calls(WHOLE)) <= number / 20 + 12


def test_several_rows_at_fault_are_all_found(enroll_all, emulator, books_links, enrolls):
    everybody = people(40)
    for culprit in everybody[3], everybody[4], everybody[31]:
        emulator.add_fault(WHOLE, registrant_id=culprit, status=400, times=0)

    report = enroll_all(everybody)

    assert report.counts == {"enrolled": 37, "rejected": 3}
    assert links(report) == books_links()
    assert sorted(enrolls()) == sorted(books_links())


@every_status
@pytest.mark.parametrize(("number", "few"), [(20, 20), (400, 40), (2000, 40)])
def test_refusal_of_everybody_takes_few_calls(status, number, few, enroll_all, emulator, books_links, calls):
    emulator.add_fault(WHOLE, status=status, code="Forbidden", times=0)

    report = enroll_all(people(number))

    assert report.counts == {"rejected": number}
    assert len(report.summary()["reasons"]) == 1
    assert books_links() == {}
    assert len(calls(WHOLE)) <= few


def test_claims_that_expire_meanwhile_do_not_make_a_refusal_of_everybody_take_more_calls(enroll_all, emulator, calls):
    emulator.add_fault(WHOLE, status=403, code="Forbidden", delay=0.3, times=0)

    # A claim lasts for half of settle_after, so that queued batches expire while the slow service answers.
    report = enroll_all(people(400), settle_after=0.4, max_parallel_requests=2)

    assert report.counts == {"rejected": 400}
    assert len(calls(WHOLE)) <= 20


def test_refusal_of_a_while_costs_nobody_their_place_in_the_next_run(enroll_all, emulator, books_links):
    emulator.add_fault(WHOLE, status=403, times=0)
    enroll_all(people(40))
    emulator.clear_faults()

    report = enroll_all(people(40))

    assert report.counts == {"enrolled": 40}
    assert links(report) == books_links()


@every_status
def test_one_row_that_a_gateway_refuses_keeps_nobody_else_on(
    status, event, enroll_all, open_ledger, emulator, books_links
):
    everybody = people(30)
    enroll_all(everybody)
    emulator.add_fault(WHOLE, registrant_id=everybody[7], status=status, times=0)

    report = cancel(event, everybody, ledger=open_ledger())

    assert report.counts == {"cancelled": 29, "rejected": 1}
    assert list(books_links()) == [everybody[7]]


@pytest.mark.parametrize("times", [1, 2])
def test_token_that_one_item_does_not_take_is_renewed_and_the_person_is_sent_again(
    times, enroll_all, emulator, books_links
):
    everybody = people(5)
    emulator.add_fault(REGISTRANTS, registrant_id=everybody[2], status=401, times=1)
    emulator.add_fault(REGISTRANTS, registrant_id=everybody[3], status=401, times=times)

    report = enroll_all(everybody)

    refused = times - 1
    expected = {"enrolled": 5} if not refused else {"enrolled": 4, "rejected": 1}
    assert report.counts == expected
    assert links(report) == books_links()
    assert "POST token" in [f"{one.method} {one.path.rpartition('/')[2]}" for one in emulator.store.sign_ins][1:]


def test_token_that_a_cancellation_does_not_take_is_renewed(event, enroll_all, open_ledger, emulator, books_links):
    enroll_all(people(3))
    emulator.add_fault("DELETE registrants/*", status=401)

    report = cancel(event, people(3), ledger=open_ledger())

    assert report.counts == {"cancelled": 3}
    assert books_links() == {}
