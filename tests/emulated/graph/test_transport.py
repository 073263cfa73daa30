"""How the client reaches Entra and Graph: certificates, proxies, time limits."""

import warnings
from dataclasses import replace

import certifi
import pytest

from airflow_provider_teams_registration.exceptions import AnswerLost, ServiceUnreachable, SettingsError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.online_meeting_bodies import ExternalMeetingRegistrant


@pytest.fixture
def read(open_session, emulator):
    """Signs in and reads the registration: one call to Entra at least, one to Graph."""

    def read(settings):
        return OnlineMeeting(open_session(settings), emulator.meeting_id, emulator.organizer_id).registration()

    return read


def test_ca_file_of_the_connection_wins_over_the_environment(read, settings, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    monkeypatch.setenv("CURL_CA_BUNDLE", certifi.where())

    assert read(settings).allowed_registrant == "everyone"


def test_environment_names_the_ca_file_where_the_connection_does_not(read, settings, emulator, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.ca_file)

    assert read(replace(settings, verify=None)).allowed_registrant == "everyone"


def test_public_certificates_asked_for_win_over_the_environment(read, settings, emulator, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.ca_file)

    with pytest.raises(SettingsError, match="is not trusted"):
        read(replace(settings, verify=True))


def test_no_verification_asked_for_wins_over_the_environment(read, settings, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read(replace(settings, verify=False)).allowed_registrant == "everyone"


def test_untrusted_certificate_of_entra_says_where_the_ca_file_goes(read, settings, emulator, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())

    with pytest.raises(SettingsError, match=f"certificate of {emulator.url} is not trusted.*'verify'") as failure:
        read(replace(settings, verify=None))

    assert not failure.value.transient


def test_untrusted_certificate_of_graph_says_where_the_ca_file_goes(open_session, settings, emulator, monkeypatch):
    session = open_session(replace(settings, verify=None))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.ca_file)
    session.token()
    session.close()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())

    with pytest.raises(SettingsError, match="is not trusted"):
        OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id).registration()

    assert emulator.store.journal == []


def test_ca_file_that_holds_no_certificate_is_named(read, settings, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing of use\n")

    with pytest.raises(SettingsError, match=r"empty\.pem"):
        read(replace(settings, verify=str(empty)))


def test_ca_file_of_the_environment_that_is_not_there_is_named(read, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))

    with pytest.raises(SettingsError, match=r"missing\.pem"):
        read(replace(settings, verify=None))


def test_proxy_of_the_connection_wins_over_the_environment(read, settings, emulator, proxy, broken_proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", broken_proxy)

    read(replace(settings, proxies={"https": proxy.url}))

    assert set(proxy.asked) == {f"127.0.0.1:{emulator.port}"}


def test_proxy_of_the_connection_wins_over_no_proxy_of_the_environment(read, settings, proxy, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    read(replace(settings, proxies={"https": proxy.url}))

    assert proxy.asked


def test_proxy_for_all_schemes_is_used(read, settings, proxy):
    read(replace(settings, proxies={"all": proxy.url}))

    assert proxy.asked


def test_host_in_no_proxy_of_the_connection_is_reached_directly(read, settings, broken_proxy, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)

    read(replace(settings, proxies={"https": broken_proxy, "no_proxy": "example.org,127.0.0.1"}))

    assert proxy.asked == []


def test_host_that_is_not_in_no_proxy_goes_through_the_proxy(read, settings, proxy):
    read(replace(settings, proxies={"https": proxy.url, "no_proxy": "example.org"}))

    assert proxy.asked


def test_no_proxies_in_the_connection_wins_over_the_environment(read, settings, broken_proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", broken_proxy)

    assert read(replace(settings, proxies={})).allowed_registrant == "everyone"


def test_environment_names_the_proxy_where_the_connection_does_not(read, settings, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)

    read(settings)

    assert proxy.asked


def test_ca_file_of_the_connection_holds_through_a_proxy(read, settings, proxy, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)

    read(settings)

    assert proxy.asked


def test_proxy_that_is_down_is_said(read, settings, broken_proxy, no_backoff):
    with pytest.raises(ServiceUnreachable, match=r"could not be reached.*the proxies") as failure:
        read(replace(settings, proxies={"https": broken_proxy}))

    assert failure.value.transient


def test_password_of_a_proxy_does_not_show(read, settings, broken_proxy, no_backoff):
    settings = replace(settings, proxies={"https": broken_proxy.replace("//", "//user:CANARY@")})

    with pytest.raises(ServiceUnreachable) as failure:
        read(settings)

    assert "CANARY" not in f"{failure.value} {settings!r}"


def test_netrc_does_not_replace_the_token(read, settings, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    assert read(settings).allowed_registrant == "everyone"


def test_read_that_takes_too_long_is_repeated(read, settings, emulator, no_backoff, calls):
    emulator.add_fault("GET registration", delay=4)

    assert read(replace(settings, timeout=1.5)).allowed_registrant == "everyone"
    assert calls() == ["GET registration"] * 2


def test_read_that_always_takes_too_long_ends_as_unreachable(read, open_session, settings, emulator, no_backoff, calls):
    open_session(settings).token()
    emulator.add_fault("GET registration", delay=3, times=0)

    with pytest.raises(ServiceUnreachable, match="no answer to a read, several times in a row") as failure:
        read(replace(settings, timeout=0.5))

    assert failure.value.transient
    assert "whether it took effect" not in str(failure.value)
    assert calls() == ["GET registration"] * 4


def test_write_that_takes_too_long_is_lost_and_not_repeated(open_session, settings, emulator, calls):
    open_session(settings).token()
    session = open_session(replace(settings, timeout=1))
    emulator.add_fault("POST registration", delay=3)

    with pytest.raises(AnswerLost, match="whether it took effect is not known") as failure:
        OnlineMeeting(session, emulator.closed_meeting_id, emulator.organizer_id).open_registration()

    assert not failure.value.transient
    assert calls() == ["POST registration"]
    assert emulator.store.meeting(emulator.closed_meeting_id).allowed_registrant == "everyone"


def test_graph_that_is_down_is_named(read, settings, broken_proxy, no_backoff):
    base_url = broken_proxy.replace("http:", "https:")

    with pytest.raises(ServiceUnreachable, match=f"{base_url} could not be reached"):
        read(replace(settings, base_url=base_url))


def test_answer_lost_behind_a_proxy_is_lost_and_never_sent_again(open_session, settings, emulator, proxy):
    session = open_session(replace(settings, proxies={"https": proxy.url}))
    emulator.add_fault("POST $batch", when="after", drop=True)

    meeting = OnlineMeeting(session, emulator.meeting_id, emulator.organizer_id)
    (answer,) = meeting.enroll([ExternalMeetingRegistrant("ada")])

    assert isinstance(answer, AnswerLost)
    assert len(emulator.store.registrants(emulator.meeting_id)) == 1
