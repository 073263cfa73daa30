"""A gateway that refuses a whole batch of reads: for one item in it, or for every one."""

import pytest

from airflow_provider_teams_registration.exceptions import GraphError, NotFound, ServiceUnreachable, Unauthorized
from airflow_provider_teams_registration.graph.webinar import Webinar

WHOLE = "POST $batch"
every_status = pytest.mark.parametrize("status", [400, 403, 413, 422])
pytestmark = pytest.mark.usefixtures("no_backoff")


def addresses(number):
    return [f"person{one}@example.org" for one in range(number)]


@pytest.fixture
def webinar(graph_session, emulator):
    """The webinar, with 50 people registered."""
    for email in addresses(50):
        emulator.store.webinars.register(emulator.webinar_id, email)
    emulator.clear_journal()
    return Webinar(graph_session, emulator.webinar_id)


@pytest.fixture
def ids(webinar, emulator):
    """The ids of the registrations, by address."""
    return {one.email: one.id for one in emulator.store.webinars.registered(emulator.webinar_id)}


@pytest.fixture(params=["by key", "by filter", "by id", "links"])
def read(request, webinar, ids):
    """Reads people, one way or the other; returns what was read of each."""
    if request.param == "by id":
        return lambda emails: webinar.registrations_by_id([ids[email] for email in emails])
    if request.param == "links":
        return lambda emails: webinar.join_web_urls([ids[email] for email in emails])
    return lambda emails: webinar.registrations_by_email(emails, by_filter=request.param == "by filter")


@every_status
@pytest.mark.parametrize("number", [1, 2, 20, 50])
def test_one_item_that_a_gateway_refuses_hides_nobody_else(status, number, read, emulator, calls):
    emails = addresses(number)
    truth = read(emails)
    emulator.clear_journal()
    culprit = number // 2
    emulator.add_fault(WHOLE, registrant_id=emails[culprit], status=status, code="Blocked", times=0)

    found = read(emails)

    assert isinstance(found[culprit], GraphError)
    assert (found[culprit].status, found[culprit].code, found[culprit].refused_together) == (status, "Blocked", 1)
    assert [*found[:culprit], *found[culprit + 1 :]] == [*truth[:culprit], *truth[culprit + 1 :]]
    assert len(calls(WHOLE)) <= number / 20 + 20


def test_several_items_at_fault_are_all_found(read, emulator):
    emails = addresses(50)
    culprits = {emails[3], emails[4], emails[31]}
    for culprit in culprits:
        emulator.add_fault(WHOLE, registrant_id=culprit, status=400, times=0)

    found = dict(zip(emails, read(emails), strict=True))

    assert {email for email, one in found.items() if isinstance(one, GraphError)} == culprits


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422])
@pytest.mark.parametrize("number", [20, 50])
def test_refusal_of_every_item_takes_few_calls(status, number, read, emulator, calls):
    emulator.add_fault(WHOLE, status=status, code="Forbidden", times=0)

    found = read(addresses(number))

    assert {(one.status, one.code) for one in found} == {(status, "Forbidden")}
    assert all(one.refused_together for one in found)
    assert len(calls(WHOLE)) <= 25


def test_refusal_of_every_item_takes_as_few_calls_for_a_thousand(webinar, emulator, calls):
    emulator.add_fault(WHOLE, status=403, times=0)

    found = webinar.registrations_by_email(addresses(1000), by_filter=False)

    assert [one.status for one in found] == [403] * 1000
    assert len(calls(WHOLE)) <= 25


def test_token_that_is_refused_afresh_for_a_whole_batch_is_not_tried_item_by_item(read, emulator, calls):
    emulator.add_fault(WHOLE, status=401, times=0)

    found = read(addresses(50))

    assert {type(one) for one in found} == {Unauthorized}
    assert len(calls(WHOLE)) == 2


def test_people_are_not_told_absent_by_a_gateway_that_answers_404(webinar, emulator):
    emulator.add_fault(WHOLE, registrant_id="person1@example.org", status=404, times=0)

    found = webinar.registrations_by_email([*addresses(3), "nobody@example.org"], by_filter=False)

    assert isinstance(found[1], NotFound)
    assert found[1].refused_together
    # This 404 is the item's own: nobody is registered with that address.
    assert isinstance(found[3], NotFound)
    assert not found[3].refused_together


def test_answers_that_came_stand_where_those_with_a_fresh_token_are_refused_together(webinar, emulator):
    emails = addresses(5)
    emulator.add_fault("GET registrations(email=*", registrant_id=emails[2], status=401)
    emulator.add_fault(WHOLE, nth=2, status=403, times=0)

    found = webinar.registrations_by_email(emails, by_filter=False)

    assert [getattr(one, "email", None) for one in found] == [*emails[:2], None, *emails[3:]]
    assert found[2].status == 403


def test_halves_of_a_refused_batch_are_read_again_like_any_other(read, emulator):
    emails = addresses(20)
    truth = read(emails)
    emulator.add_fault(WHOLE, status=400)
    emulator.add_fault(WHOLE, nth=2, status=503)
    emulator.add_fault(WHOLE, nth=4, status=429, retry_after="0.01")

    assert read(emails) == truth


def test_halves_that_get_no_answer_are_an_unreachable_service(read, emulator):
    emulator.add_fault(WHOLE, status=400)
    emulator.add_fault(WHOLE, nth=2, status=503, times=0)

    with pytest.raises(ServiceUnreachable):
        read(addresses(20))


def test_refusal_tells_nobody_the_address_of_somebody_else(webinar, emulator):
    said = "The rule for o'neil.person1@example.org blocks this."
    emulator.add_fault(WHOLE, status=400, message=said, times=0)

    found = webinar.registrations_by_email(["o'neil.person1@example.org", "b@example.org"], by_filter=False)

    assert all("blocks this" in str(one) and "neil" not in str(one) for one in found)
