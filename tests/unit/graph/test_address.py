"""Which addresses are the same host's, so that a token may go there."""

import pytest

from airflow_provider_teams_registration.graph.address import same_origin

GRAPH = "https://graph.microsoft.com"


@pytest.mark.parametrize(
    "other",
    [
        "https://graph.microsoft.com/v1.0/users?$skiptoken=a",
        "https://graph.microsoft.com:443/v1.0",
        "https://Graph.Microsoft.COM/v1.0",
        "HTTPS://graph.microsoft.com.",
    ],
)
def test_default_port_and_case_make_no_other_host(other):
    assert same_origin(GRAPH, other)
    assert same_origin(other, GRAPH)
    assert same_origin(f"{GRAPH}:443", other)


@pytest.mark.parametrize(
    "other",
    [
        "http://graph.microsoft.com",
        "http://graph.microsoft.com:443",
        "https://graph.microsoft.com:8443",
        "https://graph.microsoft.com:0",
        "https://graph.microsoft.com:99999",
        "https://graph.microsoft.com:x",
        "https://graph.microsoft.com:443@evil.example",
        "https://me@graph.microsoft.com",
        "https://graph.microsoft.com.evil.example",
        "https://evil.example/graph.microsoft.com",
        "https://graph.micro\nsoft.com",
        "https://[",
        "graph.microsoft.com",
        "//graph.microsoft.com",
        "",
    ],
)
def test_everything_else_is_another_host(other):
    assert not same_origin(GRAPH, other)
    assert not same_origin(other, GRAPH)


def test_bad_address_is_not_even_its_own():
    assert not same_origin("https://graph.microsoft.com:99999", "https://graph.microsoft.com:99999")
