"""The service's allowance for writes: used up, never exceeded."""

import pytest

from airflow_provider_teams_registration.graph import allowance, pace
from airflow_provider_teams_registration.graph.allowance import PacedWrites
from airflow_provider_teams_registration.graph.pace import Pace


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(allowance, "time", clock)
    monkeypatch.setattr(pace, "time", clock)
    return clock


@pytest.fixture
def writes(clock):
    return PacedWrites(Pace(), 15, 30.0)


def test_whole_allowance_may_be_used_at_once(writes):
    assert (writes.room, writes.left()) == (15, 0)
    writes.begin(15)
    writes.end(15)

    assert writes.room == 0
    assert writes.left() == 30


def test_writes_under_way_take_room(writes):
    writes.begin(10)
    assert (writes.room, writes.left()) == (5, 0)

    writes.begin(5)
    assert writes.room == 0
    assert writes.left() > 0


def test_write_counts_from_its_answer_on(writes, clock):
    writes.begin(15)
    clock.sleep(10)
    writes.end(15)
    clock.sleep(29)
    assert (writes.room, writes.left()) == (0, 1)

    clock.sleep(1)
    assert (writes.room, writes.left()) == (15, 0)


def test_room_comes_back_write_by_write(writes, clock):
    for _ in range(15):
        writes.begin(1)
        writes.end(1)
        clock.sleep(1)
    assert (writes.room, writes.left()) == (0, 15)

    clock.sleep(16)
    assert (writes.room, writes.left()) == (2, 0)


def test_more_under_way_than_allowed_is_no_negative_room(writes):
    writes.begin(20)

    assert writes.room == 0
    assert writes.left() == 30


def test_wait_ends_once_there_is_room(writes, clock):
    writes.begin(15)
    writes.end(15)

    writes.wait()

    assert clock.now == 1030
    assert writes.room == 15


def test_any_span_of_the_window_holds_at_most_the_limit(writes, clock):
    times = []
    for size in [7, 15, 3, 1, 20, 15, 8] * 5:
        left = size
        while left:
            writes.wait()
            some = min(writes.room, left)
            writes.begin(some)
            times += [clock.now] * some
            clock.sleep(0.3)
            writes.end(some)
            left -= some

    assert all(later - earlier >= 30 for earlier, later in zip(times, times[15:], strict=False))
    assert times[-1] - times[0] <= 1.05 * writes.estimate(len(times))


@pytest.mark.parametrize(
    ("number", "seconds"), [(0, 0), (1, 0), (15, 0), (16, 30), (30, 30), (31, 60), (150, 270), (1000, 1980)]
)
def test_estimate_is_what_the_service_permits(writes, number, seconds):
    assert writes.estimate(number) == seconds


def test_what_the_service_asks_of_the_session_holds_for_its_writes_and_the_other_way_round(clock):
    shared = Pace()
    one, other = PacedWrites(shared, 15, 30), PacedWrites(shared, 15, 30)

    shared.hold(5)
    assert one.held() == one.left() == 5
    one.hold(9)
    assert shared.left() == other.left() == other.held() == 9

    one.begin(15)
    one.end(15)
    assert one.held() == 9
    assert one.left() == 30
    assert other.left() == 9


def test_backoff_starts_over_once_something_went_through(clock):
    shared = Pace()
    writes = PacedWrites(shared, 15, 30)
    for _ in range(5):
        writes.hold(None)
    writes.wait()

    writes.ease()
    writes.hold(None)

    assert writes.held() < 3


def test_writes_are_begun_a_moment_before_they_may_go(writes, clock):
    writes.begin(15)
    writes.end(15)
    clock.sleep(29.9)

    assert writes.room == 15
    writes.begin(15)
    assert writes.room == 0
    assert writes.left() == 30
    assert writes.left_for_begun() == pytest.approx(0.1)
    writes.wait_for_begun()
    assert clock.now >= 1030


def test_writes_that_are_forgone_leave_their_room_to_others(writes):
    writes.begin(15)
    writes.forgo(15)

    assert (writes.room, writes.left(), writes.left_for_begun()) == (15, 0, 0)


def test_all_may_go_again_once_the_newest_answer_is_a_window_old(writes, clock):
    assert writes.left_until_all_may() == 0
    for _ in range(2):
        writes.begin(5)
        writes.end(5)
        clock.sleep(10)

    assert writes.left_until_all_may() == 20
    assert writes.left() == 0
