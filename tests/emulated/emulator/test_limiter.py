"""The limiter of virtual events."""

import time

import pytest

from airflow_provider_teams_registration.emulator.behaviour.limiter import Limiter
from airflow_provider_teams_registration.emulator.behaviour.switches import Switches
from airflow_provider_teams_registration.emulator.server import Emulator


@pytest.fixture
def ask(monkeypatch):
    """Asks a limiter with the limits of Graph at a time of day, and returns how long it tells to wait."""
    limiter = Limiter(lambda: Switches())

    def at(seconds, app="app", *, is_read=False):
        monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + seconds)
        return limiter.count(app, is_read=is_read)

    return at


def test_limits_of_graph_hold_unless_told_otherwise(ask):
    assert [ask(0) for _ in range(15)] == [None] * 15
    assert ask(0) == 30
    assert [ask(0, is_read=True) for _ in range(750)] == [None] * 750
    assert ask(0, is_read=True) == 30


def test_window_slides(ask):
    assert [ask(second) for second in range(15)] == [None] * 15

    # Both of these count too: the next is let through when the third of those fifteen is out of the window.
    assert (ask(15), ask(20.5)) == (16, 11.5)
    assert ask(31.9) is not None
    assert ask(46) is None


@pytest.mark.parametrize("other", [{"app": "other"}, {"is_read": True}])
def test_what_is_counted_apart(ask, other):
    for _ in range(16):
        ask(0)

    assert ask(0) is not None
    assert ask(0, **other) is None


def test_one_too_many_is_not_executed(webinar, emulator):
    emulator.set_switches(write_limit=3)

    answers = [webinar.register(f"p{number}") for number in range(4)]

    assert [answer.status_code for answer in answers] == [204, 204, 204, 429]
    refused = answers[-1]
    assert refused.json()["error"]["code"] == "TooManyRequests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert len(emulator.store.webinars.registrations(emulator.webinar_id)) == 3
    entry = emulator.store.journal[-1]
    assert (entry.status, entry.effect, entry.fault) == (429, None, None)


def test_cancelling_counts_and_reading_and_meetings_do_not(webinar, application, emulator):
    emulator.set_switches(write_limit=2)
    webinar.register("ada")
    (one,) = webinar.listed()

    assert webinar.cancel(one["id"]).status_code == 204
    assert webinar.register("bob").status_code == 429
    assert application.enroll("p").status_code == 200
    assert len(webinar.listed()) == 1


def test_reads_have_a_limit_of_their_own(webinar, emulator):
    emulator.set_switches(read_limit=1)

    assert [webinar.send("GET").status_code for _ in range(2)] == [200, 429]
    assert webinar.register("ada").status_code == 204


def test_items_of_a_batch_count_one_by_one(webinar, application, emulator):
    emulator.set_switches(write_limit=15)
    items = [webinar.item(str(number), f"p{number}") for number in range(20)]

    answer = application.send("POST", "/$batch", "v1.0", json={"requests": items})

    assert answer.status_code == 200
    items = sorted(answer.json()["responses"], key=lambda item: int(item["id"]))
    assert [item["status"] for item in items] == [204] * 15 + [429] * 5
    assert all(1 <= int(item["headers"]["Retry-After"]) <= 30 for item in items[15:])
    assert len(emulator.store.webinars.registrations(emulator.webinar_id)) == 15


def test_next_one_is_let_through_after_the_window_and_impatience_does_not_help(webinar, emulator, poll):
    emulator.set_switches(write_limit=1, write_window=0.5)

    assert [webinar.register("ada").status_code for _ in range(4)] == [204, 429, 429, 429]
    last = emulator.store.journal[-1].at
    poll(lambda: time.monotonic() > last + 0.55)

    assert webinar.register("ada").status_code == 204


def test_request_that_a_rule_prevents_does_not_count(webinar, emulator):
    emulator.set_switches(write_limit=1)
    emulator.add_fault("POST registrations", status=503)

    assert [webinar.register("ada").status_code for _ in range(3)] == [503, 204, 429]


def test_reset_forgets_what_was_counted(webinar, emulator):
    for _ in range(2):
        emulator.set_switches(write_limit=1)
        assert webinar.register("ada").status_code == 204
        emulator.reset()


def test_fixture_leaves_it_off_and_the_emulator_on(emulator, tmp_path):
    assert (emulator.switches.write_limit, emulator.switches.read_limit) == (0, 0)
    plain = Emulator(directory=tmp_path).switches
    assert (plain.write_limit, plain.write_window, plain.read_limit, plain.read_window) == (15, 30, 750, 30)
