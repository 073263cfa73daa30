"""Which people two runs enrolled at once, as far as a list of the event proves it."""

import pytest

from airflow_provider_teams_registration.core.double_enrollments import ReturnedLinks
from airflow_provider_teams_registration.core.outcome import Enrollment, Outcome
from airflow_provider_teams_registration.core.registration import ListedRegistration

LINK, OTHER = "https://teams.example/ada", "https://teams.example/another"


def returned(outcome=Outcome.ENROLLED, link=LINK, registration_id=None):
    found = ReturnedLinks()
    found.add([Enrollment(3, {}, outcome, link, registration_id=registration_id, registrant="ada")])
    return found


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([], ((), ())),
        ([ListedRegistration()], ((), ())),
        ([ListedRegistration(join_web_url=LINK)], ((), ())),
        ([ListedRegistration(), ListedRegistration()], ((3,), ())),
        ([ListedRegistration(), ListedRegistration(is_active=False)], ((), ())),
        ([ListedRegistration(join_web_url=OTHER)], ((), (3,))),
        ([ListedRegistration(is_active=False)], ((), ())),
    ],
)
def test_only_what_the_list_shows_is_a_double_enrollment(listed, expected):
    found = returned().double_enrollments({"ada": listed})
    assert (found.twice, found.ended) == expected


def test_link_ended_where_the_registration_of_the_run_is_cancelled():
    listed = {"ada": [ListedRegistration("1", is_active=False), ListedRegistration("2")]}
    assert returned(registration_id="1").double_enrollments(listed).ended == (3,)
    assert not returned(registration_id="2").double_enrollments(listed)


@pytest.mark.parametrize("outcome", [Outcome.INVALID, Outcome.REJECTED, Outcome.UNKNOWN, Outcome.NOT_SENT])
def test_people_who_are_not_on_the_event_are_no_clash(outcome):
    found = returned(outcome, None)
    assert not found.has_sent
    assert not found.double_enrollments({"ada": [ListedRegistration(), ListedRegistration()]})


def test_sentence_names_positions_and_what_prevents_it():
    said = returned().double_enrollments({"ada": [ListedRegistration(), ListedRegistration()]}).sentence()
    assert said.startswith("1 registrant is on the event more than once (row 3).")
    assert "ledger_conn_id" in said
    assert "ada" not in said
