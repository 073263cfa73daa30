"""What exists in which of Microsoft's clouds."""

import pytest

from airflow_provider_teams_registration.exceptions import SettingsError
from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.clouds import cloud_problem
from airflow_provider_teams_registration.graph.settings import GraphSettings
from airflow_provider_teams_registration.graph.shapes import an_object

MEETING = "/users/u/onlineMeetings/m"
WEBINAR = "/solutions/virtualEvents/webinars/w"


def settings(base_url, authority="https://login.microsoftonline.us"):
    return GraphSettings("t", "c", "s", base_url=base_url, authority=authority)


@pytest.mark.parametrize("base_url", ["https://graph.microsoft.us", "https://dod-graph.microsoft.us"])
def test_online_meetings_reach_the_us_government_and_their_registration_does_not(base_url):
    there = settings(base_url)

    assert cloud_problem(there, MEETING) is None
    assert cloud_problem(there, f"{MEETING}/attendanceReports") is None
    for path in (f"{MEETING}/registration", f"{MEETING}/registration/registrants", WEBINAR):
        assert "does not exist in Microsoft's cloud US Government" in cloud_problem(there, path)


def test_nothing_reaches_china():
    there = settings("https://microsoftgraph.chinacloudapi.cn", "https://login.partner.microsoftonline.cn")

    assert "China (21Vianet)" in cloud_problem(there, MEETING)


@pytest.mark.parametrize("base_url", ["https://graph.microsoft.com", "https://gateway.example/graph"])
def test_global_service_and_gateways_are_let_through(base_url):
    assert cloud_problem(settings(base_url, "https://login.microsoftonline.com"), WEBINAR) is None


@pytest.mark.parametrize(
    ("base_url", "authority"),
    [
        ("https://graph.microsoft.com", "https://login.microsoftonline.us"),
        ("https://graph.microsoft.com", "https://login.partner.microsoftonline.cn"),
        ("https://graph.microsoft.com", "https://login.sovcloud-identity.fr"),
        ("https://graph.microsoft.us", "https://login.microsoftonline.com"),
    ],
)
def test_entra_and_graph_of_two_clouds_do_not_go_together(base_url, authority):
    assert "takes no token of another cloud" in cloud_problem(settings(base_url, authority), MEETING)


def test_call_that_does_not_exist_is_never_made(open_session):
    session = open_session(settings("https://graph.microsoft.us", "https://127.0.0.1:1"))

    with pytest.raises(SettingsError, match="US Government L4"):
        session.read("v1.0", WEBINAR, an_object)
    (answer,) = session.batch("v1.0", [BatchRequest("POST", f"{WEBINAR}/registrations")])
    assert isinstance(answer, SettingsError)
