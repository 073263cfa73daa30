"""No secret is a local variable of a frame that an error came through: error trackers record those."""

import json
import signal
from contextlib import contextmanager
from dataclasses import replace

import pytest

from airflow_provider_teams_registration.exceptions import TeamsRegistrationError
from airflow_provider_teams_registration.graph import device_sign_in
from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.shapes import an_object


def frames(error, seen=None):
    """Everything that an error tracker sees of an error, and of those it chains to."""
    seen = set() if seen is None else seen
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename != __file__:
            yield trace.tb_frame
        trace = trace.tb_next
    yield from frames(error.__cause__, seen)
    yield from frames(error.__context__, seen)


def held(error):
    """The reprs of all local variables."""
    return "\n".join(
        f"{frame.f_code.co_qualname if hasattr(frame.f_code, 'co_qualname') else frame.f_code.co_name} {name} {value!r}"
        for frame in frames(error)
        for name, value in frame.f_locals.items()
    )


@pytest.fixture
def secrets(emulator):
    """Whatever must not be found, told when the error is there."""

    def known(*sessions):
        tokens = [session.token().value for session in sessions]
        return [emulator.client_secret, emulator.refresh_token, *tokens, *emulator.store.refresh_tokens]

    return known


def assert_holds_none(error, secrets):
    found = held(error) + repr(error) + repr(error.args)
    for secret in secrets:
        assert secret not in found
        # A token's middle alone is a secret's trace.
        assert secret[-30:] not in found


class Interrupted(BaseException):
    """As Airflow's time limit of a task."""


@contextmanager
def interrupted_after(seconds):
    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


FAULTS = [
    pytest.param({"drop": True}, id="dropped"),
    pytest.param({"half": True}, id="half"),
    pytest.param({"drip": 0.05, "when": "after"}, id="drips"),
    pytest.param({"drip": 0.05, "drips_head": True, "when": "after"}, id="drips the head"),
    pytest.param({"status": 400}, id="refused"),
    pytest.param({"status": 401}, id="no token"),
    pytest.param({"status": 503}, id="in trouble"),
    pytest.param({"redirect": "http://other.example/"}, id="redirected"),
]


def read(session):
    session.read("beta", "/me/onlineMeetings/x/registration", an_object)


def write(session):
    session.write("POST", "beta", "/me/onlineMeetings/x/registration", {"subject": "x"})


def write_batch(session):
    (answer,) = session.batch("beta", [BatchRequest("GET", "/me/onlineMeetings/x/registration")])
    raise answer


@pytest.mark.parametrize("way", ["application", "organizer"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", [read, write, write_batch])
def test_error_of_a_call_holds_no_token(
    call, fault, way, open_session, settings, delegated_settings, emulator, secrets, no_backoff
):
    unlimited = settings if way == "application" else delegated_settings
    open_session(unlimited).token()
    session = open_session(replace(unlimited, timeout=0.3))
    emulator.add_fault("* *", times=0, **fault)

    with pytest.raises(TeamsRegistrationError) as failure:
        call(session)

    emulator.clear_faults()
    assert_holds_none(failure.value, secrets(session))


@pytest.mark.parametrize("way", ["application", "organizer"])
@pytest.mark.parametrize("route", ["POST token", "GET openid-configuration"])
@pytest.mark.parametrize(
    "fault",
    [
        *FAULTS,
        pytest.param({"body": '{"access_token": "CANARY-TOKEN'}, id="half a JSON text"),
        pytest.param({"body": '{"access_token": ["CANARY-TOKEN"]}'}, id="token of another kind"),
        pytest.param({"body": '{"access_token": "CANARY-TOKEN", "expires_in": "soon"}'}, id="life of another kind"),
        pytest.param({"body": '{"refresh_token": "CANARY-TOKEN"}'}, id="no token"),
        pytest.param({"body": '{"access_token": "CANARY-TOKEN", "id_token": "x.y.z"}'}, id="id token of another kind"),
        pytest.param({"body": "[]"}, id="list"),
        pytest.param({"body": "[" * 100_000}, id="deep"),
        pytest.param({"body": "{}"}, id="empty"),
        pytest.param({"status": 400, "body": "<html>CANARY-TOKEN</html>"}, id="HTML"),
    ],
)
def test_error_of_a_sign_in_holds_no_secret(
    route, fault, way, open_session, settings, delegated_settings, emulator, secrets, caplog
):
    session = open_session(replace(settings if way == "application" else delegated_settings, timeout=0.3))
    emulator.add_fault(route, times=0, **fault)
    caplog.set_level("DEBUG")

    with pytest.raises(TeamsRegistrationError) as failure:
        session.token()

    assert_holds_none(failure.value, [*secrets(), "CANARY-TOKEN"])
    assert "CANARY-TOKEN" not in caplog.text


def test_error_of_an_unreachable_entra_holds_no_secret(open_session, delegated_settings, broken_proxy, secrets):
    session = open_session(replace(delegated_settings, proxies={"https": broken_proxy}))

    with pytest.raises(TeamsRegistrationError) as failure:
        session.token()

    assert_holds_none(failure.value, secrets())


@pytest.mark.parametrize("route", ["POST token", "GET openid-configuration", "GET registration"])
@pytest.mark.parametrize("way", ["application", "organizer"])
def test_time_limit_of_a_task_that_strikes_in_a_call_carries_no_secret(
    route, way, open_session, settings, delegated_settings, emulator, secrets
):
    session = open_session(settings if way == "application" else delegated_settings)
    emulator.add_fault(route, drip=0.1, when="after", times=0)

    with pytest.raises(Interrupted) as failure, interrupted_after(0.4):
        session.read(
            "beta", f"/users/{emulator.organizer_id}/onlineMeetings/{emulator.meeting_id}/registration", an_object
        )

    emulator.clear_faults()
    assert_holds_none(failure.value, secrets(session))


def test_error_of_whoever_is_told_of_a_rotated_refresh_token_holds_none(
    open_session, delegated_settings, emulator, secrets
):
    emulator.set_switches(rotate_refresh_tokens="on")

    def fail(refresh_token):
        raise RuntimeError(f"{len(refresh_token)} characters")

    with pytest.raises(RuntimeError) as failure:
        open_session(delegated_settings, fail).token()

    assert_holds_none(failure.value, secrets())


@pytest.mark.parametrize(
    "fault", [{"body": json.dumps({"access_token": "CANARY-TOKEN", "expires_in": 1})}, {"drop": True}]
)
def test_error_of_a_sign_in_by_hand_holds_no_secret(fault, settings, emulator, secrets):
    emulator.add_fault("POST token", times=0, **fault)

    with pytest.raises(TeamsRegistrationError) as failure:
        device_sign_in.refresh_token(settings, lambda message: None)

    assert_holds_none(failure.value, [*secrets(), "CANARY-TOKEN"])


def test_token_that_cannot_be_read_is_no_reason_to_fail(open_session, settings, emulator):
    """Only Graph checks a token: its claims are read to explain."""
    emulator.add_fault("POST token", body='{"access_token": "opaque", "expires_in": 3599, "token_type": "Bearer"}')

    token = open_session(settings).token()

    assert (token.value, token.roles, token.user_id) == ("opaque", (), None)
