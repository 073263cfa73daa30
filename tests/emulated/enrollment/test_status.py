"""A look at how people stand on a webinar: nobody is "not registered" for want of proof."""

import pytest

from airflow_provider_teams_registration.enrollment.status import fetch_status
from airflow_provider_teams_registration.events.webinar.event import WebinarEvent
from airflow_provider_teams_registration.exceptions import ServiceUnreachable
from airflow_provider_teams_registration.graph.webinar import Webinar
from airflow_provider_teams_registration.graph.write_quota import WriteQuota

ROWS = [{"email": "ada@example.org"}, {"email": "bob@example.org"}]

pytestmark = pytest.mark.usefixtures("no_backoff")


@pytest.fixture
def look_at(graph_session, emulator):
    def make(webinar_id=emulator.webinar_id):
        webinar = Webinar(graph_session, webinar_id)
        return fetch_status(WebinarEvent(webinar, WriteQuota(graph_session.rate_limiter, 1000, 0.001)), webinar, ROWS)

    return make


def test_person_who_is_on_no_list_is_not_registered(look_at):
    seen = look_at()

    assert seen.report.counts == {"rejected": 2}
    assert seen.is_anybody_absent


def test_person_of_whom_it_cannot_be_told_is_unknown(look_at, emulator):
    emulator.set_switches(application_may_list_registrations=False, registration_filter="refused")

    seen = look_at()

    assert seen.report.counts == {"unknown": 2}
    assert seen.is_anybody_absent
    assert "possibly registered" in seen.report.rows()[0]["error"]


def test_webinar_that_does_not_exist_is_named(look_at):
    seen = look_at("no-such-webinar")

    assert seen.report.counts == {"unknown": 2}
    assert "webinar_id (it looks like an id)" in seen.report.rows()[0]["error"]


@pytest.mark.parametrize("lie", [{"body": "{}"}, {"body": '{"value": null}'}, {"body": "<html>"}])
def test_list_that_is_none_says_nothing_of_anybody(lie, look_at, emulator):
    emulator.add_fault("GET registrations*", times=0, **lie)
    with pytest.raises(ServiceUnreachable):
        look_at()
