"""Signing in to Entra, and the sentences where that fails."""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.emulator.server import Emulator
from airflow_provider_teams_registration.exceptions import ServiceUnreachable, SettingsError, SignInError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.session import GraphSession

REFRESH_ADVICE = "sign in again with 'teams-registration refresh-token'"


def test_client_secret_signs_in_as_the_application(graph_session, emulator):
    token = graph_session.token()

    assert not token.is_delegated
    assert token.roles == tuple(emulator.switches.roles.split())
    assert token.scopes == ()
    assert (token.user_id, token.user_names) == (None, frozenset())


def test_refresh_token_signs_in_as_the_organizer(delegated_session, emulator):
    token = delegated_session.token()

    assert token.is_delegated
    assert token.scopes == tuple(emulator.switches.scopes.split())
    assert token.roles == ()
    assert (token.user_id, token.user_names) == (emulator.organizer_id, {"organizer@emulator.example"})


def test_refresh_token_needs_no_client_secret(open_session, delegated_settings):
    session = open_session(replace(delegated_settings, client_secret=None))

    assert session.token().is_delegated


def test_nothing_is_sent_before_the_first_call(open_session, settings):
    nowhere = replace(settings, authority="https://127.0.0.1:1", base_url="https://127.0.0.1:1")

    assert isinstance(open_session(nowhere), GraphSession)


def test_token_and_secrets_do_not_show_in_what_is_printed(delegated_session, delegated_settings, emulator):
    printed = f"{delegated_session.token()!r} {delegated_settings!r}"

    assert delegated_session.token().value not in printed
    assert "organizer@" not in printed
    assert emulator.client_secret not in printed
    assert emulator.refresh_token not in printed


@pytest.mark.parametrize("rotation", ["on", "old_one_dies"])
def test_rotated_refresh_token_is_told_and_serves_the_next_sign_in(
    rotation, open_session, delegated_settings, emulator
):
    emulator.set_switches(rotate_refresh_tokens=rotation)
    told = []
    session = open_session(delegated_settings, told.append)
    first = session.token()
    emulator.store.refresh_tokens.discard(emulator.refresh_token)
    emulator.add_fault("GET registration", status=401)

    OnlineMeeting(session, emulator.meeting_id).registration()

    assert session.token().value != first.value
    assert len(told) == len(set(told)) == 2
    assert set(told) <= emulator.store.refresh_tokens | {told[0]}
    assert open_session(replace(delegated_settings, refresh_token=told[-1])).token().is_delegated


def test_refresh_token_that_stays_the_same_is_not_told(open_session, delegated_settings):
    told = []

    open_session(delegated_settings, told.append).token()

    assert told == []


@pytest.mark.parametrize(
    ("wrong", "kind", "sentence"),
    [
        ({"client_secret": "wrong"}, SignInError, r"AADSTS7000215.*client secret is wrong.*not its id"),
        ({"client_id": "wrong"}, SignInError, r"AADSTS700016.*check the login \(client id\) and tenant_id"),
        ({"tenant_id": "wrong"}, SettingsError, r"knows no tenant 'wrong'.*Check tenant_id and authority"),
        ({"authority": "http://127.0.0.1:1"}, SettingsError, r"authority is 'http://.*must begin with https://"),
        ({"authority": "nonsense"}, SettingsError, r"authority is 'nonsense'.*must begin with https://"),
        ({"scopes": ("User.Read",)}, SignInError, r"AADSTS1002012.*Check the connection's scopes"),
        ({"auth": "password"}, SettingsError, r"auth is 'password'; it must be one of client_secret, certificate, "),
    ],
)
def test_setting_that_cannot_work_is_named(wrong, kind, sentence, open_session, settings):
    with pytest.raises(kind, match=sentence) as failure:
        open_session(replace(settings, **wrong)).token()

    assert not failure.value.transient


def test_unknown_refresh_token_says_how_to_get_another(open_session, delegated_settings):
    with pytest.raises(SignInError, match=REFRESH_ADVICE) as failure:
        open_session(replace(delegated_settings, refresh_token="old")).token()

    assert failure.value.code == "AADSTS700082"
    assert not failure.value.transient


def test_refresh_token_with_a_wrong_secret_blames_the_secret(open_session, delegated_settings):
    with pytest.raises(SignInError, match="client secret is wrong"):
        open_session(replace(delegated_settings, client_secret="wrong")).token()


def test_refusal_of_entra_holds_no_secret(open_session, delegated_settings):
    settings = replace(delegated_settings, client_secret="CANARY-SECRET", refresh_token="CANARY-REFRESH")

    with pytest.raises(SignInError) as failure:
        open_session(settings).token()

    assert "CANARY" not in str(failure.value)


@pytest.mark.parametrize("route", ["POST token", "GET openid-configuration"])
@pytest.mark.parametrize("status", [500, 503])
def test_entra_in_trouble_is_said_and_may_be_tried_again(route, status, open_session, settings, emulator):
    emulator.add_fault(route, status=status, times=0)

    with pytest.raises(SignInError, match="Entra is failing; try again later") as failure:
        open_session(settings).token()

    assert failure.value.transient
    emulator.clear_faults()
    assert open_session(settings).token().roles


@pytest.mark.parametrize("broken", [{"drop": True}, {"half": True}])
def test_answer_of_entra_that_breaks_off_may_be_tried_again(broken, graph_session, emulator):
    emulator.add_fault("POST token", **broken)

    with pytest.raises(ServiceUnreachable, match=emulator.url):
        graph_session.token()

    assert graph_session.token().roles


def test_entra_that_is_slow_may_be_tried_again(open_session, settings, emulator):
    emulator.add_fault("POST token", delay=0.5)

    with pytest.raises(ServiceUnreachable, match=emulator.url):
        open_session(replace(settings, timeout=0.1)).token()


def test_entra_that_is_down_is_named(open_session, settings):
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        authority = f"https://127.0.0.1:{nobody_listens.getsockname()[1]}"

        with pytest.raises(ServiceUnreachable, match=f"{authority} could not be reached.*Check the address") as failure:
            open_session(replace(settings, authority=authority)).token()

    assert failure.value.transient


def test_token_that_runs_out_is_replaced_before_it_is_used(graph_session, meeting, emulator, calls):
    emulator.set_switches(token_lifetime=0)
    stale = graph_session.token()
    emulator.set_switches(token_lifetime=3600)

    meeting.registration()

    assert graph_session.token().value != stale.value
    assert calls() == ["GET registration"]


def test_threads_whose_token_the_service_no_longer_knows_fetch_one_new_one(open_session, settings, tmp_path):
    with Emulator(directory=tmp_path) as first:
        session = open_session(replace(settings, authority=first.url, base_url=first.url, verify=first.ca_file))
        meeting = OnlineMeeting(session, first.meeting_id, first.organizer_id)
        meeting.registration()
        known = session.token()
    with Emulator(directory=tmp_path, port=first.port) as restarted, ThreadPoolExecutor(8) as threads:
        restarted.add_fault("POST token", nth=2, times=0, status=500)
        answers = list(threads.map(lambda _: meeting.registration().allowed_registrant, range(8)))

    assert answers == ["everyone"] * 8
    assert len(restarted.store.journal) == 8
    assert session.token().value != known.value


def test_one_token_serves_many_calls_and_threads(graph_session, meeting, emulator, calls):
    emulator.add_fault("POST token", nth=2, times=0, status=500)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: meeting.registration().allowed_registrant, range(40)))

    assert answers == ["everyone"] * 40
    assert calls() == ["GET registration"] * 40
