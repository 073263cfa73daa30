"""Which proxy a request goes through, in every spelling that Airflow's msgraph hook takes."""

import sys
import warnings
from dataclasses import replace

import httpx
import pytest

from airflow_provider_teams_registration.exceptions import ServiceUnreachable, SettingsError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.proxies import read_proxies
from tests.proxy import Proxy

PROXY = "http://proxy:3128"
OTHER = "http://other:3128"


@pytest.fixture
def read(open_session, settings, emulator):
    """Signs in and reads the registration: one call to Entra at least, one to Graph."""

    def read(proxies, **changes):
        session = open_session(replace(settings, proxies=proxies, **changes))
        return OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id).registration()

    return read


@pytest.mark.parametrize(
    "key",
    [
        "https",
        "HTTPS",
        "https://",
        "Https://",
        "all",
        "ALL",
        "all://",
        "all://*",
        "https://127.0.0.1",
        "all://127.0.0.1",
    ],
)
def test_traffic_goes_through_the_proxy_however_its_key_is_spelt(key, read, proxy, emulator):
    read({key: proxy.url})

    assert set(proxy.asked) == {f"127.0.0.1:{emulator.port}"}


def test_proxy_may_be_named_without_its_scheme(read, proxy):
    read({"https": proxy.url.removeprefix("http://")})

    assert proxy.asked


def test_proxy_for_one_port_is_used(read, proxy, emulator):
    read({f"https://127.0.0.1:{emulator.port}": proxy.url})

    assert proxy.asked


@pytest.mark.parametrize("name", ["no", "NO", "no_proxy", "No_Proxy"])
@pytest.mark.parametrize(
    "exceptions",
    [
        "127.0.0.1",
        "localhost,127.0.0.1",
        " localhost , 127.0.0.1 ",
        ["127.0.0.1"],
        ["localhost", "127.0.0.1"],
        "all://127.0.0.1",
        "https://127.0.0.1",
        ["https://127.0.0.1/"],
        "127.0.0.0/8",
        "*",
        "*.0.0.1",
    ],
)
def test_exception_is_reached_directly_however_it_is_spelt(name, exceptions, read, proxy):
    assert read({"https": proxy.url, name: exceptions}).allowed_registrant == "everyone"

    assert proxy.asked == []


def test_exception_for_one_port_is_reached_directly(read, proxy, emulator):
    read({"all": proxy.url, "no": f"127.0.0.1:{emulator.port}"})

    assert proxy.asked == []


@pytest.mark.parametrize("key", ["all://127.0.0.1", "https://127.0.0.1", "https://"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_key_without_a_proxy_is_an_exception(key, nothing, read, proxy):
    read({"all": proxy.url, key: nothing})

    assert proxy.asked == []


@pytest.mark.parametrize(
    "exceptions", ["http://127.0.0.1", "localhost", "127.0.0.1:1", "*.127.0.0.1", "10.0.0.0/8", "", [], None]
)
def test_what_is_no_exception_goes_through_the_proxy(exceptions, read, proxy):
    read({"https": proxy.url, "no": exceptions})

    assert proxy.asked


def test_entra_goes_through_the_proxy_and_graph_does_not(read, emulator, proxy):
    read(
        {"all://": proxy.url, "no": "all://localhost"},
        base_url=f"https://localhost:{emulator.port}",
        verify=False,
    )

    assert set(proxy.asked) == {f"127.0.0.1:{emulator.port}"}


@pytest.fixture
def whole_internet(emulator):
    """A proxy behind which every host is the emulator."""
    running = Proxy(leads_to=emulator.port)
    yield running
    running.close()


ELSEWHERE = {"authority": "https://entra.example.invalid", "base_url": "https://graph.example.invalid", "verify": False}


@pytest.mark.parametrize("exceptions", ["example.invalid", "*.graph.example.invalid", "raph.example.invalid"])
def test_only_the_named_host_is_an_exception(exceptions, read, whole_internet):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read({"https": whole_internet.url, "no": exceptions}, **ELSEWHERE)

    assert set(whole_internet.asked) == {"entra.example.invalid:443", "graph.example.invalid:443"}


@pytest.mark.parametrize(
    "exceptions",
    [
        {"no": "*.example.invalid"},
        {"no": ["*example.invalid"]},
        {"no": ".example.invalid"},
        {"no_proxy": "example.invalid"},
    ],
)
def test_domain_that_is_an_exception_is_never_asked_of_the_proxy(exceptions, read, whole_internet):
    with pytest.raises(ServiceUnreachable, match=r"entra\.example\.invalid could not be reached"):
        read({"https": whole_internet.url, **exceptions}, **ELSEWHERE)

    assert whole_internet.asked == []


def test_exceptions_alone_leave_the_proxies_to_the_environment(read, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)

    read({"no": "graph.example"})
    assert proxy.asked

    proxy.asked.clear()
    read({"no": "127.0.0.1"})
    assert proxy.asked == []


def test_proxy_for_another_scheme_keeps_the_environment_out(read, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)

    read({"http": "http://127.0.0.1:1"})

    assert proxy.asked == []


@pytest.mark.parametrize(
    ("proxies", "chosen"),
    [
        ({"all": OTHER, "https": PROXY}, PROXY),
        ({"https": OTHER, "all://graph.microsoft.com": PROXY}, PROXY),
        ({"https://*.microsoft.com": OTHER, "https://graph.microsoft.com": PROXY}, PROXY),
        ({"https://graph.microsoft.com": OTHER, "all://*:443": PROXY}, PROXY),
        ({"https://*microsoft.com": PROXY}, PROXY),
        ({"https": PROXY, "all://graph.microsoft.com": None}, None),
        ({"https://graph.microsoft.com": PROXY, "no": "*.microsoft.com"}, PROXY),
        ({"https": PROXY, "no": "*.graph.microsoft.com"}, PROXY),
        ({"https": PROXY, "no_proxy": "microsoft.com"}, None),
        ({"https": PROXY, "no_proxy": "soft.com"}, PROXY),
        ({"https": PROXY, "no": "Graph.Microsoft.COM"}, None),
        ({"https": PROXY, "no": "graph.microsoft.com:443"}, None),
        ({"http": PROXY}, None),
    ],
)
def test_most_specific_rule_decides(proxies, chosen):
    expected = {} if chosen is None else {"all": chosen}

    assert read_proxies(proxies).proxies_for("https://graph.microsoft.com/v1.0/me", {}) == expected


@pytest.mark.parametrize(
    "rules",
    [
        {"https://": True},
        {"http://": True},
        {"all://": True},
        {"all://127.0.0.1": True},
        {"https://127.0.0.1": True},
        {"all://localhost": True},
        {"https://": True, "all://127.0.0.1": None},
        {"https://": True, "all://*.0.0.1": None},
        {"https://": True, "all://*0.0.1": None},
        {"https://": True, "all://*127.0.0.1": None},
        {"https://": True, "all://*.127.0.0.1": None},
        {"https://": True, "all://0.0.1": None},
        {"https://": True, "http://127.0.0.1": None},
        {"https://": True, "https://127.0.0.1": None},
        {"https://": True, "all://127.0.0.1:1": None},
        {"https://127.0.0.1": True, "all://*.0.0.1": None},
        {"all://*.0.0.1": True, "https://127.0.0.1": None},
        {"https://": True, "http://": None},
        {"all://": True, "https://": None},
    ],
)
def test_same_requests_go_through_the_proxy_as_in_the_msgraph_hook(rules, read, proxy, emulator):
    # The hook gives its rules to httpx as these mounts.
    mounts = {
        key: httpx.HTTPTransport(proxy=proxy.url, verify=False) if value else None for key, value in rules.items()
    }
    with httpx.Client(mounts=mounts, verify=False, trust_env=False) as client:
        client.get(f"{emulator.url}/v1.0/me")
    goes_through_it = bool(proxy.asked)
    proxy.asked.clear()

    read({key: value and proxy.url for key, value in rules.items()})

    assert bool(proxy.asked) is goes_through_it


@pytest.mark.parametrize(
    ("proxies", "named"),
    [
        ({"ftp": PROXY}, "the key 'ftp'"),
        ({"https_proxy": PROXY}, "the key 'https_proxy'"),
        ({"https:": PROXY}, "a key is not understood"),
        ({"": PROXY}, "a key is not understood"),
        ({"graph.microsoft.com": PROXY}, "the key 'graph.microsoft.com'"),
        ({"socks5://graph.microsoft.com": PROXY}, "the key 'socks5://graph.microsoft.com'"),
        ({"https://a.*.example": PROXY}, "the key 'https://a.*.example'"),
        ({"https://host:99999": PROXY}, "the key 'https://host:99999'"),
        ({"http://me:CANARY@proxy:3128": "https"}, "a key is not understood"),
        ({"https": 3128}, "the key 'https' must have a text as its value"),
        ({"https": {"http": PROXY}}, "the key 'https' must have a text as its value"),
        ({"https": ["http://me:CANARY@proxy:3128"]}, "the key 'https' must have a text as its value"),
        ({"https": True}, "the key 'https' must have a text as its value"),
        ({"https": "http://me:CANARY/CANARY@proxy:3128"}, "the key 'https' has a value that is no address"),
        ({"https": "http://me:CANARY#CANARY@proxy:3128"}, "the key 'https' has a value that is no address"),
        ({"https": "http://me:CANARY@proxy:31280000"}, "the key 'https' has a value that is no address"),
        ({"https": "http://me:CANARY@"}, "the key 'https' has a value that is no address"),
        ({"https": "http://me:CANARY@pro xy"}, "the key 'https' has a value that is no address"),
        ({"https": "http://me:CANARY@proxy\n"}, None),
        ({"https": "http://me:CANARY@pro\nxy"}, "the key 'https' has a value that is no address"),
        ({"https": "ftp://me:CANARY@proxy"}, "the key 'https' has the address of a proxy whose scheme"),
        ({"HTTPS": PROXY, "https://": "http://me:CANARY@proxy"}, "the key 'https://' contradicts another key"),
        ({"no": 5}, "the key 'no' must be a text with commas or a list"),
        ({"no": ["localhost", 5]}, "the key 'no' must be a text with commas or a list"),
        ({"no_proxy": {"CANARY": "CANARY"}}, "the key 'no_proxy' must be a text with commas or a list"),
        ({"no": "localhost,ftp://CANARY"}, "the key 'no' has an entry that is not understood"),
        ({"no": "me:CANARY@localhost"}, "the key 'no' has an entry that is not understood"),
        ({"no": "localhost?CANARY"}, "the key 'no' has an entry that is not understood"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_key(proxies, named):
    if named is None:
        assert read_proxies(proxies).proxies_for("https://graph.microsoft.com", {})
        return
    with pytest.raises(SettingsError) as failure:
        read_proxies(proxies)

    assert str(failure.value).startswith("proxies: ")
    assert named in str(failure.value)
    assert "CANARY" not in str(failure.value)


def test_socks_proxy_says_what_must_be_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "socks", None)

    with pytest.raises(SettingsError, match="PySocks must be installed"):
        read_proxies({"https": "socks5h://proxy:1080"})


def test_passwords_of_proxies_do_not_show():
    assert "CANARY" not in repr(read_proxies({"https": "http://me:CANARY@proxy:3128", "no": "localhost"}))
