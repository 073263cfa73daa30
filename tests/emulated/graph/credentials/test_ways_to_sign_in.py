"""What holds for every way to sign in."""

import re
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.exceptions import SignInError, TeamsRegistrationError
from airflow_provider_teams_registration.graph.online_meeting import OnlineMeeting
from airflow_provider_teams_registration.graph.settings import AUTH_CHOICES
from tests.emulated.graph.test_secrets import FAULTS, Interrupted, held, interrupted_after


@pytest.mark.parametrize("way", AUTH_CHOICES)
def test_every_way_to_sign_in_reads_a_registration(
    way, request, open_session, settings, delegated_settings, on_machine, emulator
):
    if way in ("managed_identity", "default"):
        on_machine()
    fixtures = {
        "certificate": "by_certificate",
        "workload_identity": "by_federation",
        "managed_identity": "by_identity",
        "default": "by_default",
    }
    known = {"client_secret": settings, "refresh_token": delegated_settings}
    chosen = known[way] if way in known else request.getfixturevalue(fixtures[way])
    organizer = None if chosen.signs_in_a_user else emulator.organizer_id

    meeting = OnlineMeeting(open_session(chosen), emulator.meeting_id, organizer)

    assert meeting.registration().allowed_registrant == "everyone"


def test_tenant_may_be_named_by_its_domain(open_session, settings, emulator):
    assert open_session(replace(settings, tenant_id=emulator.tenant_domain)).token().roles


JWT = re.compile(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.")


def shown(error):
    """What an error tracker sees of an error, but for the frame of the test."""
    error.__traceback__ = error.__traceback__.tb_next
    return held(error) + repr(error.args)


@pytest.fixture(params=["by_certificate", "by_federation", "by_identity"])
def any_way(request, on_machine):
    """The application's way to the emulator, one after the other."""
    on_machine()
    return replace(request.getfixturevalue(request.param), timeout=0.3)


UNUSABLE = [
    '{"access_token": "CANARY", "expires_in": "soon"}',
    '{"access_token": "CANARY\\nX: y", "expires_in": 3600}',
    '{"access_token": "CANARY\\u20ac\\ud800", "expires_in": 3600}',
]


@pytest.mark.parametrize("fault", [*FAULTS, *({"body": body} for body in UNUSABLE)])
def test_error_of_a_sign_in_holds_neither_key_nor_assertion(fault, any_way, open_session, emulator, caplog):
    emulator.add_fault("* token", times=0, **fault)
    caplog.set_level("DEBUG")

    with pytest.raises(TeamsRegistrationError) as failure:
        open_session(any_way).token()

    found = shown(failure.value) + caplog.text
    assert not JWT.search(found)
    assert "PRIVATE KEY" not in found
    assert "CANARY" not in found


def test_entra_that_asks_to_wait_may_be_asked_again(open_session, settings, emulator):
    emulator.add_fault("POST token", status=429, body="{}")
    session = open_session(settings)

    with pytest.raises(SignInError, match="try again later") as failure:
        session.token()

    assert failure.value.transient
    assert session.token().roles


def test_time_limit_of_a_task_that_strikes_in_a_sign_in_carries_no_secret(any_way, open_session, emulator):
    emulator.add_fault("* token", drip=0.1, when="after", times=0)

    with pytest.raises(Interrupted) as failure, interrupted_after(0.4):
        open_session(replace(any_way, timeout=30)).token()

    emulator.clear_faults()
    found = shown(failure.value)
    assert not JWT.search(found)
    assert "PRIVATE KEY" not in found
